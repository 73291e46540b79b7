/** Whether a version's rows are batched is found out when it is loaded. */
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Tensor } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { digestOf, encodeEnvelope } from '#parley/model-types/envelope.js';
import { deserialize } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Servable } from '#parley/serving/servable.js';

const constant = (...values: number[]): Tensor => ({
  dataType: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

async function reasonOf(build: (graph: GraphBuilder) => void, modelType = 'tensor'): Promise<string | undefined> {
  const builder = new GraphBuilder();
  build(builder);
  const graph = builder.serialize();
  const artifact: Artifact = { modelType, graph, signature: inspectGraph(graph).signature, metadata: {} };
  const envelope = encodeEnvelope(artifact);
  const servable = await Servable.of('m', digestOf(envelope), deserialize(envelope), new Batcher());
  servable.release();
  expect(servable.batchable).to.equal(servable.unbatchable === undefined);
  return servable.unbatchable;
}

const unary =
  (operator: string, attributes = {}, shape = [-1, 3], out = shape) =>
  (graph: GraphBuilder) =>
    graph.output('y', graph.node(operator, [graph.input('x', 'float32', shape)], attributes), 'float32', out);

describe('rows', () => {
  it('are batched where each is answered for itself', async () => {
    expect(await reasonOf(unary('Softmax', { axis: 1 }))).to.equal(undefined);
    expect(await reasonOf(unary('Relu', {}, [-1]))).to.equal(undefined);
    const gathers = (graph: GraphBuilder) =>
      graph.output(
        'y',
        graph.node('Gather', [graph.constant('table', constant(5, 6)), graph.input('i', 'int64', [-1, 4])]),
        'float32',
        [-1, 4],
      );
    expect(await reasonOf(gathers)).to.equal(undefined);
  });

  it('are not batched where they influence each other', async () => {
    const alone = /answers a row otherwise alone than among others/;
    expect(await reasonOf(unary('Softmax', { axis: 0 }))).to.match(alone);
    expect(await reasonOf(unary('LpNormalization', { axis: 0 }))).to.match(alone);
    expect(await reasonOf(unary('RandomUniformLike'))).to.match(alone);
  });

  it('are not batched where the answers are not rows', async () => {
    expect(await reasonOf(unary('ReduceSum', { keepdims: 0 }, [-1, 3], []))).to.match(/first extent must be the rows/);
    expect(await reasonOf(unary('Transpose', {}, [-1, 2], [2, -1]))).to.match(/has the shape|otherwise alone/);
  });

  it('are not batched where an extent that they need is open or fixed', async () => {
    expect(await reasonOf(unary('Relu', {}, [-1, -1]))).to.match(/first extent is open and the others are fixed/);
    expect(await reasonOf(unary('Relu', {}, [2, 3]))).to.match(/first extent is open and the others are fixed/);
    expect(await reasonOf(unary('Relu', {}, []))).to.match(/first extent is open and the others are fixed/);
  });

  it('are not batched where there are no inputs', async () => {
    const nothing = (graph: GraphBuilder) => graph.output('y', graph.constant('c', constant(1, 2)), 'float32', [2]);
    expect(await reasonOf(nothing)).to.match(/no inputs/);
  });

  it('must be batched by the types that typed services are answered by', async () => {
    // But for lists of any length, which run a row at a time.
    expect(await reasonOf(unary('Relu', {}, [-1, -1]), 'tabular-regressor')).to.match(/lists of any length/);
    const loading = reasonOf(unary('Relu', {}, [2, 3]), 'tabular-regressor');
    const error = await loading.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(ParleyError).with.property('code', 'MODEL_BROKEN');
  });
});
