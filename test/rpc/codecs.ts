/** A typed method's codec over a graph of any inputs, and what it makes of rows. */
import { expect } from 'chai';
import { bindService } from '#parley/contract/bind.js';
import { parseContract } from '#parley/contract/parse.js';
import type { DataType } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { TypedCodec } from '#parley/rpc/typed-codec.js';
import { BinaryReader } from '#parley/rpc/wire/binary.js';
import { CompactReader } from '#parley/rpc/wire/compact.js';
import { LIST, STRUCT } from '#parley/rpc/wire/protocol.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Servable } from '#parley/serving/servable.js';
import { encode, type ProtocolName, type Value } from './wire-values.js';

/**
 * @param fields of the request's struct; `types` may declare what they need
 * @param inputs name, type and extents of a row; the first of float64 and of one value is what is answered
 */
export async function codecOf(
  fields: string,
  inputs: readonly (readonly [string, DataType, ...number[]])[],
  types = '',
): Promise<TypedCodec> {
  const idl = `include "parley.thrift"
enum Size { UNSPECIFIED = 0, SMALL = 1 (label = "small"), LARGE = 7 (label = "large") }
${types}
struct Row { ${fields} }
struct Answer { 1: optional double value (role = "value") }
service Rows { list<Answer> ask(1: list<Row> rows) } (model = "rows")`;
  const builder = new GraphBuilder();
  for (const [name, type, ...shape] of inputs) builder.input(name, type, [-1, ...(shape.length === 0 ? [1] : shape)]);
  const [first] = inputs.find(([, type]) => type === 'float64')!,
    axes = builder.constant('axes', { dataType: 'int64', shape: [1], data: BigInt64Array.of(1n) });
  builder.output('value', builder.node('ReduceSum', [first, axes], { keepdims: 1 }), 'float64', [-1, 1]);
  const graph = builder.serialize(),
    artifact = {
      modelType: 'tabular-regressor',
      signature: inspectGraph(graph).signature,
      metadata: {},
      graph,
    } as const;
  const contract = parseContract({ file: 'rows.thrift', idl, includes: {} });
  const [method] = bindService(contract, 'Rows', artifact).methods;
  return new TypedCodec(method!, await Servable.of('rows', '0'.repeat(64), artifact, new Batcher()), 'production');
}

/** @returns how many rows there were, and where the reader stands */
export function read(codec: TypedCodec, protocol: ProtocolName, message: Buffer) {
  const reader = protocol === 'binary' ? new BinaryReader() : new CompactReader();
  reader.reset(message, 0, message.length);
  reader.structBegin();
  reader.field();
  return { count: codec.decode(reader), reader };
}

export const messageOf = (protocol: ProtocolName, rows: readonly Value[]): Buffer =>
  encode(protocol, { type: STRUCT, fields: [[1, { type: LIST, element: STRUCT, values: rows }]] });

/** Reads a list of rows. @returns the columns by the inputs' names */
export function decode(codec: TypedCodec, protocol: ProtocolName, rows: readonly Value[]): Record<string, unknown[]> {
  const message = messageOf(protocol, rows),
    { count, reader } = read(codec, protocol, message);
  expect(reader.at).to.equal(message.length - 1);
  const { columns } = codec.plan!.reserve(count);
  return Object.fromEntries(
    codec.servable.inputs.map(({ name, rowWidth }, i) => [name, [...columns[i]!].slice(0, count * rowWidth)]),
  );
}
