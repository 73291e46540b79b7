/** `parley publish`: a graph that was trained elsewhere becomes a version. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { hasErrno, invalidInput, notFound } from '../errors.js';
import type { Described, Publish, RegistryPort } from '../model/registry-port.js';
import type { ModelVersion } from '../model/version.js';
import { patiently, sendUpload } from '../registry/send-upload.js';
import {
  type CliContext,
  type CommandDefinition,
  registryOptions,
  type StoreOptions,
  withRegistry,
} from './context.js';
import { type Output, short } from './output.js';
import { ProgressLine } from './progress.js';
import { printSignature, printTypeFields } from './signature.js';

interface Options extends StoreOptions {
  readonly model: string;
  readonly contract?: string;
  readonly type?: string;
  readonly metadata?: string;
  readonly map: Readonly<Record<string, string>>;
  readonly mapOutput: Readonly<Record<string, string>>;
  readonly description?: string;
}

export const publish: CommandDefinition = (program, context) => {
  registryOptions(program.command('publish'))
    .summary('publish a graph that was trained elsewhere')
    .description(
      'Publishes an ONNX graph as a version: inspects it, binds it to the contract of the model if it has one, rehearses it in a process of its own, and stores it.',
    )
    .argument('<file>', 'the graph, an .onnx file')
    .requiredOption('--model <name>', 'the model that it becomes a version of')
    .option('--contract <service>', "the service of the model's contract that it is to answer")
    .option('--type <name>', 'its model type, such as image-classifier; deduced when absent')
    .option(
      '--metadata <file>',
      "JSON: the type's own fields, over those in the graph's metadata_props (docs/redis-schema.md)",
    )
    .option(
      '--map <field=input>',
      "what the graph calls the contract's field; once for each name that differs",
      namePair,
      {},
    )
    .option(
      '--map-output <role=output>',
      'what the graph calls the answer of a role: label, probability, value, interval_low, interval_high',
      namePair,
      {},
    )
    .option('--description <text>', 'what it is; kept with the version')
    .addHelpText(
      'after',
      '\nExamples:\n  parley publish resnet.onnx --model photos\n  parley publish penguins.onnx --model penguins --contract Penguins --description "scikit-learn 1.7"\n  parley publish forest.onnx --model penguins --contract Penguins --map bill_length_mm=x1 --map-output label=y\n  parley publish resnet.onnx --model photos --type image-classifier --metadata resnet.json',
    )
    .action(async (file: string, { model, contract, type, description, ...options }: Options) => {
      const fields = await metadataOf(options);
      const { version, signature } = await withRegistry(context, options, async (registry) => {
        const uploadId = await uploadFile(registry, model, file, context);
        const request: Publish = {
          model,
          uploadId,
          ...(contract === undefined ? {} : { contractService: contract }),
          ...(type === undefined ? {} : { modelType: type }),
          ...(fields === undefined ? {} : { metadata: fields }),
          ...(description === undefined ? {} : { description }),
        };
        // The registry knows a publication that is repeated because its reply was lost.
        const published = await patiently(() => registry.publish(request), context.signal);
        return { version: published, signature: (await registry.describe(model, published.version)).signature };
      });
      if (options.json) context.output.json({ version, signature });
      else print(context.output, version, signature);
    });
};

/** `field=input`, added to those before. */
function namePair(pair: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1)
    throw invalidInput(`"${pair}" is no pair of names; write the contract's, = and the graph's, as in label=y`);
  const name = pair.slice(0, at);
  if (Object.hasOwn(before, name)) throw invalidInput(`"${name}" is mapped twice; map it once`);
  return { ...before, [name]: pair.slice(at + 1) };
}

/** The file's fields, with the names beside them. */
async function metadataOf({
  metadata,
  map,
  mapOutput,
}: Pick<Options, 'metadata' | 'map' | 'mapOutput'>): Promise<Publish['metadata']> {
  const fields = {
    ...(metadata === undefined ? {} : await readMetadata(metadata)),
    ...(Object.keys(map).length === 0 ? {} : { map }),
    ...(Object.keys(mapOutput).length === 0 ? {} : { map_output: mapOutput }),
  };
  return metadata === undefined && Object.keys(fields).length === 0 ? undefined : fields;
}

async function readMetadata(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (hasErrno(cause, 'ENOENT')) throw notFound(`there is no file ${file}`, { cause });
    throw invalidInput(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  });
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (cause) {
    throw invalidInput(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  throw invalidInput(`${file} must hold a JSON object: the fields of the model type`);
}

/** Smaller files are there before anybody could read how far they are. */
const SHOWN_BYTES = 32 << 20;

/** A part is read when one before it has arrived: the file is never whole in memory. @returns the upload's id */
async function uploadFile(
  registry: RegistryPort,
  model: string,
  file: string,
  { output, signal }: CliContext,
): Promise<string> {
  const handle = await opened(file),
    progress = new ProgressLine(output);
  try {
    const { size } = await handle.stat();
    if (size === 0) throw invalidInput(`${file} is empty; give an ONNX file`);
    const source = { sizeBytes: size, part: (at: number, length: number) => partOf(handle, file, at, length) };
    const onProgress = (sentBytes: number) =>
      size < SHOWN_BYTES ? undefined : progress.show('upload', `${mebibytes(size)} MiB`, sentBytes / size);
    return await sendUpload(registry, model, source, { signal, onProgress });
  } finally {
    progress.end();
    await handle.close();
  }
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);

async function opened(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) throw notFound(`there is no file ${file}`, { cause });
    throw invalidInput(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw invalidInput(`${file} is not a file`);
}

async function partOf(handle: FileHandle, file: string, offset: number, length: number): Promise<Uint8Array> {
  const part = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(part, read, length - read, offset + read);
    if (bytesRead === 0) throw invalidInput(`${file} has become shorter while it was read; publish it again`);
    read += bytesRead;
  }
  return part;
}

function print(output: Output, version: ModelVersion, signature: Described['signature']): void {
  printSignature(output, signature);
  printTypeFields(output, version.typeFields ?? {});
  output.line();
  output.line(`version ${version.version}`);
  output.line(`${version.modelType}, ${version.sizeBytes} bytes, published as a version of "${version.model}"`);
  const id = short(version.version);
  const accept = version.contractFingerprint === undefined ? '' : `parley accept ${version.model} ${id} && `;
  output.note(`next: ${accept}parley promote ${version.model} ${id}`);
}
