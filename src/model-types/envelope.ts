/**
 * The stored form of a version, whatever its model type.
 *
 * ```
 * 8 bytes   'PARLEY1\n'
 * 4 bytes   length of the header, unsigned, big-endian
 * header    MessagePack: a map of model_type, signature, metadata, graph_bytes, in this order
 * graph     graph_bytes bytes: an ONNX ModelProto
 * ```
 *
 * Maps inside the header are written with their keys in the order of their code units, so that an artifact has one form
 * and therefore one digest. Nothing of time, run, machine or contract is in it.
 */
import { Packr, Unpackr } from 'msgpackr';
import { z } from 'zod';
import { internal, modelBroken } from '../errors.js';
import { type ByteStream, digestOf as sha256 } from '../model/byte-stream.js';
import { DATA_TYPES, type DataType, type TensorSpec } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import type { Version } from '../model/version.js';

const MAGIC = Buffer.from('PARLEY1\n');
const HEADER_AT = MAGIC.length + 4;

/** A header is read into memory at once; no vocabulary or signature comes near this. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

const dataType = z.enum(Object.keys(DATA_TYPES) as [DataType, ...DataType[]]);
const tensorSpecs = z.array(z.strictObject({ name: z.string(), data_type: dataType, shape: z.array(z.int().min(-1)) }));
const headerSchema = z.strictObject({
  model_type: z.string().min(1),
  signature: z.strictObject({ inputs: tensorSpecs, outputs: tensorSpecs }),
  metadata: z.record(z.string(), z.unknown()),
  graph_bytes: z.int().min(0),
});

/** Names the version that the bytes are: lowercase hex SHA-256, 64 characters. */
export const digestOf: (bytes: Uint8Array) => Version = sha256;

/** @returns bytes that depend on the artifact's values alone, not on the order in which its objects were made */
export function encodeEnvelope(artifact: Artifact): Uint8Array {
  const header = encodeHeader(artifact),
    bytes = new Uint8Array(header.length + artifact.graph.length);
  bytes.set(header);
  bytes.set(artifact.graph, header.length);
  return bytes;
}

/** The envelope up to the graph. */
export function encodeHeader({ modelType, signature, metadata, graph }: Artifact): Uint8Array {
  const written = (specs: readonly TensorSpec[]) =>
    specs.map((spec) => ({ name: spec.name, data_type: spec.dataType, shape: [...spec.shape] }));
  const packed = packr.pack({
    model_type: modelType,
    signature: { inputs: written(signature.inputs), outputs: written(signature.outputs) },
    metadata: ordered(metadata, 'metadata'),
    graph_bytes: graph.length,
  });
  if (packed.length > MAX_HEADER_BYTES) throw internal(`an envelope's header has ${packed.length} bytes`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packed.length);
  return new Uint8Array(Buffer.concat([MAGIC, length, packed]));
}

/** What an envelope says of its graph. */
export type Head = Omit<Artifact, 'graph'>;

/**
 * @returns the artifact; its graph is a view of `bytes`. The metadata is not yet checked by the model type's schema
 * @throws ParleyError MODEL_BROKEN where the bytes are not one whole envelope
 */
export function decodeEnvelope(bytes: Uint8Array): Artifact {
  const graphAt = graphPlace(bytes, bytes.length)!;
  return { ...decodeHead(bytes, graphAt, bytes.length), graph: bytes.subarray(graphAt) };
}

/**
 * The head of an envelope of which no more is read than that takes, and therefore not verified against its digest.
 *
 * @throws ParleyError MODEL_BROKEN where the bytes do not begin as a whole envelope does
 */
export async function readHead({ sizeBytes, parts }: ByteStream): Promise<Head> {
  let begun = Buffer.alloc(0);
  for await (const part of parts()) {
    begun = Buffer.concat([begun, part]);
    const graphAt = graphPlace(begun, sizeBytes);
    if (graphAt !== undefined && begun.length >= graphAt) return decodeHead(begun, graphAt, sizeBytes);
  }
  throw modelBroken(`the envelope is cut short: ${begun.length} bytes`);
}

/** Whether an envelope of `sizeBytes` ends with its head: it has no graph. @param begun its first bytes */
export function isAllHead(begun: Uint8Array, sizeBytes: number): boolean {
  if (begun.length < HEADER_AT) return false;
  return HEADER_AT + new DataView(begun.buffer, begun.byteOffset).getUint32(MAGIC.length) === sizeBytes;
}

/** Where the graph begins in an envelope of `sizeBytes`; undefined while too little of it is there to tell. */
function graphPlace(begun: Uint8Array, sizeBytes: number): number | undefined {
  const buffer = Buffer.from(begun.buffer, begun.byteOffset, Math.min(begun.length, HEADER_AT));
  const magic = begun.length < sizeBytes ? MAGIC.subarray(0, buffer.length) : MAGIC;
  if (!buffer.subarray(0, MAGIC.length).equals(magic))
    throw modelBroken(`not an envelope of Parley's: ${sizeBytes} bytes that do not begin with PARLEY1`);
  if (buffer.length < HEADER_AT) {
    if (begun.length < sizeBytes) return undefined;
    throw modelBroken(`the envelope is cut short: ${sizeBytes} bytes`);
  }
  const graphAt = HEADER_AT + buffer.readUInt32BE(MAGIC.length);
  if (graphAt <= sizeBytes && graphAt - HEADER_AT <= MAX_HEADER_BYTES) return graphAt;
  throw modelBroken(`the envelope is cut short: a header to byte ${graphAt} in ${sizeBytes} bytes`);
}

function decodeHead(bytes: Uint8Array, graphAt: number, sizeBytes: number): Head {
  const header = parseHeader(bytes.subarray(HEADER_AT, graphAt));
  const left = sizeBytes - graphAt;
  if (left !== header.graph_bytes) {
    const wrong = left < header.graph_bytes ? 'is cut short' : 'has bytes after its end';
    throw modelBroken(`the envelope ${wrong}: a graph of ${header.graph_bytes} bytes, and ${left} are there`);
  }
  const read = (specs: z.infer<typeof tensorSpecs>) =>
    specs.map((spec) => ({ name: spec.name, dataType: spec.data_type, shape: spec.shape }));
  return {
    modelType: header.model_type,
    signature: { inputs: read(header.signature.inputs), outputs: read(header.signature.outputs) },
    metadata: header.metadata,
  };
}

// variableMapSize: the shortest form of a map's length, so that a map has one form. int64AsType is left at its default:
// no number of a header needs 64 bits.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

function parseHeader(packed: Uint8Array): z.infer<typeof headerSchema> {
  let decoded: unknown;
  try {
    decoded = unpackr.unpack(packed);
  } catch (cause) {
    throw modelBroken("the envelope's header is not MessagePack", { cause });
  }
  const parsed = headerSchema.safeParse(decoded);
  if (parsed.success) return parsed.data;
  throw modelBroken(`the envelope's header is not one: ${z.prettifyError(parsed.error)}`);
}

/** Plain JSON values, with the keys of every object in order. */
function ordered(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((each, index) => ordered(each, `${path}[${index}]`));
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw internal(`${path}: an envelope keeps only JSON values`);
  }
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, ordered(each, `${path}.${key}`)]));
}
