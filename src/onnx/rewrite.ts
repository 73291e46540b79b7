/** Changes to a graph that was made elsewhere, so that it can be served by what it means. Every other byte stays. */
import { modelBroken } from '../errors.js';
import type { Tensor } from '../model/tensor.js';
import { concatenated, fieldAround, fieldsOf } from './fields.js';
import {
  constantField,
  graphFields,
  INITIALIZER,
  NODE,
  nodeField,
  OUTPUT,
  renamedNode,
  tensorName,
  valueName,
  withGraph,
} from './nodes.js';
import { ATTRIBUTE_TYPES, ELEMENT_TYPES } from './proto.js';
import { storedTensor } from './stored-tensor.js';

/**
 * Lets inputs be fed whose values the graph holds: the runtime takes no such input by its name.
 *
 * @param names of initializers that are listed as inputs too
 * @returns the graph in which they are plain inputs, and the values that stood there
 */
export function openInputs(
  model: Uint8Array,
  names: readonly string[],
): { readonly graph: Uint8Array; readonly defaults: ReadonlyMap<string, Tensor> } {
  const fields = graphFields(model),
    defaults = new Map<string, Tensor>();
  const kept = fields.filter((field) => {
    if (field.number !== INITIALIZER || !names.includes(tensorName(field))) return true;
    defaults.set(tensorName(field), storedTensor(field.payload));
    return false;
  });
  for (const name of names)
    if (!defaults.has(name)) throw modelBroken(`the graph has no value for its optional input "${name}"`);
  return {
    graph: withGraph(
      model,
      kept.map(({ bytes }) => bytes),
    ),
    defaults,
  };
}

/**
 * Makes the label the number of its class instead of the number that the class is called by: 10, 20, 30 become 0, 1, 2.
 *
 * @param label an output of whole numbers, shape (rows)
 */
export function numberLabels(model: Uint8Array, label: string, classes: readonly bigint[]): Uint8Array {
  const called = `/classes/${label}`,
    names = new Map([[label, called]]);
  const fields = graphFields(model).map((field) => (field.number === NODE ? renamedNode(field, names) : field.bytes));
  const value = (name: string) => `/classes/${name}_${label}`;
  const int64s = (name: string, values: readonly bigint[]) =>
    constantField({
      name,
      dims: [values.length],
      dataType: ELEMENT_TYPES.int64,
      rawData: new Uint8Array(BigInt64Array.from(values).buffer),
    });
  const integer = (name: string, i: number) => ({ name, type: ATTRIBUTE_TYPES.int, i });
  const node = (opType: string, input: string[], output: string, attribute: ReturnType<typeof integer>[] = []) =>
    nodeField({ name: output, opType, input, output: [output], attribute });
  return withGraph(model, [
    ...fields,
    int64s(value('names'), classes),
    int64s(value('column'), [-1n, 1n]),
    node('Reshape', [called, value('column')], value('each')),
    node('Equal', [value('each'), value('names')], value('is')),
    node('Cast', [value('is')], value('one'), [integer('to', ELEMENT_TYPES.float32)]),
    node('ArgMax', [value('one')], label, [integer('axis', 1), integer('keepdims', 0)]),
  ]);
}

/** Field numbers of ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto and Dimension. */
const TYPE = 2,
  TENSOR = 1,
  SHAPE = 2,
  DIMENSION = 1,
  SYMBOL = 2;

/** Declares that an output has as many rows as the call; LightGBM's exporter says one of its labels. */
export function openRows(model: Uint8Array, output: string): Uint8Array {
  const rows = fieldAround(SYMBOL, new TextEncoder().encode('rows'));
  return withGraph(
    model,
    graphFields(model).map((field) => {
      if (field.number !== OUTPUT || valueName(field) !== output) return field.bytes;
      let first = true;
      const change = (message: Uint8Array, [number, ...inner]: readonly number[]): Uint8Array =>
        concatenated(
          [...fieldsOf(message)].map((each) => {
            if (each.number !== number) return each.bytes;
            if (inner.length > 0) return fieldAround(number, change(each.payload, inner));
            if (!first) return each.bytes;
            first = false;
            return fieldAround(number, rows);
          }),
        );
      return fieldAround(OUTPUT, change(field.payload, [TYPE, TENSOR, SHAPE, DIMENSION]));
    }),
  );
}
