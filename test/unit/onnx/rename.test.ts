import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Tensor } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { renameValues } from '#parley/onnx/rename.js';
import { runDirectly } from '../../graphs/world.js';

const scalar = (value: number): Tensor => ({ dataType: 'float32', shape: [1], data: Float32Array.of(value) });
const vector = (...values: number[]): Tensor => ({
  dataType: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const names = (pairs: Record<string, string>) => new Map(Object.entries(pairs));

/** y = a - 2 b, with an inner value called `inner`. */
function difference(): Uint8Array {
  const graph = new GraphBuilder();
  const [a, b] = [graph.input('a', 'float32', [-1]), graph.input('b', 'float32', [-1])];
  const twice = graph.node('Mul', [b, graph.constant('two', scalar(2))]);
  graph.output('y', graph.node('Sub', [a, twice]), 'float32', [-1]);
  graph.output('z', twice, 'float32', [-1]);
  return graph.serialize({ note: 'kept' });
}

/** y = x when c, else -x: both branches read x from around them. */
function branching(inner = 'then'): Uint8Array {
  const graph = new GraphBuilder();
  const [c, x] = [graph.input('c', 'bool', []), graph.input('x', 'float32', [-1])];
  const branch = (name: string, operator: string) => {
    const body = graph.subgraph();
    body.output(name, body.node(operator, [x]), 'float32', [-1]);
    return { graph: body };
  };
  const y = graph.node('If', [c], { then_branch: branch(inner, 'Identity'), else_branch: branch('else', 'Neg') });
  graph.output('y', y, 'float32', [-1]);
  return graph.serialize();
}

function refusalOf(act: () => unknown): ParleyError {
  try {
    act();
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
  throw new Error('it was renamed');
}

describe('renameValues', () => {
  it('calls inputs and outputs otherwise, and computes the same', async () => {
    const graph = renameValues(difference(), names({ a: 'bill.length_mm', y: 'label' }));
    expect(inspectGraph(graph).signature.inputs.map(({ name }) => name)).to.deep.equal(['bill.length_mm', 'b']);
    const results = await runDirectly(graph, { 'bill.length_mm': vector(7), b: vector(1) });
    expect(results.label!.data).to.deep.equal(Float32Array.of(5));
  });

  it('lets names change places', async () => {
    const graph = renameValues(difference(), names({ a: 'b', b: 'a', y: 'z', z: 'y' }));
    const { y, z } = await runDirectly(graph, { a: vector(1), b: vector(7) });
    expect([y!.data[0], z!.data[0]]).to.deep.equal([2, 5]);
  });

  it('finds what branches read from around them', async () => {
    const graph = renameValues(branching(), names({ x: 'value' }));
    const c = (value: number): Tensor => ({ dataType: 'bool', shape: [], data: Uint8Array.of(value) });
    for (const [value, expected] of [
      [1, 3],
      [0, -3],
    ] as const) {
      expect((await runDirectly(graph, { c: c(value), value: vector(3) })).y!.data[0]).to.equal(expected);
    }
  });

  it('moves an output that has the name aside', async () => {
    const graph = renameValues(difference(), names({ z: 'y' }));
    const { outputs } = inspectGraph(graph).signature;
    expect(outputs.map(({ name }) => name)).to.deep.equal(['y/1', 'y']);
    expect((await runDirectly(graph, { a: vector(7), b: vector(1) })).y!.data).to.deep.equal(Float32Array.of(2));
  });

  it('is the same bytes for the same names, and where nothing is renamed', () => {
    expect(renameValues(difference(), names({ a: 'x' }))).to.deep.equal(renameValues(difference(), names({ a: 'x' })));
    expect(renameValues(difference(), names({ a: 'a' }))).to.deep.equal(difference());
  });

  it('comes back to the very bytes when names are given back', () => {
    const there = renameValues(difference(), names({ a: 'elsewhere', y: 'answer' }));
    expect(renameValues(there, names({ elsewhere: 'a', answer: 'y' }))).to.deep.equal(difference());
  });

  const refused: readonly (readonly [string, Uint8Array, Record<string, string>, RegExp])[] = [
    ['two values of one name', difference(), { a: 'x', b: 'x' }, /two values of the graph would be called "x"/],
    ['the name of another input', difference(), { a: 'b' }, /another input called "b", which is not mapped/],
    ['a name that a branch has inside', branching('inside'), { x: 'inside' }, /a branch or loop .* called "inside"/],
  ];
  for (const [what, graph, wanted, message] of refused) {
    it(`refuses ${what}`, () => {
      const error = refusalOf(() => renameValues(graph, names(wanted)));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.match(message);
    });
  }
});
