import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Artifact } from '#parley/model/trained.js';
import { decodeEnvelope, digestOf, encodeEnvelope, encodeHeader } from '#parley/model-types/envelope.js';
import { deserialize, modelTypeOf, modelTypes } from '#parley/model-types/table.js';
import { decider } from '#parley/model-types/tabular-classifier/runtime.js';
import { useGraphWorld } from '../graphs/world.js';
import { conforms } from './conformance.js';
import { type Metadata, samples } from './samples.js';

const names = Object.keys(modelTypes);

describe('every model type', function () {
  this.timeout(30_000);
  const world = useGraphWorld();
  for (const [i, name] of names.entries())
    conforms(modelTypes[name], names[(i + 1) % names.length], samples[name], world);
});

/** What an envelope is made of, whatever its type allows. */
const artifactOf = (modelType: string, metadata: Metadata): Artifact => ({
  modelType,
  graph: Uint8Array.of(8, 8, 0, 255, 10),
  signature: {
    inputs: [{ name: 'x', dataType: 'float64', shape: [-1, 1] }],
    outputs: [{ name: 'y', dataType: 'float32', shape: [-1, 3] }],
  },
  metadata,
});

describe('the envelope', () => {
  const artifact = artifactOf('tabular-regressor', { unit: 'mm' });

  it('has the bytes that its description says', () => {
    const bytes = Buffer.from(encodeEnvelope(artifact));
    const header = bytes.readUInt32BE(8);
    expect(bytes.subarray(0, 8).toString()).to.equal('PARLEY1\n');
    // MessagePack: a map of four (0x84), whose first key is a string of ten (0xaa).
    expect(bytes.subarray(12, 24)).to.deep.equal(Buffer.concat([Buffer.of(0x84, 0xaa), Buffer.from('model_type')]));
    expect(bytes.subarray(12 + header)).to.deep.equal(Buffer.from(artifact.graph));
    // Of the same artifact, by Python's msgpack, struct and hashlib.
    expect(digestOf(bytes)).to.equal('90fd56057de1e8f52cc1b4cea902b9d87ecdcc3b998b45e4175d663e59e75aa5');
  });

  it('does not depend on the order in which anything was put together', () => {
    const metadata = { b: { d: [1, { y: 1, x: null }], c: 'é' }, a: 0.1 };
    const shuffled = { a: 0.1, b: { c: 'é', d: [1, { x: null, y: 1 }] } };
    expect(encodeEnvelope({ ...artifact, metadata })).to.deep.equal(
      encodeEnvelope({ ...artifact, metadata: shuffled }),
    );
    const spec = { shape: [-1, 1], dataType: 'float64', name: 'x' } as const;
    const signature = { outputs: artifact.signature.outputs, inputs: [spec] };
    expect(encodeEnvelope({ ...artifact, signature })).to.deep.equal(encodeEnvelope(artifact));
  });

  it('keeps numbers, large and small, and reads from the middle of a buffer', () => {
    const metadata = { numbers: [0, -1, 0.1, 1e300, 2 ** 40, -(2 ** 33), 65536, 5e-324] };
    const bytes = encodeEnvelope({ ...artifact, metadata });
    const inside = new Uint8Array(bytes.length + 7);
    inside.set(bytes, 5);
    const read = decodeEnvelope(inside.subarray(5, 5 + bytes.length));
    expect(read.metadata).to.deep.equal(metadata);
    expect([...read.graph]).to.deep.equal([...artifact.graph]);
  });

  it('takes an empty graph and a large one', () => {
    for (const length of [0, 1 << 20]) {
      const graph = new Uint8Array(length).fill(3);
      expect(decodeEnvelope(encodeEnvelope({ ...artifact, graph })).graph).to.deep.equal(graph);
    }
  });

  it('holds a graph of more bytes than fit into 31 bits', () => {
    // Never touched, so never there.
    const graph = Buffer.allocUnsafeSlow(2 ** 31 + 100),
      header = encodeHeader({ ...artifact, graph });
    const bytes = Buffer.allocUnsafeSlow(header.length + graph.length);
    bytes.set(header);
    expect(decodeEnvelope(bytes).graph.length).to.equal(graph.length);
    expect(() => decodeEnvelope(bytes.subarray(0, -1))).to.throw(
      ParleyError,
      `a graph of ${2 ** 31 + 100} bytes, and ${2 ** 31 + 99} are there`,
    );
  });

  it('keeps nothing but JSON values', () => {
    for (const value of [new Date(0), Number.NaN, 1n, () => 1, new Uint8Array(1), Number.POSITIVE_INFINITY]) {
      expect(() => encodeEnvelope({ ...artifact, metadata: { value } })).to.throw(ParleyError, 'metadata.value');
    }
  });

  it('says what is wrong with bytes that are none', () => {
    const whole = Buffer.from(encodeEnvelope(artifact));
    const length = whole.readUInt32BE(8);
    const headerless = Buffer.from(whole);
    headerless.fill(0xc1, 12, 12 + length);
    const mistyped = Buffer.from(whole);
    mistyped.write('modal_type', 14);
    for (const [bytes, text] of [
      [Buffer.from('{"model":1}'), '11 bytes that do not begin with PARLEY1'],
      [whole.subarray(0, 10), 'cut short: 10 bytes'],
      [whole.subarray(0, 20), `cut short: a header to byte ${12 + length} in 20 bytes`],
      [whole.subarray(0, -1), 'cut short: a graph of 5 bytes, and 4 are there'],
      [headerless, 'header is not MessagePack'],
      [mistyped, 'modal_type'],
    ] as const) {
      expect(() => decodeEnvelope(bytes))
        .to.throw(ParleyError, text)
        .with.property('code', 'MODEL_BROKEN');
    }
  });
});

describe('the table of model types', () => {
  it('names each type as it names itself', () => {
    expect(names).to.deep.equal([
      'tabular-classifier',
      'tabular-regressor',
      'text-classifier',
      'image-classifier',
      'forecaster',
      'tensor',
      'ensemble',
    ]);
    expect(Object.keys(samples)).to.deep.equal(names);
    for (const [name, type] of Object.entries(modelTypes)) expect(type.name).to.equal(name);
    expect(modelTypeOf('tabular-regressor')).to.equal(modelTypes['tabular-regressor']);
  });

  it('reads an envelope by the type that it names, and checks it by that type', () => {
    const artifact = artifactOf('tabular-regressor', {});
    expect(deserialize(encodeEnvelope(artifact))).to.deep.equal(artifact);
    expect(() => deserialize(encodeEnvelope(artifactOf('tabular-classifier', {})))).to.throw(ParleyError, 'classes');
  });

  it('names the outputs of the types whose outputs have a meaning', () => {
    expect(Object.keys(modelTypes['tabular-classifier'].defaultOutputs)).to.deep.equal(['label', 'probabilities']);
    expect(Object.keys(modelTypes['tabular-regressor'].defaultOutputs)).to.deep.equal(['value']);
    expect(Object.keys(modelTypes.forecaster.defaultOutputs)).to.deep.equal(['value']);
    expect(modelTypes.tensor.defaultOutputs).to.deep.equal({});
  });

  it('says that it does not know a type', () => {
    for (const name of ['oracle', 'toString']) {
      expect(() => deserialize(encodeEnvelope(artifactOf(name, {}))))
        .to.throw(ParleyError, `no model type "${name}"`)
        .with.property('code', 'UNSUPPORTED');
    }
  });
});

describe("a classifier's decision", () => {
  const matrix = Float32Array.of(0.2, 0.8, 0.5, 0.5, 0.9, 0.1, Number.NaN, 0.5);

  const decisions = (metadata: Parameters<typeof decider>[0]) =>
    [0, 1, 2, 3].map((row) => decider(metadata)(matrix, row));

  it('is the likelier class, of equally likely ones the first, and none for NaN', () => {
    expect(decisions({ classes: ['no', 'yes'] })).to.deep.equal([1, 0, 0, -1]);
    expect(decider({ classes: ['a', 'b', 'c'] })(Float32Array.of(0, 0, 0, 0.2, 0.3, 0.5), 1)).to.equal(2);
  });

  it('is the positive class from the threshold on', () => {
    const classes = ['no', 'yes'];
    expect(decisions({ classes, positive: 'yes', threshold: 0.5 })).to.deep.equal([1, 1, 0, 1]);
    expect(decisions({ classes, positive: 'no', threshold: 0.3 })).to.deep.equal([1, 0, 0, -1]);
    expect(decisions({ classes, positive: 'no', threshold: 0.95 })).to.deep.equal([1, 1, 1, -1]);
  });
});
