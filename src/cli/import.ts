/** `parley import`: models from a file that `parley export` wrote. */
import { createReadStream } from 'node:fs';
import { hasErrno, invalidInput, notFound, ParleyError } from '../errors.js';
import type { ImportedModel } from '../registry/archive/import.js';
import { type CliContext, type CommandDefinition, type StoreOptions, storeOptions, withArchives } from './context.js';
import { short } from './output.js';
import { ProgressLine } from './progress.js';

interface Options extends StoreOptions {
  readonly as?: string;
  readonly reason?: string;
}

export const importCommand: CommandDefinition = (program, context) => {
  storeOptions(program.command('import'))
    .summary('put exported models into this store')
    .description(
      'A model that this store does not have comes back as it was, ledger and aliases too. One that it has gets the versions and verdicts that it lacks; its aliases and its contract stay. Everything is checked against its digest, and importing again changes nothing.',
    )
    .argument('<file>', 'what "parley export" wrote; - for standard input')
    .option('--as <alias>', 'take only the version in production there, and point this alias at it')
    .option('--reason <text>', 'why; goes into the ledger')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  parley import backup.parley\n  parley export penguins | parley import - --redis redis://production:6379 --as candidate',
    )
    .action(async (file: string, { as, reason, ...options }: Options) => {
      const imported = await importFile(context, file, options, { as, reason });
      if (options.json) context.output.json(imported);
    });
};

async function importFile(
  context: CliContext,
  file: string,
  options: StoreOptions,
  { as, reason }: { as: string | undefined; reason: string | undefined },
): Promise<readonly ImportedModel[]> {
  const { output } = context;
  const progress = new ProgressLine(output);
  const imported: ImportedModel[] = [];
  try {
    await withArchives(context, options, async (archives) => {
      const models = archives.importModels(sourceOf(context, file), {
        onVersion: (model, done, versions) =>
          progress.show('import', `${model}: version ${done + 1} of ${versions}`, done / versions),
        ...(as === undefined ? {} : { as }),
        ...(reason === undefined ? {} : { reason }),
      });
      for await (const model of models) {
        progress.end();
        imported.push(model);
        if (!options.json) output.line(lineOf(model));
      }
    });
  } catch (error) {
    progress.end();
    if (error instanceof ParleyError && imported.length > 0)
      output.note(`imported before it failed: ${imported.map(({ model }) => model).join(', ')}`);
    throw error;
  }
  return imported;
}

async function* sourceOf(context: CliContext, file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of file === '-' ? context.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 })) {
      context.signal.throwIfAborted();
      yield typeof piece === 'string' ? Buffer.from(piece) : piece;
    }
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) throw notFound(`there is no file ${file}`, { cause });
    if (cause instanceof Error && 'syscall' in cause)
      throw invalidInput(`${file} cannot be read: ${cause.message}`, { cause });
    throw cause;
  }
}

function lineOf({ model, outcome, imported, there, retired, contract, promoted }: ImportedModel): string {
  const versions = (count: number) => `${count} ${count === 1 ? 'version' : 'versions'}`;
  const parts =
    outcome === 'restored'
      ? [`restored with ${versions(imported.length)}, ledger and aliases`]
      : [
          ...(imported.length > 0 ? [`${versions(imported.length)} imported`] : ['no new versions']),
          ...(there.length > 0 ? [`${there.length} here already`] : []),
          ...(retired.length > 0 ? [`${retired.length} left out as retired there`] : []),
          ...(contract ? ['its contract put in force'] : []),
        ];
  if (promoted?.version !== undefined) parts.push(`${promoted.aliasName} → ${short(promoted.version)}`);
  return `${model}: ${parts.join(', ')}`;
}
