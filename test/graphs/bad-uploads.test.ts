/** What must not become a version, uploaded to `parley serve`: each is refused by its reason, and the server goes on. */
import { expect } from 'chai';
import { Packr } from 'msgpackr';
import { busyChildOf, isThere } from '../registry/world.js';
import { echo, endless, envelopeOf } from '../serving/models.js';
import { failure } from '../store/world.js';
import { type ModelParts, message, model, tensorType, value } from '../unit/onnx/wire.js';
import { expectSameProcess, useServerProcess } from './server-process.js';

const FLOAT = 1,
  BOOL = 9,
  UINT4 = 21,
  INT4 = 22;

/** `If(c)` whose branches give a value of a type that the graph's output does not tell of. */
function hidden(inside: number, told: number): Uint8Array {
  const tensor = message([1, 2], [2, inside], [9, Uint8Array.of(0x21)]);
  const constant = message([2, 'v'], [4, 'Constant'], [5, message([1, 'value'], [5, tensor], [20, 4])]);
  const branch = message([1, constant], [2, 'b'], [12, value('v', tensorType(inside, [2]))]);
  const attribute = (name: string) => message([1, name], [6, branch], [20, 5]);
  const node = message([1, 'c'], [2, 'y'], [4, 'If'], [5, attribute('then_branch')], [5, attribute('else_branch')]);
  const graph = message(
    [1, node],
    [2, 'g'],
    [11, value('c', tensorType(BOOL, []))],
    [12, value('y', tensorType(told, [2]))],
  );
  return message([1, 10], [7, graph], [8, message([1, ''], [2, 21])]);
}

/** An output that is a sequence of tensors of a type. */
const sequence = (elementType: number): Uint8Array =>
  model({ output: value('y', message([4, message([1, tensorType(elementType, [2])])])) });

/** A weight that is in another file. */
function external(): Uint8Array {
  const place = message([1, 'location'], [2, 'weights.bin']);
  const weight = message([1, 2], [2, FLOAT], [8, 'w'], [13, place], [14, 1]);
  const node = message([1, 'x'], [1, 'w'], [2, 'y'], [4, 'Add']);
  const [x, y] = ['x', 'y'].map((name) => value(name, tensorType(FLOAT, ['rows', 2])));
  const graph = message([1, node], [2, 'g'], [5, weight], [11, x], [12, y]);
  return message([1, 8], [7, graph], [8, message([1, ''], [2, 17])]);
}

/** An envelope of bytes that its writer has not made. */
function envelope(header: object | Uint8Array, graph: Uint8Array, headerBytes?: number): Uint8Array {
  const packed = header instanceof Uint8Array ? header : new Packr({ useRecords: false }).pack(header);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(headerBytes ?? packed.length);
  return Buffer.concat([Buffer.from('PARLEY1\n'), length, packed, graph]);
}

const GRAPH = model();
const SPECS = (name: string) => [{ name, data_type: 'float32', shape: [-1, 2] }];
const HEADER = {
  model_type: 'tensor',
  signature: { inputs: SPECS('x'), outputs: SPECS('y') },
  metadata: {},
  graph_bytes: GRAPH.length,
};
const header = (more: object) => envelope({ ...HEADER, ...more }, GRAPH);
const newer = (parts: ModelParts) => model(parts);

const CASES: Readonly<Record<string, readonly [bytes: () => Uint8Array, code: string, says: RegExp]>> = {
  'a newer format': [() => newer({ irVersion: 14 }), 'UNSUPPORTED', /IR version 14 .* up to 13; export an older one/],
  'a newer operator set': [() => newer({ opsets: [['', 27]] }), 'UNSUPPORTED', /set ai\.onnx 27 .*target_opset=26/],
  'weights in another file': [external, 'UNSUPPORTED', /weights in other files; export it as one file/],
  'an operator that the runtime lacks': [() => model({ operator: 'Frobnicate' }), 'MODEL_BROKEN', /Frobnicate/],
  'an operator of somebody else': [
    () => model({ domain: 'org.example', operator: 'Magic' }),
    'UNSUPPORTED',
    /org\.example\.Magic/,
  ],
  'an int4 output': [() => hidden(INT4, INT4), 'UNSUPPORTED', /output "y" has the element type int4/],
  'an int4 output that a branch hides': [() => hidden(INT4, FLOAT), 'MODEL_BROKEN', /the runtime refuses the graph/],
  'a uint4 output that a branch hides': [() => hidden(UINT4, FLOAT), 'MODEL_BROKEN', /the runtime refuses the graph/],
  'a sequence of int4': [() => sequence(INT4), 'UNSUPPORTED', /output "y" is a sequence/],
  'a graph that is cut short': [() => GRAPH.subarray(0, -7), 'MODEL_BROKEN', /cut short/],
  'random bytes': [
    () => Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * i * 2_654_435_761) >>> 13),
    'MODEL_BROKEN',
    /not an ONNX file|cut short/,
  ],
  'an envelope of a later release': [() => Buffer.from('PARLEY2\nwhatever'), 'MODEL_BROKEN', /begin with PARLEY1/],
  'an envelope that ends in its beginning': [() => Buffer.from('PARLEY1\n'), 'MODEL_BROKEN', /cut short: 8 bytes/],
  'a header that is longer than the file': [() => envelope(HEADER, GRAPH, 2 ** 32 - 1), 'MODEL_BROKEN', /cut short/],
  'a header that is no MessagePack': [() => envelope(Uint8Array.of(0xdf), GRAPH), 'MODEL_BROKEN', /not MessagePack/],
  'a header that lacks a field': [() => header({ signature: undefined }), 'MODEL_BROKEN', /header is not one/],
  'a header of a longer graph': [() => header({ graph_bytes: 2 ** 31 + 5 }), 'MODEL_BROKEN', /of 2147483653 bytes/],
  'a header of a shorter graph': [() => header({ graph_bytes: 5 }), 'MODEL_BROKEN', /has bytes after its end/],
  'a header of an unknown type': [() => header({ model_type: 'oracle' }), 'UNSUPPORTED', /no model type "oracle"/],
  'a header of other inputs': [
    () => header({ signature: { inputs: SPECS('z'), outputs: SPECS('y') } }),
    'MODEL_BROKEN',
    /the envelope says of its graph/,
  ],
  'a header with classes of a classifier': [
    () => header({ metadata: { classes: ['a', 'b'] } }),
    'MODEL_BROKEN',
    /metadata of a tensor/,
  ],
  'an optional input that the graph has no value for': [
    () => header({ metadata: { optional_inputs: ['x'] } }),
    'MODEL_BROKEN',
    /no value for its optional input "x"/,
  ],
};

describe('an upload that is not fit to be a version', function () {
  this.timeout(60_000);
  const process = useServerProcess();
  const publish = (bytes: Uint8Array, name = 'bad') => process().graphs.publish(name, bytes);

  for (const [what, [bytes, code, says]] of Object.entries(CASES))
    it(`is refused: ${what}`, async () => {
      const error = await failure(publish(bytes()));
      expect(error.message).to.match(says);
      expect(error.code).to.equal(code);
    });

  it('is refused when its graph ends the process that runs it, while the server answers', async () => {
    const { server, graphs } = process();
    const { graph } = endless();
    const refused = failure(publish(graph));
    const child = await busyChildOf(server.child.pid!);
    expect((await graphs.publish('good', echo().graph)).modelType).to.equal('tensor');
    expect(await graphs.client.ping()).to.include({ ready: true });
    expect(isThere(child.pid), 'the other rehearsal goes on').to.equal(true);
    globalThis.process.kill(child.pid, 'SIGSEGV');
    const error = await refused;
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.include('(SIGSEGV)');
  });

  it('is none where the envelope is as it should be', async () => {
    expect(await publish(header({}), 'whole')).to.include({ modelType: 'tensor' });
    expect(await publish(envelopeOf(echo()), 'typed')).to.include({ modelType: 'tabular-regressor' });
  });

  it('has stored nothing', async () => {
    const { items } = await process().graphs.client.listVersions({});
    expect([...new Set(items.map((item) => item.model))].sort()).to.deep.equal(['good', 'typed', 'whole']);
  });

  it('leaves the server as it was', () => expectSameProcess(process()));
});
