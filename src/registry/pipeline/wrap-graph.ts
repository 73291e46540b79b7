/**
 * Pipeline step: a plain ONNX graph becomes an artifact. Pure, and the same bytes for the same graph and contract.
 *
 * Without a contract it is a tensor model: its inputs and outputs are what they are. With one, the roles of the
 * service's answer say whether it is a classifier or a regressor, and the graph must say what its classes are.
 */
import type { ContractService, ResponseStruct } from '../../contract/contract.js';
import { labelClasses } from '../../contract/contract.js';
import { contractMismatch, invalidInput, modelBroken } from '../../errors.js';
import type { TensorSpec } from '../../model/tensor.js';
import type { Artifact } from '../../model/trained.js';
import { modelTypeOf } from '../../model-types/table.js';
import { TENSOR } from '../../model-types/tensor/runtime.js';
import { type ClassNames, classNames, writtenClasses } from '../../onnx/class-names.js';
import { inspectGraph, readGraph } from '../../onnx/reader.js';
import { numberLabels, openRows } from '../../onnx/rewrite.js';
import { dropZipMaps } from '../../onnx/zip-map.js';
import { servedSignature } from '../../serving/served-graph.js';

const CLASSIFIER = 'tabular-classifier',
  REGRESSOR = 'tabular-regressor';

export interface Wanted {
  /** What the caller says that it is; deduced when absent. */
  readonly modelType?: string | undefined;
  /** What it is to answer. */
  readonly service?: ContractService | undefined;
}

/**
 * @throws ParleyError MODEL_BROKEN where the bytes are no graph, UNSUPPORTED where the runtime cannot serve it,
 *   CONTRACT_MISMATCH where it does not say what the contract needs, INVALID_INPUT where it is not of the type wanted
 */
export function wrapGraph(bytes: Uint8Array, { modelType, service }: Wanted): Artifact {
  readGraph(bytes);
  const { graph, classes } = dropZipMaps(bytes);
  const type = typeOf(modelType, service);
  if (type === CLASSIFIER) return classifier(graph, classes, service);
  const opened = type === TENSOR ? graph : withOpenRows(graph);
  const { signature, summary } = inspectGraph(opened);
  if (type !== TENSOR) return { modelType: type, graph: opened, signature, metadata: {} };
  const { optionalInputs } = summary;
  const metadata = optionalInputs.length === 0 ? {} : { optional_inputs: optionalInputs };
  return { modelType: type, graph, metadata, signature: servedSignature({ graph, metadata }) };
}

function typeOf(wanted: string | undefined, service: ContractService | undefined): string {
  const deduced = service === undefined ? undefined : isRegression(service) ? REGRESSOR : CLASSIFIER;
  if (wanted === undefined) return deduced ?? TENSOR;
  modelTypeOf(wanted);
  if (deduced === undefined || wanted === deduced) return wanted;
  throw invalidInput(`model_type is "${wanted}", and the service ${service!.name} is answered by a ${deduced}`);
}

const responsesOf = (service: ContractService): ResponseStruct[] => service.methods.map(({ response }) => response);

const isRegression = (service: ContractService): boolean =>
  responsesOf(service).some(({ fields }) => fields.some(({ role }) => role === 'value'));

function classifier(bytes: Uint8Array, zipped: readonly string[], service: ContractService | undefined): Artifact {
  const graph = withOpenRows(bytes),
    { signature, summary } = inspectGraph(graph);
  const label = signature.outputs.find(isLabel);
  const found = label === undefined ? undefined : classNames(graph, label.name);
  const classes = writtenClasses(summary.metadata) ?? named(found) ?? (zipped.length > 0 ? zipped : undefined);
  const artifact = {
    modelType: CLASSIFIER,
    signature,
    metadata: { classes: classes ?? declared(label, service) },
    graph,
  };
  if (label?.dataType !== 'int64' || !isNumbers(found) || areColumns(found)) return artifact;
  if (classes !== undefined && classes.length !== found.length)
    throw modelBroken(
      `the graph's metadata names ${classes.length} classes, and its label is one of ${found.join(', ')}`,
    );
  const numbered = numberLabels(graph, label.name, found);
  return { ...artifact, graph: numbered, signature: inspectGraph(numbered).signature };
}

const isLabel = ({ dataType, shape }: TensorSpec): boolean =>
  (dataType === 'string' || dataType === 'int64') && shape.length === 1;

const named = (found: ClassNames | undefined): readonly string[] | undefined => found?.map(String);

const isNumbers = (found: ClassNames | undefined): found is readonly bigint[] => typeof found?.[0] === 'bigint';

/** A label of 0, 1, 2 … is its column already. */
const areColumns = (found: readonly bigint[]): boolean => found.every((value, column) => value === BigInt(column));

/** The contract's own classes, where the label is text and nobody asks which column is whose. */
function declared(label: TensorSpec | undefined, service: ContractService | undefined): readonly string[] {
  const columns = ['probability', 'probability_of_positive'];
  const responses = service === undefined ? [] : responsesOf(service);
  const classes = responses.map(labelClasses).find((names) => names.length > 0);
  const asked = responses.some(({ fields }) => fields.some(({ role }) => columns.includes(role)));
  if (label?.dataType === 'string' && classes !== undefined && !asked) return classes;
  const example = JSON.stringify(classes ?? ['no', 'yes']);
  throw contractMismatch(
    `the graph does not say what its classes are, in the order of its probabilities' columns; add them to its metadata_props, such as classes = ${example}`,
  );
}

/** Some exporters declare one row where there are as many as are asked for. */
function withOpenRows(graph: Uint8Array): Uint8Array {
  const { inputs, outputs } = readGraph(graph);
  if (inputs.length === 0 || !inputs.every(({ shape }) => shape?.[0] === -1)) return graph;
  return outputs
    .filter(({ kind, shape }) => kind === 'tensor' && shape?.length === 1 && shape[0] === 1)
    .reduce((opened, { name }) => openRows(opened, name), graph);
}
