/** A graph whose inputs and outputs are called otherwise. Every other byte stays as it is. */
import { invalidInput } from '../errors.js';
import { concatenated, type Field, fieldAround, fieldOf, fieldsOf, textOf } from './fields.js';
import {
  graphFields,
  INITIALIZER,
  INPUT,
  NODE,
  NODE_ATTRIBUTE,
  NODE_INPUT,
  NODE_OUTPUT,
  nodeOf,
  OUTPUT,
  tensorName,
  valueName,
  withGraph,
} from './nodes.js';

/** Of GraphProto: what is known of values between the nodes, and sparse initializers with their values' tensor. */
const VALUE_INFO = 13,
  SPARSE_INITIALIZER = 15,
  SPARSE_VALUES = 1;
/** Of AttributeProto: the graphs of If, Loop and Scan. */
const ATTRIBUTE_GRAPH = 6,
  ATTRIBUTE_GRAPHS = 11;
/** Of ValueInfoProto and TensorProto. */
const VALUE_NAME = 1,
  TENSOR_NAME = 8;

type Names = ReadonlyMap<string, string>;

/**
 * @param wanted what a value is called in the graph -> what it is to be called. Names may change places
 * @throws ParleyError INVALID_INPUT where two values would have one name; MODEL_BROKEN where the bytes are no graph
 */
export function renameValues(model: Uint8Array, wanted: Names): Uint8Array {
  const fields = graphFields(model);
  const names = new Map([...wanted].filter(([from, to]) => from !== to));
  if (names.size === 0) return model;
  const targets = [...names.values()];
  const twice = targets.find((name, index) => targets.indexOf(name) < index);
  if (twice !== undefined) throw invalidInput(`two values of the graph would be called "${twice}"; name each once`);
  const within = valuesWithin(fields);
  const hidden = targets.find((name) => within.has(name));
  if (hidden !== undefined)
    throw invalidInput(
      `a branch or loop of the graph has a value called "${hidden}"; export the graph with another name`,
    );
  const inputs = fields.filter(({ number }) => number === INPUT).map(valueName);
  for (const target of targets) {
    if (names.has(target) || !valuesOf(fields).has(target)) continue;
    if (inputs.includes(target))
      throw invalidInput(`the graph has another input called "${target}", which is not mapped; map it too`);
    names.set(target, unused(target, fields));
  }
  return withGraph(
    model,
    fields.map((field) => renamed(field, names)),
  );
}

/** Every name of a value that the graph itself declares. */
function valuesOf(fields: readonly Field[]): ReadonlySet<string> {
  return new Set(
    fields.flatMap((field) => {
      if (field.number === NODE) return nodeOf(field).outputs;
      if (field.number === INPUT) return [valueName(field)];
      if (field.number === INITIALIZER) return [tensorName(field)];
      return field.number === SPARSE_INITIALIZER ? [sparseName(field)] : [];
    }),
  );
}

/** What the graphs inside of nodes declare, at any depth. */
function valuesWithin(fields: readonly Field[]): ReadonlySet<string> {
  const graphs = fields
    .filter(({ number }) => number === NODE)
    .flatMap(({ payload }) => [...fieldsOf(payload)].filter(({ number }) => number === NODE_ATTRIBUTE))
    .flatMap(({ payload }) => [...fieldsOf(payload)].filter(isGraph).map((graph) => [...fieldsOf(graph.payload)]));
  return new Set(graphs.flatMap((inner) => [...valuesOf(inner), ...valuesWithin(inner)]));
}

const isGraph = ({ number }: Field): boolean => number === ATTRIBUTE_GRAPH || number === ATTRIBUTE_GRAPHS;

const sparseName = ({ payload }: Field): string =>
  textOf(fieldOf(fieldOf(payload, SPARSE_VALUES)?.payload ?? new Uint8Array(), TENSOR_NAME)?.payload);

/** What stood in the way of a name is called so with a number. */
function unused(name: string, fields: readonly Field[]): string {
  const taken = valuesOf(fields);
  for (let number = 1; ; number++) if (!taken.has(`${name}/${number}`)) return `${name}/${number}`;
}

function renamed(field: Field, names: Names): Uint8Array {
  switch (field.number) {
    case NODE:
      return fieldAround(
        NODE,
        changed(field.payload, (part) => renamedPart(part, names)),
      );
    case INPUT:
    case OUTPUT:
    case VALUE_INFO:
      return withName(field, VALUE_NAME, names);
    case INITIALIZER:
      return withName(field, TENSOR_NAME, names);
    case SPARSE_INITIALIZER:
      return fieldAround(
        SPARSE_INITIALIZER,
        changed(field.payload, (part) =>
          part.number === SPARSE_VALUES ? withName(part, TENSOR_NAME, names) : part.bytes,
        ),
      );
    default:
      return field.bytes;
  }
}

/** Of a node: the values that it reads and makes, and those that the graphs inside of it read from around them. */
function renamedPart(part: Field, names: Names): Uint8Array {
  if (part.number === NODE_INPUT || part.number === NODE_OUTPUT) {
    const name = names.get(textOf(part.payload));
    return name === undefined ? part.bytes : fieldAround(part.number, new TextEncoder().encode(name));
  }
  if (part.number !== NODE_ATTRIBUTE) return part.bytes;
  if (![...fieldsOf(part.payload)].some(isGraph)) return part.bytes;
  return fieldAround(
    NODE_ATTRIBUTE,
    changed(part.payload, (inner) =>
      isGraph(inner) ? fieldAround(inner.number, inside(inner.payload, names)) : inner.bytes,
    ),
  );
}

/** A graph within the graph: what it declares itself hides what is around it. */
function inside(graph: Uint8Array, names: Names): Uint8Array {
  const fields = [...fieldsOf(graph)];
  const own = valuesOf(fields);
  const seen = new Map([...names].filter(([name]) => !own.has(name)));
  return concatenated(fields.map((field) => renamed(field, seen)));
}

function withName(field: Field, number: number, names: Names): Uint8Array {
  const name = names.get(textOf(fieldOf(field.payload, number)?.payload));
  if (name === undefined) return field.bytes;
  const text = new TextEncoder().encode(name);
  return fieldAround(
    field.number,
    changed(field.payload, (part) => (part.number === number ? fieldAround(number, text) : part.bytes)),
  );
}

const changed = (message: Uint8Array, change: (part: Field) => Uint8Array): Uint8Array =>
  concatenated([...fieldsOf(message)].map(change));
