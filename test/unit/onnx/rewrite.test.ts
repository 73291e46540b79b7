import { expect } from 'chai';
import fc from 'fast-check';
import { ParleyError } from '#parley/errors.js';
import { DATA_TYPES, type DataType, type Tensor } from '#parley/model/tensor.js';
import { classNames, writtenClasses } from '#parley/onnx/class-names.js';
import { fieldsOf, integersOf } from '#parley/onnx/fields.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { ELEMENT_TYPES } from '#parley/onnx/proto.js';
import { inspectGraph, readGraph } from '#parley/onnx/reader.js';
import { numberLabels, openInputs, openRows } from '#parley/onnx/rewrite.js';
import { storedTensor } from '#parley/onnx/stored-tensor.js';
import { dropZipMaps } from '#parley/onnx/zip-map.js';
import { wrapGraph } from '#parley/registry/pipeline/wrap-graph.js';
import { runDirectly, someValues } from '../../graphs/world.js';
import { message, model, tensorType, value } from './wire.js';

const int64s = (...values: (number | bigint)[]): Tensor => ({
  dataType: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

describe('the fields of a protocol buffer', () => {
  it('put together again are the message, whatever they are', () => {
    const bytes = message([1, 'a'], [2, 300], [99, 'unknown'], [2, -1]);
    const fields = [...fieldsOf(bytes)];
    expect(Buffer.concat(fields.map((field) => field.bytes))).to.deep.equal(Buffer.from(bytes));
    expect(fields.map(({ number, varint }) => [number, varint])).to.deep.equal([
      [1, 0n],
      [2, 300n],
      [99, 0n],
      [2, -1n],
    ]);
  });

  it('give whole numbers of any size, packed or not', () => {
    const apart = message([8, 5], [8, -7], [8, 2 ** 40]);
    const packed = message([8, Uint8Array.of(5, 0xac, 2)]);
    expect(integersOf(apart, 8)).to.deep.equal([5n, -7n, 2n ** 40n]);
    expect(integersOf(packed, 8)).to.deep.equal([5n, 300n]);
  });

  it('end where the bytes do', () => {
    for (const bytes of [[10, 5, 1], [8], [8, 255], [9, 1], [13, 1], [11], new Array<number>(12).fill(255)])
      expect(() => [...fieldsOf(Uint8Array.from(bytes))], String(bytes))
        .to.throw(ParleyError)
        .with.property('code', 'MODEL_BROKEN');
  });
});

describe('a stored tensor', () => {
  const bits = ({ data }: Tensor) => (Array.isArray(data) ? data : [...new Uint8Array(data.buffer)]);
  const stored = (dataType: DataType, ...fields: (readonly [number, Uint8Array | number])[]) =>
    storedTensor(message([1, 2], [2, ELEMENT_TYPES[dataType]], ...fields));

  it('has the values of its raw bytes, of every type', () => {
    for (const type of Object.keys(DATA_TYPES) as DataType[]) {
      const tensor = someValues(type, [2]);
      const fields = Array.isArray(tensor.data)
        ? tensor.data.map((text) => [6, new TextEncoder().encode(text)] as const)
        : [[9, new Uint8Array(tensor.data.buffer)] as const];
      expect(stored(type, ...fields), type).to.deep.equal(tensor);
    }
  });

  it("has the values of its type's list where there are no raw bytes", () => {
    const bytes = (data: { buffer: ArrayBufferLike }) => new Uint8Array(data.buffer);
    const one: readonly (readonly [DataType, Tensor['data'], ...(readonly [number, Uint8Array | number])[]])[] = [
      ['float32', Float32Array.of(1.5, -2), [4, bytes(Float32Array.of(1.5, -2))]],
      ['float64', Float64Array.of(1.5, -2), [10, bytes(Float64Array.of(1.5, -2))]],
      ['int8', Int8Array.of(1, -2), [5, 1], [5, -2]],
      ['int16', Int16Array.of(1, -2), [5, 1], [5, -2]],
      ['int32', Int32Array.of(1, -2), [5, 1], [5, -2]],
      ['int64', BigInt64Array.of(1n, -2n), [7, 1], [7, -2]],
      ['uint8', Uint8Array.of(1, 255), [5, 1], [5, 255]],
      ['uint16', Uint16Array.of(1, 65535), [5, 1], [5, 65535]],
      ['uint32', Uint32Array.of(1, 2 ** 32 - 1), [11, 1], [11, 2 ** 32 - 1]],
      ['uint64', BigUint64Array.of(1n, 2n ** 40n), [11, 1], [11, 2 ** 40]],
      ['bool', Uint8Array.of(1, 0), [5, 1], [5, 0]],
      ['float16', Uint16Array.of(0x3c00, 0), [5, 0x3c00], [5, 0]],
    ];
    for (const [type, data, ...fields] of one)
      expect(bits(stored(type, ...fields)), type).to.deep.equal(bits({ dataType: type, shape: [2], data }));
  });

  it('has as many values as its shape says', () => {
    for (const [type, field] of [
      ['float32', [9, Uint8Array.of(1, 2, 3, 4)]],
      ['int64', [7, 3]],
      ['string', [6, Uint8Array.of(65)]],
    ] as const)
      expect(() => stored(type, field), type).to.throw(ParleyError, 'has 1 values for the shape (2)');
    expect(() => storedTensor(message([1, 1], [2, 16], [9, Uint8Array.of(0, 0)]))).to.throw(
      ParleyError,
      'element type number 16',
    );
  });
});

describe('the classes of a graph', () => {
  function labelled(build: (graph: GraphBuilder, column: string) => string, type: DataType = 'string'): Uint8Array {
    const graph = new GraphBuilder();
    const column = graph.node('ArgMax', [graph.input('p', 'float32', [-1, 3])], { axis: 1, keepdims: 0 });
    graph.output('label', build(graph, column), type, [-1]);
    return graph.serialize();
  }

  it('are what a LabelEncoder makes of the columns, in their order', () => {
    const encoder = { keys_int64s: { ints: [2, 0, 1] }, values_strings: { strings: ['c', 'a', 'b'] } };
    const graph = labelled((graph, column) => graph.node('LabelEncoder', [column], encoder, 'ai.onnx.ml'));
    expect(classNames(graph, 'label')).to.deep.equal(['a', 'b', 'c']);
  });

  it('are not what a LabelEncoder makes of something else than columns', () => {
    const encoder = { keys_int64s: { ints: [10, 20] }, values_strings: { strings: ['c', 'a'] } };
    const graph = labelled((graph, column) => graph.node('LabelEncoder', [column], encoder, 'ai.onnx.ml'));
    expect(classNames(graph, 'label')).to.equal(undefined);
  });

  it('are the list from which a label is chosen, as text or as numbers', () => {
    const chosen = (names: Tensor) =>
      labelled((graph, column) => {
        const label = graph.node('ArrayFeatureExtractor', [graph.constant('names', names), column], {}, 'ai.onnx.ml');
        return graph.node('Reshape', [label, graph.constant('flat', int64s(-1))]);
      }, names.dataType);
    const texts: Tensor = { dataType: 'string', shape: [3], data: ['x', 'y', 'z'] };
    expect(classNames(chosen(texts), 'label')).to.deep.equal(['x', 'y', 'z']);
    expect(classNames(chosen(int64s(7, -1, 3)), 'label')).to.deep.equal([7n, -1n, 3n]);
  });

  it('are not known where nothing says them', () => {
    expect(
      classNames(
        labelled((graph, column) => graph.node('Identity', [column])),
        'label',
      ),
    ).to.equal(undefined);
  });

  it('are read from metadata as JSON or with commas', () => {
    expect(writtenClasses({ classes: '["a, b", "c"]' })).to.deep.equal(['a, b', 'c']);
    expect(writtenClasses({ classes: ' a , b' })).to.deep.equal(['a', 'b']);
    expect(writtenClasses({ classes: '' })).to.equal(undefined);
    expect(writtenClasses({})).to.equal(undefined);
  });
});

describe('a rewritten graph', () => {
  /** Its unknown field must stay, and what stands in front of and behind the graph. */
  const withMore = (bytes: Uint8Array) =>
    Buffer.concat([bytes, message([14, message([1, 'k'], [2, 'v'])], [77, 'odd'])]);

  it('numbers its labels instead of calling them, also for who reads them inside', async () => {
    const graph = new GraphBuilder();
    const label = graph.node('Identity', [graph.input('x', 'int64', [-1])]);
    graph.output('twice', graph.node('Add', [label, label]), 'int64', [-1]);
    graph.output('label', label, 'int64', [-1]);
    const numbered = numberLabels(withMore(graph.serialize()), 'label', [10n, -30n, 20n]);
    const answers = await runDirectly(numbered, { x: int64s(20, 10, -30) });
    expect(answers.label.data).to.deep.equal(BigInt64Array.of(2n, 0n, 1n));
    expect(answers.twice.data).to.deep.equal(BigInt64Array.of(40n, 20n, -60n));
    expect(Buffer.from(numbered).includes('odd')).to.equal(true);
    expect(readGraph(numbered).metadata).to.deep.equal({ k: 'v' });
  });

  it('takes an input whose value it held, and gives that value', async () => {
    const graph = new GraphBuilder();
    const held: Tensor = { dataType: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const names = [graph.input('x', 'float32', [2]), graph.input('w', 'float32', [2], held)];
    graph.output('y', graph.node('Add', names), 'float32', [2]);
    const bytes = graph.serialize();
    expect(readGraph(bytes).optionalInputs).to.deep.equal(['w']);
    const opened = openInputs(bytes, ['w']);
    expect([...opened.defaults]).to.deep.equal([['w', held]]);
    expect(inspectGraph(opened.graph).signature.inputs.map(({ name }) => name)).to.deep.equal(['x', 'w']);
    const two: Tensor = { dataType: 'float32', shape: [2], data: Float32Array.of(5, 6) };
    expect((await runDirectly(opened.graph, { x: held, w: two })).y.data).to.deep.equal(Float32Array.of(6, 8));
    expect(() => openInputs(bytes, ['v'])).to.throw(ParleyError, 'no value for its optional input "v"');
  });

  it('keeps the weights that old exporters list as inputs', () => {
    const listed = (count: number, size: number, irVersion = 8) => {
      const weight = (name: string) => message([1, size], [2, 1], [8, name], [9, new Uint8Array(size * 4)]);
      const names = Array.from({ length: count }, (_, index) => `w${index}`);
      const graph = message(
        [1, message([1, 'x'], [2, 'y'], [4, 'Relu'])],
        [2, 'g'],
        ...names.map((name) => [5, weight(name)] as const),
        ...names.map((name) => [11, value(name, tensorType(1, [size]))] as const),
        [11, value('x', tensorType(1, [2]))],
        [12, value('y', tensorType(1, [2]))],
      );
      return readGraph(message([1, irVersion], [7, graph], [8, message([1, ''], [2, 17])])).optionalInputs.length;
    };
    expect(listed(16, 10)).to.equal(16);
    expect(listed(17, 10)).to.equal(0);
    expect(listed(1, 65_537)).to.equal(0);
    expect(listed(1, 10, 3)).to.equal(0);
  });

  it('has open rows where its exporter declared one', () => {
    const bytes = model({ output: value('y', tensorType(1, [1, 4])) });
    expect(inspectGraph(openRows(bytes, 'y')).signature.outputs[0].shape).to.deep.equal([-1, 4]);
    expect(openRows(bytes, 'z')).to.deep.equal(bytes);
  });

  it('is the same bytes where there is no ZipMap', () => {
    const bytes = model();
    expect(dropZipMaps(bytes)).to.deep.equal({ graph: bytes, classes: [] });
  });

  it('is wrapped into the same artifact each time', () => {
    expect(wrapGraph(model(), {})).to.deep.equal(wrapGraph(model(), {}));
  });

  it('numbers the label that has the name, whatever else is of its type', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [-1, 2]);
    const classifier = {
      classlabels_ints: { ints: [1, 2] },
      coefficients: { floats: [1, -1, -1, 1] },
      intercepts: { floats: [0, 0] },
      multi_class: 0,
      post_transform: 'SOFTMAX',
    };
    const [label, scores] = graph.nodes('LinearClassifier', [x], 2, classifier, 'ai.onnx.ml');
    graph.output('largest', graph.node('ArgMax', [x], { axis: 1, keepdims: 0 }), 'int64', [-1]);
    graph.output('label', label!, 'int64', [-1]);
    graph.output('probabilities', scores!, 'float32', [-1, 2]);
    const wrapped = wrapGraph(graph.serialize(), { modelType: 'tabular-classifier' });
    expect(wrapped.metadata.classes).to.deep.equal(['1', '2']);
    const rows: Tensor = { dataType: 'float32', shape: [2, 2], data: Float32Array.of(9, 0, 0, 9) };
    const answers = await runDirectly(wrapped.graph, { x: rows });
    expect(answers.label.data).to.deep.equal(BigInt64Array.of(0n, 1n));
    expect(answers.largest.data).to.deep.equal(BigInt64Array.of(0n, 1n));
  });

  it('answers random and damaged bytes with a ParleyError or an artifact, and nothing else', () => {
    const graph = new GraphBuilder();
    const held: Tensor = { dataType: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const names = [graph.input('x', 'float32', [-1, 2]), graph.input('w', 'float32', [2], held)];
    graph.output('label', graph.node('ArgMax', [graph.node('Add', names)], { axis: 1, keepdims: 0 }), 'int64', [-1]);
    const whole = graph.serialize({ classes: 'a,b' });
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged),
        fc.constantFrom(undefined, 'tensor', 'tabular-classifier', 'tabular-regressor'),
        (bytes, modelType) => {
          try {
            wrapGraph(bytes, { modelType });
          } catch (error) {
            expect(error).to.be.instanceOf(ParleyError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
