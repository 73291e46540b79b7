/** `parley prune`: removes old versions that no alias ever led to. */
import { InvalidArgumentError } from 'commander';
import type { ModelVersion } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { type Output, short, timeText } from './output.js';

interface Options extends StoreOptions {
  readonly keep: number;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

export const prune: CommandDefinition = (program, context) => {
  registryOptions(program.command('prune'))
    .summary('remove old versions that were never promoted')
    .description(
      'Removes bytes and records of all but the newest versions. What an alias ever led to, as its version or as a canary, and what a stored ensemble is made of, is kept in any case, so an alias of your own pins a version, and so are members of ensembles; the ledger says what was removed.',
    )
    .argument('<model>', 'the model')
    .requiredOption('--keep <versions>', 'so many of the newest stay, promoted or not', keepOf)
    .option('--dry-run', 'only say what would be removed')
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText('after', '\nExamples:\n  parley prune penguins --keep 20 --dry-run\n  parley prune penguins --keep 20')
    .action(async (model: string, { keep, dryRun, reason, ...options }: Options) => {
      const removed = await withRegistry(context, options, (registry) =>
        registry.prune({ model, keep, dryRun: dryRun === true, ...(reason === undefined ? {} : { reason }) }),
      );
      if (options.json) context.output.json(removed);
      else printRemoved(context.output, removed, dryRun === true ? 'would be removed' : 'removed');
    });
};

function printRemoved(output: Output, removed: readonly ModelVersion[], what: string): void {
  if (removed.length === 0) {
    output.note(
      'nothing is to be removed: the versions beyond those to keep have all been promoted or are members of ensembles, or there are none',
    );
    return;
  }
  output.table(
    ['version', 'published', 'type', 'bytes', 'accepted'],
    removed.map(({ version, publishedAt, modelType, sizeBytes, accepted }) => [
      short(version),
      timeText(publishedAt),
      modelType,
      sizeBytes,
      accepted ? 'yes' : 'no',
    ]),
  );
  const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  output.line(`${removed.length} ${removed.length === 1 ? 'version' : 'versions'} ${what}, ${bytes} bytes`);
}

function keepOf(text: string): number {
  const keep = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(keep))
    throw new InvalidArgumentError('Write a whole number from 0 on.');
  return keep;
}
