/** The nodes of a graph with what they compute from what, and a graph put together again when some of it is changed. */
import { modelBroken } from '../errors.js';
import { concatenated, type Field, fieldAround, fieldOf, fieldsOf, integersOf, textOf, textsOf } from './fields.js';
import {
  encodeNode,
  encodeTensor,
  encodeValueInfo,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from './proto.js';

/** Field numbers of onnx-ml.proto. */
const GRAPH = 7;
export const NODE = 1,
  INITIALIZER = 5,
  INPUT = 11,
  OUTPUT = 12;
export const NODE_INPUT = 1,
  NODE_OUTPUT = 2,
  NODE_ATTRIBUTE = 5;
const NODE_TYPE = 4,
  NODE_DOMAIN = 7;
const ATTRIBUTE_NAME = 1,
  ATTRIBUTE_TENSOR = 5,
  ATTRIBUTE_INTS = 8,
  ATTRIBUTE_STRINGS = 9;

/** A node outside of subgraphs. */
export interface GraphNode {
  readonly operator: string;
  /** Empty: ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Lists of strings and of whole numbers, by the attribute's name; empty where there is none. */
  strings(attribute: string): readonly string[];
  integers(attribute: string): readonly bigint[];
  /** A TensorProto. */
  tensor(attribute: string): Uint8Array | undefined;
}

/** @param field of number {@link NODE} */
export function nodeOf({ payload }: Field): GraphNode {
  const attribute = (name: string): Uint8Array | undefined => {
    for (const field of fieldsOf(payload))
      if (field.number === NODE_ATTRIBUTE && textOf(fieldOf(field.payload, ATTRIBUTE_NAME)?.payload) === name)
        return field.payload;
    return undefined;
  };
  const none = new Uint8Array();
  return {
    operator: textOf(fieldOf(payload, NODE_TYPE)?.payload),
    domain: textOf(fieldOf(payload, NODE_DOMAIN)?.payload).replace(/^ai\.onnx$/, ''),
    inputs: textsOf(payload, NODE_INPUT),
    outputs: textsOf(payload, NODE_OUTPUT),
    strings: (name) => textsOf(attribute(name) ?? none, ATTRIBUTE_STRINGS),
    integers: (name) => integersOf(attribute(name) ?? none, ATTRIBUTE_INTS),
    tensor: (name) => fieldOf(attribute(name) ?? none, ATTRIBUTE_TENSOR)?.payload,
  };
}

/** The graph's own fields. @throws ParleyError MODEL_BROKEN where the bytes are not a model with one graph */
export function graphFields(model: Uint8Array): readonly Field[] {
  const graphs = [...fieldsOf(model)].filter((field) => field.number === GRAPH);
  if (graphs.length !== 1) throw modelBroken(`the ONNX file has ${graphs.length} graphs where there must be one`);
  return [...fieldsOf(graphs[0]!.payload)];
}

/** The model with other fields in its graph; what stands around the graph stays as it is. */
export function withGraph(model: Uint8Array, fields: readonly Uint8Array[]): Uint8Array {
  return concatenated(
    [...fieldsOf(model)].map((field) =>
      field.number === GRAPH ? fieldAround(GRAPH, concatenated(fields)) : field.bytes,
    ),
  );
}

/** A ValueInfoProto's and a TensorProto's name. */
export const valueName = ({ payload }: Field): string => textOf(fieldOf(payload, 1)?.payload);
export const tensorName = ({ payload }: Field): string => textOf(fieldOf(payload, 8)?.payload);

export const nodeField = (node: NodeMessage): Uint8Array => fieldAround(NODE, encodeNode(node));
export const outputField = (output: ValueInfoMessage): Uint8Array => fieldAround(OUTPUT, encodeValueInfo(output));
export const constantField = (tensor: TensorMessage): Uint8Array => fieldAround(INITIALIZER, encodeTensor(tensor));

/** A node as it was, with other names for some of the values that it reads and makes. */
export function renamedNode({ payload }: Field, names: ReadonlyMap<string, string>): Uint8Array {
  const parts = [...fieldsOf(payload)].map((field) => {
    const isName = field.number === NODE_INPUT || field.number === NODE_OUTPUT;
    const other = isName ? names.get(textOf(field.payload)) : undefined;
    return other === undefined ? field.bytes : fieldAround(field.number, new TextEncoder().encode(other));
  });
  return fieldAround(NODE, concatenated(parts));
}

/** A node as it was, between other values. */
export function rewiredNode({ payload }: Field, inputs: readonly string[], outputs: readonly string[]): Uint8Array {
  const named = (number: number, names: readonly string[]) =>
    names.map((name) => fieldAround(number, new TextEncoder().encode(name)));
  const rest = [...fieldsOf(payload)].filter(({ number }) => number !== NODE_INPUT && number !== NODE_OUTPUT);
  return fieldAround(
    NODE,
    concatenated([...named(NODE_INPUT, inputs), ...named(NODE_OUTPUT, outputs), ...rest.map(({ bytes }) => bytes)]),
  );
}
