import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Tensor, TensorData } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph, readGraph } from '#parley/onnx/reader.js';
import { furthest, runGraph } from './session.js';

const float32 = (values: number[], shape: number[]): Tensor => ({
  dataType: 'float32',
  shape,
  data: Float32Array.from(values),
});

/** y = softmax(x · w + b) for two columns. */
function softmaxGraph(): GraphBuilder {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float32', [-1, 2]);
  const weights = graph.constant('weights', float32([1, -2, 0.5, 3], [2, 2]));
  const bias = graph.constant('bias', float32([0.25, -0.25], [2]));
  graph.output('y', graph.node('Softmax', [graph.node('Gemm', [x, weights, bias])], { axis: 1 }), 'float32', [-1, 2]);
  return graph;
}

describe('the graph writer', () => {
  it('makes a graph that the runtime loads and answers as the arithmetic says', async () => {
    const { y } = await runGraph(softmaxGraph().serialize(), { x: Float32Array.of(1, 2, -1, 0) }, { x: 2 });
    const logits = [
      [2.25, 3.75],
      [-0.75, 1.75],
    ];
    const expected = logits.flatMap(([a, b]) => [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))]);
    expect(y.dims).to.deep.equal([2, 2]);
    expect(furthest(y.data as Float32Array, expected)).to.be.below(1e-6);
  });

  it('makes the same bytes from the same calls', () => {
    const metadata = { b: '2', a: '1' };
    const reversed = { a: '1', b: '2' };
    expect(softmaxGraph().serialize(metadata)).to.deep.equal(softmaxGraph().serialize(reversed));
  });

  it('makes the same bytes when it serializes twice', () => {
    const graph = softmaxGraph();
    expect(graph.serialize()).to.deep.equal(graph.serialize());
  });

  it('imports only the operator sets that its nodes use', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'string', [-1, 1]);
    const attributes = { cats_strings: { strings: ['a', 'b'] }, zeros: 1 };
    graph.output('y', graph.node('OneHotEncoder', [x], attributes, 'ai.onnx.ml'), 'float32', [-1, 1, 2]);
    expect(readGraph(graph.serialize()).opsets).to.deep.equal({ 'ai.onnx.ml': 3 });
    expect(readGraph(softmaxGraph().serialize()).opsets).to.deep.equal({ '': 17 });
  });

  it('says who made the graph, and in which format', () => {
    const summary = readGraph(softmaxGraph().serialize({ note: 'ü' }));
    expect(summary.producer).to.equal('parley');
    expect(summary.irVersion).to.equal(8);
    expect(summary.metadata).to.deep.equal({ note: 'ü' });
  });

  it('keeps every kind of constant, bit for bit', async () => {
    const kinds: [Tensor['dataType'], TensorData][] = [
      ['float32', Float32Array.of(1.5, Number.NaN, -0)],
      ['float64', Float64Array.of(Math.PI, 1e300, -1)],
      ['int8', Int8Array.of(-128, 0, 127)],
      ['int16', Int16Array.of(-32768, 0, 32767)],
      ['int32', Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
      ['int64', BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)],
      ['uint8', Uint8Array.of(0, 1, 255)],
      ['uint16', Uint16Array.of(0, 1, 65535)],
      ['uint32', Uint32Array.of(0, 1, 2 ** 32 - 1)],
      ['uint64', BigUint64Array.of(0n, 1n, 2n ** 64n - 1n)],
      ['bool', Uint8Array.of(0, 1, 1)],
      ['string', ['', 'Käse', '鳥']],
    ];
    for (const [dataType, data] of kinds) {
      const graph = new GraphBuilder();
      const x = graph.input('x', 'float64', [-1, 1]);
      graph.output('same', x, 'float64', [-1, 1]);
      graph.output('y', graph.constant('c', { dataType, shape: [3], data }), dataType, [3]);
      const { y } = await runGraph(graph.serialize(), { x: Float64Array.of(7) });
      expect(Array.from(y.data as ArrayLike<unknown>), dataType).to.deep.equal(Array.from(data as ArrayLike<unknown>));
    }
  });

  it('keeps a constant as it was when it was added', async () => {
    const graph = new GraphBuilder();
    const data = Float32Array.of(1, 2);
    const sum = graph.node('Add', [
      graph.input('x', 'float32', [-1, 2]),
      graph.constant('c', { dataType: 'float32', shape: [2], data }),
    ]);
    data.fill(9);
    graph.output('y', sum, 'float32', [-1, 2]);
    const { y } = await runGraph(graph.serialize(), { x: Float32Array.of(0, 0) }, { x: 2 });
    expect(y.data).to.deep.equal(Float32Array.of(1, 2));
  });

  it('names an output without a node of its own, also where other nodes read it before and after', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [-1, 2]);
    const twice = graph.node('Add', [x, x]);
    const before = graph.node('Neg', [twice]);
    graph.output('twice', twice, 'float32', [-1, 2]);
    const after = graph.node('Abs', [twice]);
    graph.output('before', before, 'float32', [-1, 2]);
    graph.output('after', after, 'float32', [-1, 2]);
    const bytes = graph.serialize();
    expect(readGraph(bytes).operators).to.deep.equal(['Abs', 'Add', 'Neg']);
    const answers = await runGraph(bytes, { x: Float32Array.of(-1, 3) }, { x: 2 });
    expect(answers.twice.data).to.deep.equal(Float32Array.of(-2, 6));
    expect(answers.before.data).to.deep.equal(Float32Array.of(2, -6));
    expect(answers.after.data).to.deep.equal(Float32Array.of(2, 6));
  });

  it('gives one value as two outputs', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [-1, 1]);
    const negative = graph.node('Neg', [x]);
    graph.output('a', negative, 'float32', [-1, 1]);
    graph.output('b', negative, 'float32', [-1, 1]);
    const { a, b } = await runGraph(graph.serialize(), { x: Float32Array.of(4) });
    expect([...(a.data as Float32Array), ...(b.data as Float32Array)]).to.deep.equal([-4, -4]);
  });

  it('writes each kind of attribute', async () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [-1, 2]);
    const scaled = graph.node('Scaler', [x], { offset: { floats: [1, 2] }, scale: { floats: [2, 3] } }, 'ai.onnx.ml');
    const leaky = graph.node('LeakyRelu', [scaled], { alpha: { float: 0.5 } });
    const fill = graph.node('Constant', [], { value: { tensor: float32([10], [1]) } });
    const transposed = graph.node('Transpose', [graph.node('Add', [leaky, fill])], { perm: { ints: [1, 0] } });
    graph.output('y', graph.node('Elu', [transposed], { alpha: { float: 1 } }), 'float32', [2, -1]);
    const { y } = await runGraph(graph.serialize(), { x: Float32Array.of(0, 4) }, { x: 2 });
    expect(y.dims).to.deep.equal([2, 1]);
    expect(y.data).to.deep.equal(Float32Array.of(9, 16));
  });

  it('refuses an output with the name of an input, and says which', () => {
    const graph = new GraphBuilder();
    const x = graph.input('value', 'float32', [-1, 1]);
    expect(() => graph.output('value', graph.node('Neg', [x]), 'float32', [-1, 1]))
      .to.throw(ParleyError, 'rename the field "value"')
      .with.property('code', 'INVALID_INPUT');
  });

  it('refuses mistakes of its caller', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [-1, 1]);
    expect(() => graph.input('x', 'float32', [-1, 1])).to.throw(ParleyError, 'name of another value');
    expect(() => graph.node('Neg', ['nothing'])).to.throw(ParleyError, 'no value "nothing"');
    expect(() => graph.node('Neg', [x], {}, 'org.example')).to.throw(ParleyError, 'unknown domain');
    expect(() => graph.node('Elu', [x], { alpha: 0.5 })).to.throw(ParleyError, 'not an integer');
    expect(() => graph.constant('c', float32([1, 2], [3]))).to.throw(ParleyError, '2 values for shape (3)');
    expect(() => graph.serialize()).to.throw(ParleyError, 'needs an output');
  });

  it('gives a signature that its own reader takes', () => {
    expect(inspectGraph(softmaxGraph().serialize()).signature).to.deep.equal({
      inputs: [{ name: 'x', dataType: 'float32', shape: [-1, 2] }],
      outputs: [{ name: 'y', dataType: 'float32', shape: [-1, 2] }],
    });
  });
});
