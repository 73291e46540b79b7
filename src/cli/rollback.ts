/** `parley rollback`: points an alias back at what it pointed at before. */
import { PRODUCTION } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printMove } from './history.js';

interface Options extends StoreOptions {
  readonly alias: string;
  readonly to?: string;
  readonly reason?: string;
}

export const rollback: CommandDefinition = (program, context) => {
  registryOptions(program.command('rollback'))
    .summary('point an alias back at what it pointed at before')
    .description(
      'Points an alias back at the version before the current one, or at any that it has pointed at. No new verdict is needed; the version must still fit the contract in force. While a canary runs, and --to is not given, the canary ends and the alias stays.',
    )
    .argument('<model>', 'the model')
    .option('--alias <name>', 'the alias', PRODUCTION)
    .option('--to <version>', 'a version that the alias has pointed at; the one before the current when absent')
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText(
      'after',
      '\nExamples:\n  parley rollback penguins\n  parley rollback penguins --to 9c41e07d --reason "recall fell"',
    )
    .action(async (model: string, { alias, to, reason, ...options }: Options) => {
      const entry = await withRegistry(context, options, (registry) =>
        registry.rollback({
          model,
          aliasName: alias,
          ...(to === undefined ? {} : { toVersion: to }),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};
