/** ONNX files by hand, of everything that the format has: more than Parley's own writer makes. */
import { ELEMENT_TYPES } from '#parley/onnx/proto.js';
import { message, tensorType, type Value, value } from '../unit/onnx/wire.js';

export type ElementType = keyof typeof ELEMENT_TYPES;
type Field = readonly [number, Value];
type Extents = readonly (number | string | undefined)[];

export type Attribute =
  | number
  | string
  | { readonly graph: Uint8Array }
  | { readonly tensor: Uint8Array }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly type: Uint8Array }
  /** The attribute of the function around it. */
  | { readonly reference: string };

/** A NodeProto; an input of '' is left out. */
export const node = (
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): Uint8Array =>
  message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, operator],
    ...Object.entries(attributes).map(([name, each]): Field => [5, message([1, name], ...attributeFields(each))]),
    [7, domain],
  );

/** With their AttributeProto.AttributeType. */
function attributeFields(attribute: Attribute): Field[] {
  if (typeof attribute === 'number')
    return [
      [3, attribute],
      [20, 2],
    ];
  if (typeof attribute === 'string')
    return [
      [4, attribute],
      [20, 3],
    ];
  if ('tensor' in attribute)
    return [
      [5, attribute.tensor],
      [20, 4],
    ];
  if ('graph' in attribute)
    return [
      [6, attribute.graph],
      [20, 5],
    ];
  if ('ints' in attribute) return [...attribute.ints.map((each): Field => [8, each]), [20, 7]];
  if ('strings' in attribute) return [...attribute.strings.map((each): Field => [9, each]), [20, 8]];
  if ('type' in attribute)
    return [
      [14, attribute.type],
      [20, 13],
    ];
  return [
    [21, attribute.reference],
    [20, 2],
  ];
}

/** A TensorProto. */
export const stored = (
  name: string,
  type: ElementType,
  shape: readonly number[],
  raw: Uint8Array | readonly string[],
) =>
  message(
    ...shape.map((extent): Field => [1, extent]),
    [2, ELEMENT_TYPES[type]],
    ...(raw instanceof Uint8Array ? [[9, raw] as const] : raw.map((text): Field => [6, text])),
    [8, name],
  );

export const storedInts = (name: string, ...values: number[]): Uint8Array =>
  stored(name, 'int64', [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
export const storedInt = (name: string, one: number): Uint8Array =>
  stored(name, 'int64', [], new Uint8Array(BigInt64Array.of(BigInt(one)).buffer));
export const storedFloats = (name: string, ...values: number[]): Uint8Array =>
  stored(name, 'float32', [values.length], new Uint8Array(Float32Array.from(values).buffer));
export const storedBool = (name: string, one: boolean): Uint8Array =>
  stored(name, 'bool', [], Uint8Array.of(one ? 1 : 0));

/** TypeProtos. Without extents even the rank is open. */
export const tensorOf = (type: ElementType, shape?: Extents): Uint8Array => tensorType(ELEMENT_TYPES[type], shape);
export const sequenceOf = (type: Uint8Array): Uint8Array => message([4, message([1, type])]);
export const optionalOf = (type: Uint8Array): Uint8Array => message([9, message([1, type])]);
export const sparseOf = (type: ElementType, shape: Extents): Uint8Array => {
  const dimensions = shape.map((extent): Field => [1, typeof extent === 'number' ? message([1, extent]) : message()]);
  return message([8, message([1, ELEMENT_TYPES[type]], [2, message(...dimensions)])]);
};
export const mapOf = (key: ElementType, type: Uint8Array): Uint8Array =>
  message([5, message([1, ELEMENT_TYPES[key]], [2, type])]);

/** Names to types. */
type Values = readonly (readonly [name: string, type?: Uint8Array])[];

export interface GraphParts {
  readonly nodes?: readonly Uint8Array[];
  readonly inputs?: Values;
  readonly outputs?: Values;
  readonly constants?: readonly Uint8Array[];
  readonly more?: readonly Field[];
}

/** A GraphProto. */
export const graph = ({ nodes = [], inputs = [], outputs = [], constants = [], more = [] }: GraphParts): Uint8Array =>
  message(
    ...nodes.map((each): Field => [1, each]),
    [2, 'g'],
    ...constants.map((each): Field => [5, each]),
    ...inputs.map(([name, type]): Field => [11, value(name, type)]),
    ...outputs.map(([name, type]): Field => [12, value(name, type)]),
    ...more,
  );

export interface FileParts extends GraphParts {
  readonly irVersion?: number;
  readonly opsets?: Readonly<Record<string, number>>;
  readonly functions?: readonly Uint8Array[];
  /** Of the ModelProto. */
  readonly around?: readonly Field[];
}

/** A ModelProto of IR version 10 and operator set 21, unless something else is said. */
export const file = ({
  irVersion = 10,
  opsets = { '': 21 },
  functions = [],
  around = [],
  ...parts
}: FileParts): Uint8Array =>
  message(
    [1, irVersion],
    [7, graph(parts)],
    ...Object.entries(opsets).map(([domain, version]): Field => [8, message([1, domain], [2, version])]),
    ...functions.map((each): Field => [25, each]),
    ...around,
  );

/** A FunctionProto; its opsets are those of {@link file}. */
export const localFunction = (
  domain: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Uint8Array[],
  {
    attributes = [],
    opsets = { '': 21 },
  }: { attributes?: readonly string[]; opsets?: Readonly<Record<string, number>> } = {},
): Uint8Array =>
  message(
    [1, name],
    ...inputs.map((each): Field => [4, each]),
    ...outputs.map((each): Field => [5, each]),
    ...attributes.map((each): Field => [6, each]),
    ...nodes.map((each): Field => [7, each]),
    ...Object.entries(opsets).map(([each, version]): Field => [9, message([1, each], [2, version])]),
    [10, domain],
  );
