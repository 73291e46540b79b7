/**
 * Graphs whose whole numbers can be divided by -1.
 *
 * The processor refuses to divide the lowest int32 or int64 by -1, and the runtime asks it to: the process ends, for a
 * value that a caller may have sent. Found on onnxruntime 1.30 with Div and Mod of every integer type; narrower ones are
 * computed as int32, and a division by 0 is an error of the run alone. Such nodes divide by 1 where they would by -1, and
 * a quotient changes its sign then, which the lowest number does not survive and wraps, as numpy's does. Nodes of branches,
 * loops and the file's own functions stay as they are.
 */
import { type Field, fieldAround, fieldOf } from './fields.js';
import {
  constantField,
  type GraphNode,
  graphFields,
  INITIALIZER,
  INPUT,
  NODE,
  nodeField,
  nodeOf,
  OUTPUT,
  rewiredNode,
  tensorName,
  valueName,
  withGraph,
} from './nodes.js';
import { ATTRIBUTE_TYPES, type AttributeMessage, ELEMENT_TYPES } from './proto.js';
import { Session } from './session.js';
import { storedTensor } from './stored-tensor.js';

const DIVIDES: readonly string[] = ['Div', 'Mod'];
/** Operators that answer no whole numbers; they spare asking the runtime. */
const FLOATING: readonly string[] = ['Sqrt', 'Exp', 'Log', 'Sigmoid', 'Softmax', 'Tanh', 'Softplus'];
/** Element types whose lowest number cannot be divided by -1. */
const BROKEN: readonly number[] = [ELEMENT_TYPES.int32, ELEMENT_TYPES.int64];

/** TensorProto.data_type; ValueInfoProto.type, TypeProto.tensor_type and TypeProto.Tensor.elem_type. */
const TENSOR_DATA_TYPE = 2,
  VALUE_TYPE = [2, 1, 1] as const;

interface Division extends GraphNode {
  readonly field: Field;
}

/** @returns the graph, its own bytes where nothing is to be changed @throws ParleyError as `Session.load` */
export async function divideSafely(model: Uint8Array): Promise<Uint8Array> {
  const fields = graphFields(model);
  const nodes = fields
    .filter(({ number }) => number === NODE)
    .map((field): Division => ({ ...nodeOf(field), field }))
    .filter(({ domain }) => domain === '');
  if (!nodes.some(({ operator }) => DIVIDES.includes(operator))) return model;
  const constants = constantsOf(fields, nodes),
    types = declaredTypes(fields, nodes, constants);
  const suspects = nodes.filter(
    ({ operator, inputs: [, divisor] }) => DIVIDES.includes(operator) && !isHarmless(constants.get(divisor!)),
  );
  const typeOf = ({ inputs }: GraphNode) => inputs.map((name) => types.get(name)).find((type) => type !== undefined);
  const unknown = suspects.filter((node) => typeOf(node) === undefined).map(({ inputs }) => inputs[1]!);
  for (const [name, type] of await typesOf(model, fields, [...new Set(unknown)])) types.set(name, type);
  const changed = new Map(
    suspects.filter((node) => BROKEN.includes(typeOf(node) ?? 0)).map((node) => [node.field, [node, typeOf(node)!]]),
  ) as ReadonlyMap<Field, readonly [Division, number]>;
  if (changed.size === 0) return model;
  return withGraph(
    model,
    fields.flatMap((field) => {
      const found = changed.get(field);
      return found === undefined ? [field.bytes] : safely(...found);
    }),
  );
}

/** TensorProtos by name: initializers, and what Constant nodes give. */
function constantsOf(fields: readonly Field[], nodes: readonly GraphNode[]): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const field of fields) if (field.number === INITIALIZER) found.set(tensorName(field), field.payload);
  for (const node of nodes) {
    const tensor = node.operator === 'Constant' ? node.tensor('value') : undefined;
    if (tensor !== undefined) found.set(node.outputs[0]!, tensor);
  }
  return found;
}

/** What can be told without the runtime. */
function declaredTypes(
  fields: readonly Field[],
  nodes: readonly GraphNode[],
  constants: ReadonlyMap<string, Uint8Array>,
): Map<string, number> {
  const types = new Map<string, number>();
  for (const field of fields) {
    if (field.number !== INPUT) continue;
    const type = VALUE_TYPE.reduce<Field | undefined>((at, number) => at && fieldOf(at.payload, number), field);
    if (type !== undefined) types.set(valueName(field), Number(type.varint));
  }
  for (const [name, tensor] of constants) types.set(name, elementTypeOf(tensor));
  for (const { operator, outputs } of nodes)
    if (FLOATING.includes(operator)) types.set(outputs[0]!, ELEMENT_TYPES.float32);
  return types;
}

const elementTypeOf = (tensor: Uint8Array): number => Number(fieldOf(tensor, TENSOR_DATA_TYPE)?.varint ?? 0n);

function isHarmless(divisor: Uint8Array | undefined): boolean {
  if (divisor === undefined) return false;
  if (!BROKEN.includes(elementTypeOf(divisor))) return true;
  return !(storedTensor(divisor).data as unknown as readonly (number | bigint)[]).some((value) => Number(value) === -1);
}

/** The runtime's own inference: it tells the types of outputs, and any value can be made one. */
async function typesOf(
  model: Uint8Array,
  fields: readonly Field[],
  names: readonly string[],
): Promise<readonly (readonly [string, number])[]> {
  if (names.length === 0) return [];
  const given = new Set(fields.filter(({ number }) => number === OUTPUT).map(valueName));
  const more = names.filter((name) => !given.has(name));
  const asked = [...fields.map(({ bytes }) => bytes), ...more.map(untypedOutput)];
  const session = await Session.load(withGraph(model, asked));
  session.release();
  const told = session.signature.outputs.filter(({ name }) => names.includes(name));
  return told.map(({ name, dataType }) => [name, ELEMENT_TYPES[dataType]] as const);
}

const encoder = new TextEncoder();
const untypedOutput = (name: string): Uint8Array => fieldAround(OUTPUT, fieldAround(1, encoder.encode(name)));

/** The nodes that stand for one that divides. */
function safely({ operator, inputs, outputs, field }: Division, type: number): Uint8Array[] {
  const [dividend, divisor] = inputs as readonly [string, string],
    [answer] = outputs as readonly [string];
  const value = (name: string) => `/division/${name}/${answer}`;
  const [minusOne, plusOne, is, one, two] = [value('-1'), value('+1'), value('is'), value('one'), value('two')],
    [safe, sign, quotient] = [value('safe'), value('sign'), value('quotient')];
  const node = (opType: string, input: string[], output: string, attribute: AttributeMessage[] = []) =>
    nodeField({ name: `/division/${output}`, opType, input, output: [output], attribute });
  const constant = (name: string, of: number) =>
    constantField({ name, dims: [], dataType: type, rawData: bytesOf(type, of) });
  const begin = [
    constant(minusOne, -1),
    node('Equal', [divisor, minusOne], is),
    node('Cast', [is], one, [{ name: 'to', type: ATTRIBUTE_TYPES.int, i: type }]),
    node('Add', [one, one], two),
    node('Add', [divisor, two], safe),
  ];
  // Nothing is left over when a number is divided by 1, as by -1.
  if (operator === 'Mod') return [...begin, rewiredNode(field, [dividend, safe], outputs)];
  return [
    ...begin,
    constant(plusOne, 1),
    node('Sub', [plusOne, two], sign),
    rewiredNode(field, [dividend, safe], [quotient]),
    node('Mul', [quotient, sign], answer),
  ];
}

const bytesOf = (type: number, value: number): Uint8Array =>
  new Uint8Array(type === ELEMENT_TYPES.int64 ? BigInt64Array.of(BigInt(value)).buffer : Int32Array.of(value).buffer);
