/** `parley aliases`: where each alias of a model leads now. */
import type { LedgerEntry } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { share, short, timeText } from './output.js';

export const aliases: CommandDefinition = (program, context) => {
  registryOptions(program.command('aliases'))
    .summary('list where the aliases lead')
    .description(
      'Lists the aliases of a model: the version, the canary beside it with its share of the calls, whether the alias is held, and what changed it last.',
    )
    .argument('<model>', 'the model')
    .addHelpText('after', '\nExamples:\n  parley aliases penguins\n  parley aliases penguins --json')
    .action(async (model: string, options: StoreOptions) => {
      const states = await withRegistry(context, options, (registry) => registry.aliases(model));
      if (options.json) {
        context.output.json(states);
        return;
      }
      if (states.length === 0) {
        context.output.note(`model "${model}" has no alias yet; promote a version with "parley promote"`);
        return;
      }
      context.output.table(
        ['alias', 'version', 'canary', 'held', 'last change'],
        states.map(({ aliasName, version, canary, held, lastChange }) => [
          aliasName,
          short(version),
          canary === undefined ? '' : `${short(canary.version)} ${share(canary.weight)}`,
          held ? 'held' : '',
          lastChange === undefined ? '' : changeText(lastChange),
        ]),
      );
    });
};

const changeText = ({ action, at, actor, reason }: LedgerEntry): string =>
  `${action} ${timeText(at)} by ${actor}${reason === undefined ? '' : `: ${reason}`}`;
