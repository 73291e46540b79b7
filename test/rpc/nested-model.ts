/** A model that answers all that it was fed, and a contract with every kind of field that holds more than one value. */
import type { Artifact } from '#parley/model/trained.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';

export const NESTED_IDL = `include "parley.thrift"
namespace js nested
enum Size { UNSPECIFIED = 0, SMALL = 1 (label = "small"), LARGE = 7 (label = "large") }
struct Print { 1: optional Size size }
struct Bill {
  1: optional double length_mm (min = "0", max = "100")
  2: optional double depth_mm (min = "0", max = "50", missing = "allowed")
  3: optional Print print
}
struct Battery {
  1: optional double capacity (min = "0", max = "200")
  2: optional i32 cells (min = "1", max = "900", missing = "allowed")
}
union Fuel { 1: double litres (min = "0", max = "100"), 20: Battery battery }
struct Nested {
  1: optional Bill bill
  2: optional Fuel fuel
  3: optional list<double> spectrum (shape = "2,3", min = "-10", max = "10")
  4: optional list<i32> counts (shape = "3", min = "0", max = "1000", missing = "-1")
  5: optional list<string> words (shape = "2", values = "red,green", missing = "allowed")
  6: optional list<bool> flags (shape = "2")
  7: optional map<Size, double> shares (min = "0", max = "1", missing = "allowed")
  8: optional map<string, i32> stock (values = "nut,bolt", min = "0", max = "99")
  9: optional binary samples (shape = "4", data_type = "float32", min = "-1", max = "1")
 10: optional binary photo (encoding = "rgb8,png,jpeg", height = "4", width = "5")
 11: optional string secret (sensitive = "true", values = "alpha,beta")
 12: optional string code (role = "id", pattern = "[A-Z]{2}[0-9]+", max_bytes = "8")
 13: optional binary stamps (shape = "2", data_type = "int64")
 14: optional binary hidden (shape = "2", data_type = "uint8", sensitive = "true", max = "9")
}
struct Echo {
  1: optional list<double> fed (role = "value", shape = "92")
  2: optional list<double> low (role = "interval_low", shape = "92")
  3: optional list<double> high (role = "interval_high", shape = "92")
 15: optional parley.Provenance provenance
}
service Echoes {
  Echo echo(1: Nested nested, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
  list<Echo> echo_many(1: list<Nested> rows, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
} (model = "nested")
`;

export const HEIGHT = 4,
  WIDTH = 5,
  PIXELS = HEIGHT * WIDTH * 3;

/** Of the answer, in order: what each input has of a row. */
const NUMBERS = [
  ['bill.length_mm', 'float64', []],
  ['bill.depth_mm', 'float64', []],
  ['fuel.litres', 'float64', []],
  ['fuel.battery.capacity', 'float64', []],
  ['fuel.battery.cells', 'float64', []],
  ['spectrum', 'float64', [2, 3]],
  ['counts', 'float32', [3]],
  ['flags', 'bool', [2]],
  ['shares', 'float64', [2]],
  ['stock', 'int32', [2]],
  ['samples', 'float32', [4]],
  ['photo', 'uint8', [HEIGHT, WIDTH, 3]],
  ['stamps', 'int64', [2]],
  ['hidden', 'uint8', [2]],
] as const;
const TEXTS = [
  ['bill.print.size', [1]],
  ['words', [2]],
  ['secret', [1]],
] as const;

/** What the graph makes of its texts. */
export const CODES: Readonly<Record<string, number>> = {
  small: 1,
  large: 7,
  red: 2,
  green: 3,
  alpha: 4,
  beta: 5,
  '': 0,
};

/** All numbers one after the other, then the texts by their codes; half of it and twice of it as the interval. */
export function nestedModel(): Artifact {
  const graph = new GraphBuilder();
  const flat = (value: string, width: number) => {
    const shape = graph.constant('shape', {
      dataType: 'int64',
      shape: [2],
      data: BigInt64Array.of(-1n, BigInt(width)),
    });
    return graph.node('Reshape', [graph.node('Cast', [value], { to: 11 }), shape]);
  };
  const widthOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const parts = NUMBERS.map(([name, type, shape]) =>
    flat(graph.input(name, type, [-1, ...(shape.length === 0 ? [1] : shape)]), widthOf(shape)),
  );
  for (const [name, shape] of TEXTS)
    parts.push(
      flat(
        graph.node(
          'LabelEncoder',
          [graph.input(name, 'string', [-1, ...shape])],
          {
            keys_strings: { strings: Object.keys(CODES) },
            values_floats: { floats: Object.values(CODES) },
            default_float: { float: -9 },
          },
          'ai.onnx.ml',
        ),
        widthOf(shape),
      ),
    );
  const all = graph.node('Concat', parts, { axis: 1 }),
    two = graph.constant('two', { dataType: 'float64', shape: [], data: Float64Array.of(2) });
  graph.output('value', graph.node('Identity', [all]), 'float64', [-1, 92]);
  graph.output('interval_low', graph.node('Div', [all, two]), 'float64', [-1, 92]);
  graph.output('interval_high', graph.node('Mul', [all, two]), 'float64', [-1, 92]);
  return { modelType: 'tabular-regressor', ...graphOf(graph), metadata: {} };
}

function graphOf(builder: GraphBuilder): Pick<Artifact, 'graph' | 'signature'> {
  const graph = builder.serialize();
  return { graph, signature: inspectGraph(graph).signature };
}

/** Rows of lists of any length, which a batch cannot hold. */
export const OPEN_IDL = `include "parley.thrift"
namespace js open
struct Series {
  1: optional list<double> values (min = "-100", max = "100")
  2: optional double weight
}
struct Summed { 1: optional double total (role = "value"), 15: optional parley.Provenance provenance }
service Sums {
  Summed sum(1: Series series, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
  list<Summed> sum_many(1: list<Series> rows, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
} (model = "open")
`;

/** The sum of the list, times the weight. */
export function openModel(): Artifact {
  const graph = new GraphBuilder();
  const axes = graph.constant('axes', { dataType: 'int64', shape: [1], data: BigInt64Array.of(1n) });
  const sum = graph.node('ReduceSum', [graph.input('values', 'float64', [-1, -1]), axes], { keepdims: 1 });
  graph.output('value', graph.node('Mul', [sum, graph.input('weight', 'float64', [-1, 1])]), 'float64', [-1, 1]);
  return { modelType: 'tabular-regressor', ...graphOf(graph), metadata: {} };
}
