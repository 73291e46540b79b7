/** `parley versions`: what has been published, newest first. */
import type { ModelVersion } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { countOf } from './history.js';
import { figure, short, timeText } from './output.js';

interface Options extends StoreOptions {
  readonly limit?: number;
}

export const versions: CommandDefinition = (program, context) => {
  registryOptions(program.command('versions'))
    .summary('list published versions')
    .description(
      'Lists published versions, newest first, of one model or of all: which aliases point at them (held ones, and canaries, are marked), whether the contract in force accepted them, and which are retired.',
    )
    .argument('[model]', 'the model; all when absent')
    .option('--limit <rows>', 'at most so many', countOf)
    .addHelpText('after', '\nExamples:\n  parley versions\n  parley versions penguins --json')
    .action(async (model: string | undefined, { limit, ...options }: Options) => {
      const page = await withRegistry(context, options, (registry) =>
        registry.listVersions({ ...(model === undefined ? {} : { model }), ...(limit === undefined ? {} : { limit }) }),
      );
      if (options.json) {
        context.output.json(page.items);
        return;
      }
      if (page.items.length === 0) {
        context.output.note('nothing has been published yet; train a model with "parley train PROJECT"');
        return;
      }
      context.output.table(
        ['model', 'version', 'published', 'type', 'bytes', 'accepted', 'aliases', 'test metrics'],
        page.items.map((item) => [
          item.model,
          short(item.version),
          timeText(item.publishedAt),
          item.modelType,
          item.sizeBytes,
          item.accepted ? 'yes' : 'no',
          standing(item),
          Object.entries(item.metrics)
            .filter(([name]) => /^test\.(accuracy|precision|recall|rmse|r2)$/.test(name))
            .map(([name, value]) => `${name.slice('test.'.length)} ${figure(value)}`)
            .join(', '),
        ]),
      );
      if (page.nextPageToken !== undefined) context.output.note('there are more; raise --limit to see them');
    });
};

/** Which aliases lead to a version, and how. */
const standing = ({ aliases, heldAliases, canaryAliases, retired }: ModelVersion): string =>
  [
    ...aliases.map((name) => (heldAliases.includes(name) ? `${name} (held)` : name)),
    ...canaryAliases.map((name) => `${name} (canary)`),
    ...(retired ? ['retired'] : []),
  ].join(', ');
