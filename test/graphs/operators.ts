/** Graphs of one operator, for any element type, and what they are asked. */
import type { DataType, Tensor } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { someValues, type Tensors } from './world.js';

export interface OperatorCase {
  readonly graph: Uint8Array;
  readonly inputs: Tensors;
  /** The same computation for the runtime, where it cannot be given this graph's inputs as they are. */
  readonly reference?: { readonly graph: Uint8Array; readonly inputs: Tensors };
}

type MakeCase = (type: DataType) => OperatorCase;

const int64s = (...values: number[]): Tensor => ({
  dataType: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

function oneOperator(
  shapes: readonly (readonly number[])[],
  given: readonly (readonly number[])[],
  build: (graph: GraphBuilder, inputs: readonly string[], type: DataType) => void,
): MakeCase {
  return (type) => {
    const graph = new GraphBuilder();
    const names = shapes.map((shape, index) => graph.input(`x${index}`, type, shape));
    build(graph, names, type);
    return {
      graph: graph.serialize(),
      inputs: Object.fromEntries(names.map((name, index) => [name, someValues(type, given[index])])),
    };
  };
}

/** By what is special about them. */
export const OPERATORS: Readonly<Record<string, MakeCase>> = {
  'Identity of rows': oneOperator([[-1, 2]], [[3, 2]], (graph, [x], type) =>
    graph.output('y', graph.node('Identity', [x]), type, [-1, 2]),
  ),
  'Identity of a scalar': oneOperator([[]], [[]], (graph, [x], type) =>
    graph.output('y', graph.node('Identity', [x]), type, []),
  ),
  'Identity of a fixed shape': oneOperator([[2, 3]], [[2, 3]], (graph, [x], type) =>
    graph.output('y', graph.node('Identity', [x]), type, [2, 3]),
  ),
  'Identity of nothing': oneOperator([[-1, -1]], [[0, 4]], (graph, [x], type) =>
    graph.output('y', graph.node('Identity', [x]), type, [-1, -1]),
  ),
  'Transpose of open extents': oneOperator([[-1, -1]], [[2, 3]], (graph, [x], type) =>
    graph.output('y', graph.node('Transpose', [x]), type, [-1, -1]),
  ),
  'Concat along the rows': oneOperator(
    [
      [-1, 2],
      [-1, 2],
    ],
    [
      [2, 2],
      [1, 2],
    ],
    (graph, inputs, type) => graph.output('y', graph.node('Concat', inputs, { axis: 0 }), type, [-1, 2]),
  ),
  'Split into several outputs': oneOperator([[-1, 4]], [[2, 4]], (graph, [x], type) => {
    const [a, b] = graph.nodes('Split', [x, graph.constant('sizes', int64s(1, 3))], 2, { axis: 1 });
    graph.output('first', a, type, [-1, 1]);
    graph.output('rest', b, type, [-1, 3]);
  }),
  'Slice to nothing': oneOperator([[-1, 4]], [[2, 4]], (graph, [x], type) => {
    const at = (name: string, value: number) => graph.constant(name, int64s(value));
    graph.output('y', graph.node('Slice', [x, at('from', 2), at('to', 2), at('axis', 1)]), type, [-1, 0]);
  }),
  'Equal to itself': oneOperator([[-1]], [[3]], (graph, [x]) =>
    graph.output('y', graph.node('Equal', [x, x]), 'bool', [-1]),
  ),
  'Shape of a tensor': oneOperator([[-1, -1, 2]], [[3, 1, 2]], (graph, [x]) =>
    graph.output('y', graph.node('Shape', [x]), 'int64', [3]),
  ),
  'NonZero places': oneOperator([[-1]], [[4]], (graph, [x]) =>
    graph.output('y', graph.node('NonZero', [x]), 'int64', [1, -1]),
  ),
  'Size as a scalar': oneOperator([[-1, 2]], [[3, 2]], (graph, [x]) =>
    graph.output('y', graph.node('Size', [x]), 'int64', []),
  ),
  'If with a branch for each answer': (type) => {
    const graph = new GraphBuilder();
    const [choose, x] = [graph.input('choose', 'bool', []), graph.input('x', type, [-1])];
    const branch = (values: readonly string[]) => {
      const inner = graph.subgraph();
      inner.output(`chosen${values.length}`, inner.node('Concat', values, { axis: 0 }), type, [-1]);
      return { graph: inner };
    };
    const chosen = graph.node('If', [choose], { then_branch: branch([x, x]), else_branch: branch([x]) });
    graph.output('y', chosen, type, [-1]);
    const yes: Tensor = { dataType: 'bool', shape: [], data: Uint8Array.of(1) };
    return { graph: graph.serialize(), inputs: { choose: yes, x: someValues(type, [2]) } };
  },
  'Concat with an input that is left out': (type) => optional(type, false),
  'Concat with an input that may be left out': (type) => optional(type, true),
};

/** Its second input has values in the graph; the runtime is asked with all of them given. */
function optional(type: DataType, given: boolean): OperatorCase {
  const value = someValues(type, [2]),
    x = someValues(type, [3]),
    other = someValues(type, [1]);
  const build = (held?: Tensor) => {
    const graph = new GraphBuilder();
    const names = [graph.input('x', type, [-1]), graph.input('more', type, [held === undefined ? -1 : 2], held)];
    graph.output('y', graph.node('Concat', names, { axis: 0 }), type, [-1]);
    return graph.serialize();
  };
  const more: Tensor = { dataType: type, shape: [2], data: doubled(other) };
  return {
    graph: build(value),
    inputs: given ? { x, more } : { x },
    reference: { graph: build(), inputs: { x, more: given ? more : value } },
  };
}

/** One value, twice. */
function doubled({ data }: Tensor): Tensor['data'] {
  if (Array.isArray(data)) return [data[0], data[0]];
  const two = new (data.constructor as new (length: number) => Uint8Array)(2);
  return two.fill((data as Uint8Array)[0]);
}
