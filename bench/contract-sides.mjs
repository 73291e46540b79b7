/** The two readers that bench/contract compares: each takes a frame's message and reads its rows. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import thrift from 'thrift';
import { bindService } from '../dist/contract/bind.js';
import { parseContract } from '../dist/contract/parse.js';
import { typedFrame } from '../dist/load/frames.js';
import { chanceOf, madeUpRow } from '../dist/load/made-up.js';
import { GraphBuilder } from '../dist/onnx/graph.js';
import { inspectGraph } from '../dist/onnx/reader.js';
import { TypedCodec } from '../dist/rpc/typed-codec.js';
import { BinaryReader } from '../dist/rpc/wire/binary.js';
import { CompactReader } from '../dist/rpc/wire/compact.js';
import { Batcher } from '../dist/serving/batcher.js';
import { Servable } from '../dist/serving/servable.js';

const FILE = 'examples/penguins/penguins.thrift';
/** One in so many leaves out what may be missing. */
const MISSING_ONE_IN = 20;

export const contract = parseContract({ file: FILE, idl: readFileSync(FILE, 'utf8'), includes: {} });
const [service] = contract.services,
  method = service.methods.find(({ many }) => many);

/** A graph that fits the contract; it is loaded and not run. */
function artifact() {
  const graph = new GraphBuilder();
  for (const { name, type } of method.request.fields)
    graph.input(name, type === 'string' ? 'string' : 'float64', [-1, 1]);
  const [first] = method.request.fields;
  const classes = service.methods[0].response.fields[0].enum.members.slice(1).map(({ label }) => label);
  const shares = graph.node('Cast', [graph.node('Concat', Array(classes.length).fill(first.name), { axis: 1 })], {
    to: 1,
  });
  graph.output('label', graph.node('ArgMax', [shares], { axis: 1, keepdims: 0 }), 'int64', [-1]);
  graph.output('probabilities', shares, 'float32', [-1, classes.length]);
  const bytes = graph.serialize();
  return {
    modelType: 'tabular-classifier',
    signature: inspectGraph(bytes).signature,
    metadata: { classes },
    graph: bytes,
  };
}

/** @returns calls of so many made-up rows, without their lengths, and how many fields are in each */
export function callsOf(protocol, rows, calls) {
  const chance = chanceOf(7);
  return Array.from({ length: calls }, () => {
    const made = Array.from({ length: rows }, () =>
      madeUpRow(method, chance).map((value, index) =>
        method.request.fields[index].missing.kind === 'allowed' && chance() < 1 / MISSING_ONE_IN ? undefined : value,
      ),
    );
    const message = typedFrame(protocol, { service, method, rows: made }).subarray(4);
    return { message, fields: made.flat().filter((value) => value !== undefined).length };
  });
}

/** Parley's, as the dispatcher calls it. @returns by protocol, what reads a message and gives the count of its rows */
export async function parleySide() {
  const version = artifact(),
    servable = await Servable.of('penguins', '0'.repeat(64), version, new Batcher());
  const binding = bindService(contract, service.name, version).methods.find((each) => each.method === method);
  const codec = new TypedCodec(binding, servable, 'production');
  const over = (reader) => (message) => {
    reader.reset(message, 0, message.length);
    reader.messageBegin();
    reader.structBegin();
    let rows = 0;
    for (let type = reader.field(); type !== 0; type = reader.field()) rows = codec.decode(reader);
    reader.structEnd();
    return rows;
  };
  return { binary: over(new BinaryReader()), compact: over(new CompactReader()) };
}

/**
 * The Thrift compiler's, with the `thrift` package's protocols. The stubs keep the class of the arguments to themselves, so
 * that the few calls around the rows are spelled here as they are there.
 *
 * @param folder takes the stubs; inside the repository, where they find their package
 */
export function generatedSide(folder) {
  execFileSync('thrift', ['-r', '--gen', 'js:node,es6', '-I', 'idl', '-out', folder, FILE]);
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  const stubs = createRequire(join(process.cwd(), folder, 'x.js'))('./penguins_types.js'),
    Row = stubs[method.request.name];
  const over = (Protocol) => (message) => {
    const input = new Protocol(new thrift.TFramedTransport(message));
    input.readMessageBegin();
    input.readStructBegin();
    input.readFieldBegin();
    const { size } = input.readListBegin(),
      rows = [];
    for (let i = 0; i < size; i++) {
      const row = new Row();
      row[Symbol.for('read')](input);
      rows.push(row);
    }
    input.readListEnd();
    input.readFieldEnd();
    input.readFieldBegin();
    input.readStructEnd();
    return rows.length;
  };
  return { binary: over(thrift.TBinaryProtocol), compact: over(thrift.TCompactProtocol) };
}
