/** Small graphs for the real runtime, as envelopes, and contracts that they keep. */
import { parseContract } from '#parley/contract/parse.js';
import type { ContractRecord } from '#parley/model/store-port.js';
import type { DataType, Tensor, TensorSpec } from '#parley/model/tensor.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { deserialize, modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { Session } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Servable } from '#parley/serving/servable.js';

process.env.ORT_DISABLE_TELEMETRY = '1';

export const MODEL = 'scores';

export interface Made {
  readonly graph: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A graph of the inputs that `build` adds, all of shape (rows, 1). */
export function graphOf(
  inputs: Readonly<Record<string, DataType>>,
  build: (graph: GraphBuilder) => void,
  outputs: readonly TensorSpec[],
): Made {
  const graph = new GraphBuilder();
  const specs = Object.entries(inputs).map(([name, dataType]) => ({ name, dataType, shape: [-1, 1] }));
  for (const { name, dataType, shape } of specs) graph.input(name, dataType, shape);
  build(graph);
  return { graph: graph.serialize(), inputs: specs, outputs };
}

const scalar = (value: number): Tensor => ({ dataType: 'float64', shape: [1], data: Float64Array.of(value) });
const FLOAT32 = 1,
  INT64 = 7;

/** `value` is the sum of the fields and a constant; `weighted` counts the second field twice. */
export function summing(fields: readonly string[] = ['a', 'b'], bias = 0): Made {
  const outputs: TensorSpec[] = [
    { name: 'value', dataType: 'float32', shape: [-1, 1] },
    { name: 'weighted', dataType: 'float32', shape: [-1, 1] },
  ];
  return graphOf(
    Object.fromEntries(fields.map((name) => [name, 'float64' as const])),
    (graph) => {
      const sum = graph.node('Sum', [...fields, graph.constant('bias', scalar(bias))]);
      graph.output('value', graph.node('Cast', [sum], { to: FLOAT32 }), 'float32', [-1, 1]);
      const more = graph.node('Add', [sum, fields.at(-1)!]);
      graph.output('weighted', graph.node('Cast', [more], { to: FLOAT32 }), 'float32', [-1, 1]);
    },
    outputs,
  );
}

/** The sum of `a`, `b` and a constant, which is looked up in a table of 1 MiB. */
export function heavy(bias: number): Made {
  return graphOf(
    { a: 'float64', b: 'float64' },
    (graph) => {
      const data = new Float64Array(131_072).fill(bias);
      const table = graph.constant('table', { dataType: 'float64', shape: [data.length], data });
      const found = graph.node('Gather', [table, graph.node('Cast', ['a'], { to: INT64 })]);
      graph.output(
        'value',
        graph.node('Cast', [graph.node('Sum', ['a', 'b', found])], { to: FLOAT32 }),
        'float32',
        [-1, 1],
      );
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
  );
}

/** Looks `x` up among ten values, and fails for an `x` beyond them. */
export function lookup(): Made {
  return graphOf(
    { x: 'float64' },
    (graph) => {
      const table = graph.constant('table', {
        dataType: 'float32',
        shape: [10],
        data: Float32Array.from({ length: 10 }, (_, i) => i * 100),
      });
      const index = graph.node('Cast', ['x'], { to: INT64 });
      graph.output('value', graph.node('Gather', [table, index], { axis: 0 }), 'float32', [-1, 1]);
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
  );
}

/** Answers no row whose `x` is 10 or more. */
export function forgetful(): Made {
  return graphOf(
    { x: 'float64' },
    (graph) => {
      const few = graph.node('Less', ['x', graph.constant('ten', scalar(10))]);
      const one = graph.constant('one', { dataType: 'int64', shape: [1], data: BigInt64Array.of(-1n) });
      const rows = graph.node('Reshape', [few, one]);
      const kept = graph.node('Compress', ['x', rows], { axis: 0 });
      graph.output('value', graph.node('Cast', [kept], { to: FLOAT32 }), 'float32', [-1, 1]);
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
  );
}

/** Answers `width` times its `x`. */
export function broad(width: number): Made {
  return graphOf(
    { x: 'float64' },
    (graph) => {
      const shape = graph.constant('shape', {
        dataType: 'int64',
        shape: [2],
        data: BigInt64Array.of(1n, BigInt(width)),
      });
      const value = graph.node('Cast', ['x'], { to: FLOAT32 });
      graph.output('value', graph.node('Expand', [value, shape]), 'float32', [-1, width]);
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, width] }],
  );
}

/** Repeats its text. */
export function echo(): Made {
  return graphOf({ text: 'string' }, (graph) => graph.output('said', 'text', 'string', [-1, 1]), [
    { name: 'said', dataType: 'string', shape: [-1, 1] },
  ]);
}

/** Gives one answer, however many rows there are. */
export function summary(): Made {
  return graphOf(
    { a: 'float64', b: 'float64' },
    (graph) => {
      const sum = graph.node('Sum', ['a', 'b']);
      graph.output('value', graph.node('Cast', [sum], { to: FLOAT32 }), 'float32', [-1, 1]);
      const all = graph.node('ReduceSum', [sum], { keepdims: 0 });
      graph.output('total', graph.node('Cast', [all], { to: FLOAT32 }), 'float32', []);
    },
    [
      { name: 'value', dataType: 'float32', shape: [-1, 1] },
      { name: 'total', dataType: 'float32', shape: [] },
    ],
  );
}

/** Multiplies large matrices for minutes, inside the runtime. */
export function endless(): Made {
  const size = 4096;
  return graphOf(
    { a: 'float64', b: 'float64' },
    (graph) => {
      const sum = graph.node('Sum', ['a', 'b']);
      const first = graph.node('ReduceSum', [sum], { keepdims: 0 });
      const shape = graph.constant('shape', {
        dataType: 'int64',
        shape: [2],
        data: BigInt64Array.of(BigInt(size), BigInt(size)),
      });
      let matrix = graph.node('Expand', [first, shape]);
      for (let i = 0; i < 50; i++) matrix = graph.node('MatMul', [matrix, matrix]);
      const most = graph.node('ReduceMax', [matrix], { keepdims: 0 });
      const value = graph.node('Add', [sum, most]);
      graph.output('value', graph.node('Cast', [value], { to: FLOAT32 }), 'float32', [-1, 1]);
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
  );
}

export function envelopeOf({ graph, inputs, outputs }: Made): Uint8Array {
  return modelTypeOf('tabular-regressor').serialize({
    modelType: 'tabular-regressor',
    graph,
    signature: { inputs, outputs },
    metadata: {},
  });
}

export const sessionOn =
  (road: 'native' | 'public') =>
  (graph: Uint8Array): Promise<Session> =>
    Session.load(graph, road);

export function servableOf(made: Made, batcher = new Batcher(), loadSession?: (graph: Uint8Array) => Promise<Session>) {
  const envelope = envelopeOf(made);
  return Servable.of(MODEL, digestOf(envelope), deserialize(envelope), batcher, undefined, loadSession);
}

export interface ContractShape {
  readonly fields?: readonly string[];
  readonly service?: string;
  readonly model?: string;
  readonly accept?: string;
}

/** A contract whose fields are summed. */
export function idlOf({
  fields = ['a', 'b'],
  service = 'Scores',
  model = MODEL,
  accept = '',
}: ContractShape = {}): string {
  return `include "parley.thrift"
struct Question {
${fields.map((name, index) => `  ${index + 1}: optional double ${name} (min = "-1000", max = "1000")`).join('\n')}
}
struct Answer { 1: optional double value (role = "value") }
service ${service} {
  Answer score(1: Question question) throws (1: parley.ParleyError error)
} (model = "${model}", accept.mae = "<= 0.5"${accept})
`;
}

export const FIXTURES = 'a,b,value\n1,2,3\n4,5,9\n10,20,30\n7,1,8\n';

export function recordOf(shape: ContractShape = {}): ContractRecord & { readonly fixtureFingerprint: string } {
  const idl = idlOf(shape);
  const contract = parseContract({ file: 'scores.thrift', idl });
  return {
    fingerprint: contract.fingerprint,
    idl,
    includes: {},
    services: contract.services.map(({ name }) => name),
    fixtureFingerprint: digestOf(Buffer.from(FIXTURES)),
    fixturesFormat: 'csv',
  };
}
