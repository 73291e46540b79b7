/**
 * What an ONNX file says about itself, and whether the runtime can serve it.
 *
 * The limits are those of onnxruntime 1.30: it was given graphs of every IR and operator set version, and these are the
 * newest that it loads. Some graphs that it refuses end the whole process, so they are refused here, before it sees them.
 */
import { modelBroken, unsupported } from '../errors.js';
import { DATA_TYPES, type DataType, MOST_RANK, type Signature, type TensorSpec } from '../model/tensor.js';
import {
  decodeModel,
  ELEMENT_TYPES,
  EXTERNAL,
  type ReadGraph,
  type ReadModel,
  type ReadNode,
  type ReadTensor,
  type ReadTensorType,
  type ReadType,
  type ReadValueInfo,
} from './proto.js';

export type ValueKind = 'tensor' | 'sparse tensor' | 'sequence' | 'map' | 'optional' | 'opaque' | 'untyped';

/** An input or output as the file declares it. */
export interface GraphValue {
  readonly name: string;
  readonly kind: ValueKind;
  /** TensorProto.DataType; 0 where `kind` is not a tensor. */
  readonly elementType: number;
  /** -1: any, or not known. Undefined where even the rank is not known. */
  readonly shape: readonly number[] | undefined;
}

export interface GraphSummary {
  readonly irVersion: number;
  readonly producer: string;
  /** Initializers that are listed as inputs too are left out. */
  readonly inputs: readonly GraphValue[];
  /** Names of inputs that may be left out, because the graph holds values for them. */
  readonly optionalInputs: readonly string[];
  readonly outputs: readonly GraphValue[];
  /** Version by domain; '' is ai.onnx. */
  readonly opsets: Readonly<Record<string, number>>;
  /** `Gemm`, `ai.onnx.ml.LabelEncoder`: sorted, those of subgraphs and of the file's own functions too. */
  readonly operators: readonly string[];
  /** Domains of `operators` that are the file's own functions. */
  readonly functionDomains: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether weights are in other files. */
  readonly externalData: boolean;
  /** TensorProto.DataType of inputs, outputs and weights; ascending, each once. */
  readonly elementTypes: readonly number[];
}

export interface Inspected {
  readonly signature: Signature;
  readonly summary: GraphSummary;
}

/** The newest that onnxruntime 1.30 loads. */
export const MAX_IR_VERSION = 13;
export const MAX_OPSETS: Readonly<Record<string, number>> = { '': 26, 'ai.onnx.ml': 5 };

/** Other domains whose operators are in the stock runtime. */
const RUNTIME_DOMAINS = new Set(['', 'ai.onnx.ml', 'ai.onnx.training', 'ai.onnx.preview.training', 'com.microsoft']);

/**
 * @throws ParleyError MODEL_BROKEN where the bytes are not a whole ONNX model
 */
export function readGraph(bytes: Uint8Array): GraphSummary {
  const model = decode(bytes);
  const { graph } = model;
  if (model.irVersion < 1 && graph === null)
    throw modelBroken(`not an ONNX file: ${bytes.length} bytes without a model`);
  if (graph === null) throw modelBroken('the ONNX file has no graph; it is cut short, or was not exported as a model');
  if (model.opsetImport.length === 0) throw modelBroken('the ONNX file imports no operator set; it is cut short');
  const found = new Found();
  found.graph(graph);
  for (const each of model.functions) for (const node of each.node) found.node(node);
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = graph.input.filter((input) => !constants.has(input.name)).map(graphValue);
  const held = graph.input.filter((input) => constants.has(input.name)).map(graphValue);
  const outputs = graph.output.map(graphValue);
  for (const value of [...inputs, ...outputs]) if (value.elementType > 0) found.elementTypes.add(value.elementType);
  return {
    irVersion: model.irVersion,
    producer: model.producerName,
    inputs,
    optionalInputs: optionalInputs(model.irVersion, held),
    outputs,
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [domainOf(domain), version])),
    operators: [...found.operators].sort(),
    functionDomains: [...new Set(model.functions.map((each) => domainOf(each.domain)))].sort(),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    externalData: found.externalData,
    elementTypes: [...found.elementTypes].sort((a, b) => a - b),
  };
}

/**
 * Checks that the runtime can serve a graph, without running it.
 *
 * @throws ParleyError MODEL_BROKEN where the bytes are not a whole ONNX model
 * @throws ParleyError UNSUPPORTED where they are, and need a newer runtime, other files, operators that are not built in,
 *   or inputs and outputs other than dense tensors of {@link DataType}
 */
export function inspectGraph(bytes: Uint8Array): Inspected {
  const summary = readGraph(bytes);
  checkVersions(summary);
  checkOperators(summary);
  if (summary.externalData) {
    throw unsupported('the graph keeps weights in other files; export it as one file (save_as_external_data=False)');
  }
  if (summary.outputs.length === 0) throw modelBroken('the graph has no outputs');
  return {
    summary,
    signature: {
      inputs: summary.inputs.map((value) => tensorSpec('input', value)),
      outputs: summary.outputs.map((value) => tensorSpec('output', value)),
    },
  };
}

/** Of one protocol buffer, as the runtime reads it. */
const MOST_GRAPH_BYTES = 2 ** 31 - 1;

function decode(bytes: Uint8Array): ReadModel {
  if (bytes.length > MOST_GRAPH_BYTES)
    throw unsupported(
      `the graph has ${bytes.length} bytes; the runtime reads at most ${MOST_GRAPH_BYTES} (2 GiB) of one ONNX file: quantize ` +
        'its weights, or cast them to float16',
    );
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw modelBroken(`not an ONNX file, or cut short: ${bytes.length} bytes that do not parse`, { cause });
  }
}

/** Collects what nodes and weights use, through subgraphs. */
class Found {
  readonly operators = new Set<string>();
  readonly elementTypes = new Set<number>();
  externalData = false;

  graph(graph: ReadGraph): void {
    for (const tensor of graph.initializer) this.tensor(tensor);
    for (const sparse of graph.sparseInitializer) this.sparse(sparse);
    for (const node of graph.node) this.node(node);
  }

  node(node: ReadNode): void {
    const domain = domainOf(node.domain);
    this.operators.add(domain === '' ? node.opType : `${domain}.${node.opType}`);
    for (const attribute of node.attribute) {
      for (const tensor of [attribute.t, ...attribute.tensors]) if (tensor !== null) this.tensor(tensor);
      for (const sparse of [attribute.sparseTensor, ...attribute.sparseTensors])
        if (sparse !== null) this.sparse(sparse);
      for (const graph of [attribute.g, ...attribute.graphs]) if (graph !== null) this.graph(graph);
    }
  }

  private sparse(sparse: { readonly values: ReadTensor | null; readonly indices: ReadTensor | null }): void {
    if (sparse.values !== null) this.tensor(sparse.values);
    if (sparse.indices !== null) this.tensor(sparse.indices);
  }

  private tensor(tensor: ReadTensor): void {
    if (tensor.dataType > 0) this.elementTypes.add(tensor.dataType);
    if (tensor.dataLocation === EXTERNAL || tensor.externalData.length > 0) this.externalData = true;
  }
}

/** Before this version of the format every weight was listed as an input. */
const FIRST_OPTIONAL_IR = 4;
/** Some exporters list the weights to this day: what is more or larger than this is one. */
const MOST_OPTIONAL = 16,
  MOST_OPTIONAL_VALUES = 65_536;

function optionalInputs(irVersion: number, held: readonly GraphValue[]): string[] {
  const isLarge = ({ shape }: GraphValue) =>
    shape === undefined || shape.reduce((product, extent) => product * extent, 1) > MOST_OPTIONAL_VALUES;
  if (irVersion < FIRST_OPTIONAL_IR || held.length > MOST_OPTIONAL || held.some(isLarge)) return [];
  return held.filter(({ kind, elementType }) => kind === 'tensor' && SERVED.has(elementType)).map(({ name }) => name);
}

/** `ai.onnx` is another spelling of the default domain. */
const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function graphValue({ name, type }: ReadValueInfo): GraphValue {
  const kind = kindOf(type);
  const tensor = kind === 'untyped' ? undefined : (type?.tensorType ?? type?.sparseTensorType);
  return { name, kind, elementType: tensor?.elemType ?? 0, shape: shapeOf(tensor) };
}

function kindOf(type: ReadType | null): ValueKind {
  if (type?.tensorType !== undefined) return type.tensorType.elemType === 0 ? 'untyped' : 'tensor';
  if (type?.sparseTensorType !== undefined) return 'sparse tensor';
  if (type?.sequenceType !== undefined) return 'sequence';
  if (type?.mapType !== undefined) return 'map';
  if (type?.optionalType !== undefined) return 'optional';
  return type?.opaqueType === undefined ? 'untyped' : 'opaque';
}

function shapeOf(tensor: ReadTensorType | undefined): number[] | undefined {
  return tensor?.shape?.dim.map(({ dimValue }) => (dimValue === undefined || dimValue < 0 ? -1 : dimValue));
}

function checkVersions({ irVersion, opsets }: GraphSummary): void {
  if (irVersion > MAX_IR_VERSION) {
    throw unsupported(
      `the graph has ONNX IR version ${irVersion} and the runtime reads up to ${MAX_IR_VERSION}; export an older one`,
    );
  }
  for (const [domain, newest] of Object.entries(MAX_OPSETS)) {
    const version = opsets[domain] ?? 0;
    if (version <= newest) continue;
    throw unsupported(
      `the graph needs operator set ${domain === '' ? 'ai.onnx' : domain} ${version} and the runtime has up to ` +
        `${newest}; export it with target_opset=${newest}`,
    );
  }
}

/** A domain that the runtime knows need not be imported: it takes the newest set of it then. */
function checkOperators({ operators, functionDomains }: GraphSummary): void {
  const known = (domain: string) => RUNTIME_DOMAINS.has(domain) || functionDomains.includes(domain);
  for (const operator of operators) {
    if (known(operator.slice(0, Math.max(0, operator.lastIndexOf('.'))))) continue;
    throw unsupported(`the graph uses the custom operator ${operator}, which is not built into the runtime`);
  }
}

const NAMES = new Map<number, string>(Object.entries(ELEMENT_TYPES).map(([name, number]) => [number, name]));

/** The element types that the runtime takes and gives, which are those that {@link DataType} names. */
const SERVED = new Map<number, DataType>(
  (Object.keys(DATA_TYPES) as DataType[]).map((dataType) => [ELEMENT_TYPES[dataType], dataType]),
);

function tensorSpec(side: 'input' | 'output', { name, kind, elementType, shape }: GraphValue): TensorSpec {
  const refuse = (problem: string, remedy: string) => unsupported(`${side} "${name}" ${problem}; ${remedy}`);
  const infer = 'run onnx.shape_inference.infer_shapes on the file';
  if (name.includes('\0')) throw refuse('has a NUL in its name', 'the runtime ends a name there; name it otherwise');
  if (kind === 'untyped') throw refuse('has no type', infer);
  if (kind !== 'tensor') {
    throw refuse(
      `is ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`,
      'only tensors can be served (scikit-learn models: convert them with zipmap=False)',
    );
  }
  const dataType = SERVED.get(elementType);
  if (dataType === undefined) {
    const type = NAMES.get(elementType) ?? `number ${elementType}`;
    throw refuse(`has the element type ${type}`, 'cast it to float32 inside the graph');
  }
  if (shape === undefined) throw refuse('has no shape', infer);
  if (side === 'input' && shape.length > MOST_RANK)
    throw refuse(`has ${shape.length} extents`, `a call can give ${MOST_RANK}; reshape it inside the graph`);
  return { name, dataType, shape };
}
