/**
 * What a classifier's graph says of its classes, in the order of its probabilities' columns.
 *
 * The label is traced back to what makes it: a classifier node, a LabelEncoder of column numbers, or a choice from a
 * constant list, which are the forms that scikit-learn's, LightGBM's and XGBoost's exporters write.
 */
import type { Field } from './fields.js';
import { type GraphNode, graphFields, INITIALIZER, NODE, nodeOf, tensorName } from './nodes.js';
import { storedTensor } from './stored-tensor.js';

/** Nodes that leave labels as they are. */
const PASSING = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);
const CLASSIFIERS = new Set(['TreeEnsembleClassifier', 'LinearClassifier', 'SVMClassifier']);

/** @returns strings, or whole numbers as a graph answers them; undefined where the graph does not say */
export type ClassNames = readonly string[] | readonly bigint[];

/** @param label the output's name */
export function classNames(model: Uint8Array, label: string): ClassNames | undefined {
  const fields = graphFields(model),
    nodes = fields.filter(({ number }) => number === NODE).map(nodeOf);
  return named(traced(nodes, label), fields, nodes) ?? onlyClassifier(nodes);
}

function traced(nodes: readonly GraphNode[], value: string): GraphNode | undefined {
  let name: string | undefined = value;
  for (let steps = 0; steps <= nodes.length; steps++) {
    const node = nodes.find(({ outputs }) => outputs.includes(name!));
    if (node === undefined || !PASSING.has(node.operator)) return node;
    name = node.inputs[0];
  }
  return undefined;
}

function named(
  node: GraphNode | undefined,
  fields: readonly Field[],
  nodes: readonly GraphNode[],
): ClassNames | undefined {
  if (node === undefined) return undefined;
  if (CLASSIFIERS.has(node.operator)) return labelsOf(node);
  if (node.operator === 'LabelEncoder') return decoded(node);
  if (node.operator === 'ArrayFeatureExtractor' || node.operator === 'Gather') return listed(node, fields, nodes);
  return undefined;
}

function labelsOf(node: GraphNode): ClassNames | undefined {
  const texts = [...node.strings('classlabels_strings'), ...node.strings('classlabels_string')];
  if (texts.length > 0) return texts;
  const numbers = [...node.integers('classlabels_ints'), ...node.integers('classlabels_int64s')];
  return numbers.length > 0 ? numbers : undefined;
}

/** A LabelEncoder that says each column's name; one whose keys are something else than columns says nothing of them. */
function decoded(node: GraphNode): ClassNames | undefined {
  const keys = node.integers('keys_int64s'),
    texts = node.strings('values_strings'),
    numbers = node.integers('values_int64s');
  const pick = <T>(values: readonly T[]): readonly T[] => {
    const byKey = new Map(keys.map((key, index) => [Number(key), values[index]!]));
    return keys.flatMap((_, column) => (byKey.has(column) ? [byKey.get(column)!] : []));
  };
  if (keys.length === 0) return undefined;
  if (texts.length === keys.length) return complete(pick(texts), keys.length);
  return numbers.length === keys.length ? complete(pick(numbers), keys.length) : undefined;
}

const complete = <T extends ClassNames>(names: T, length: number): T | undefined =>
  names.length === length ? names : undefined;

/** A list of constants, from which one is chosen by its number. */
function listed(node: GraphNode, fields: readonly Field[], nodes: readonly GraphNode[]): ClassNames | undefined {
  const list = node.inputs[0]!;
  const constant =
    fields.find((field) => field.number === INITIALIZER && tensorName(field) === list)?.payload ??
    nodes.find(({ operator, outputs }) => operator === 'Constant' && outputs[0] === list)?.tensor('value');
  if (constant === undefined) return undefined;
  const { data } = storedTensor(constant);
  if (Array.isArray(data)) return data;
  if (data instanceof Float32Array || data instanceof Float64Array) return undefined;
  return Array.from(data as ArrayLike<number | bigint>, BigInt);
}

/** Where the label cannot be traced: the classes of the graph's classifier nodes, if all have the same. */
function onlyClassifier(nodes: readonly GraphNode[]): ClassNames | undefined {
  const found = nodes.filter(({ operator }) => CLASSIFIERS.has(operator)).map(labelsOf);
  const texts = new Set(found.map((names) => names?.join('\0')));
  return texts.size === 1 ? found[0] : undefined;
}

/** The names that `metadata_props` give under `classes`: a JSON list, or names with commas between. */
export function writtenClasses(metadata: Readonly<Record<string, string>>): readonly string[] | undefined {
  const text = metadata.classes?.trim();
  if (!text) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed.map(String);
  } catch {
    // Not JSON, so a plain list.
  }
  return text.split(',').map((name) => name.trim());
}
