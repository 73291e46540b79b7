/** `parley export`: whole models as one file, or a version's plain graph. */
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { hasErrno, invalidInput } from '../errors.js';
import { type CliContext, type CommandDefinition, type StoreOptions, storeOptions, withArchives } from './context.js';
import { short } from './output.js';
import { ProgressLine } from './progress.js';

interface Options extends StoreOptions {
  readonly all?: boolean;
  readonly out?: string;
  readonly onnx?: string;
  readonly modelVersion?: string;
  readonly force?: boolean;
}

export const exportCommand: CommandDefinition = (program, context) => {
  storeOptions(program.command('export'))
    .summary('write models to a file, or a plain ONNX graph')
    .description(
      'Writes everything of the models to one file: versions, verdicts, contracts, fixtures, ledger and aliases. "parley import" puts them into any other store. The same state makes the same bytes.',
    )
    .argument('[models...]', 'the models')
    .option('--all', 'every model of the store')
    .option('--out <file>', 'where to write it; standard output when absent')
    .option('--onnx <file>', "instead, write a version's plain graph, features and all, for any ONNX runtime")
    .option('--model-version <version>', 'with --onnx: the version; the one in production when absent')
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      '\nExamples:\n  parley export penguins > penguins.parley\n  parley export --all --out backup.parley\n  parley export penguins --onnx penguins.onnx',
    )
    .action(async (models: readonly string[], options: Options, command: Command) => {
      const wrong = wrongUsage(models, options);
      if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: 2 });
      if (options.onnx === undefined) await exportArchive(context, models, options);
      else await exportGraph(context, models[0]!, options.onnx, options);
    });
};

function wrongUsage(models: readonly string[], { all, onnx, out, modelVersion }: Options): string | undefined {
  if (all === true && models.length > 0) return '--all exports every model: name none beside it';
  if (onnx !== undefined && (models.length !== 1 || out !== undefined))
    return '--onnx writes the graph of one model to the file behind it: name one model, and no --out';
  if (onnx === undefined && modelVersion !== undefined)
    return '--model-version chooses the graph that --onnx writes; a model is exported with all its versions';
  return all !== true && models.length === 0 ? 'name the models to export, or give --all' : undefined;
}

async function exportArchive(context: CliContext, named: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  if (options.out === undefined && output.outIsTerminal)
    throw invalidInput('an archive is not for reading: send it to a file, with "> FILE" or --out FILE');
  const progress = new ProgressLine(output);
  let bytes = 0;
  try {
    await withArchives(context, options, async (archives) => {
      const models = options.all === true ? await archives.models() : named;
      if (models.length === 0) throw invalidInput('the store has no models to export');
      const pieces = archives.exportModels(models, {
        onVersion: (model, done, versions) =>
          progress.show('export', `${model}: version ${done + 1} of ${versions}`, done / versions),
      });
      async function* counted() {
        for await (const piece of pieces) {
          context.signal.throwIfAborted();
          bytes += piece.length;
          yield piece;
        }
      }
      if (options.out === undefined) for await (const piece of counted()) await output.bytes(piece);
      else await writeWhole(options.out, counted(), options.force === true);
    });
  } finally {
    progress.end();
  }
  output.note(`${bytes} bytes exported${options.out === undefined ? '' : ` to ${options.out}`}`);
}

async function exportGraph(context: CliContext, model: string, file: string, options: Options): Promise<void> {
  const { version, modelType, graph } = await withArchives(context, options, (archives) =>
    archives.graph(model, options.modelVersion),
  );
  async function* whole() {
    yield graph;
  }
  await writeWhole(file, whole(), options.force === true);
  context.output.note(`${file}: the graph of "${model}" ${short(version)} (${modelType}), ${graph.length} bytes`);
}

/** Under another name until it is whole, so that no half of a file is taken for one. */
async function writeWhole(file: string, pieces: AsyncIterable<Uint8Array>, force: boolean): Promise<void> {
  const unfinished = `${file}.part`;
  try {
    if (!force) await refuseExisting(file);
    await pipeline(pieces, createWriteStream(unfinished));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    if (error instanceof Error && 'syscall' in error)
      throw invalidInput(`${file} cannot be written: ${error.message}`, { cause: error });
    throw error;
  }
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await (await open(file)).close();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  throw invalidInput(`${file} is there already; give another name, or --force to write over it`);
}
