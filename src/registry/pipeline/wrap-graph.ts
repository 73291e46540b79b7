/**
 * Pipeline step: a plain ONNX graph becomes an artifact. Pure, and the same bytes for the same graph, contract and metadata.
 *
 * Without a contract it is a tensor model: its inputs and outputs are what they are. With one, the roles of the
 * service's answer say whether it is a classifier or a regressor, and the graph must say what its classes are. A caller
 * who names a type says, or has the graph's metadata_props say, what that type wants to know.
 */
import { OUTPUT_NAMES } from '../../contract/bind-outputs.js';
import type { ContractService, OutputField, ResponseStruct } from '../../contract/contract.js';
import { labelClasses } from '../../contract/contract.js';
import { contractMismatch, invalidInput, modelBroken } from '../../errors.js';
import type { Signature, TensorSpec } from '../../model/tensor.js';
import type { Artifact } from '../../model/trained.js';
import { ENSEMBLE } from '../../model-types/ensemble/runtime.js';
import { isText } from '../../model-types/record-fields.js';
import { modelTypeOf } from '../../model-types/table.js';
import { TENSOR } from '../../model-types/tensor/runtime.js';
import { type ClassNames, classNames, writtenClasses } from '../../onnx/class-names.js';
import { inspectGraph, readGraph } from '../../onnx/reader.js';
import { numberLabels, openRows } from '../../onnx/rewrite.js';
import { dropZipMaps } from '../../onnx/zip-map.js';
import { servedSignature } from '../../serving/served-graph.js';
import { namedByContract } from './name-by-contract.js';

type Metadata = Artifact['metadata'];

/** What may answer classes, and what may answer values; the first of each is what a contract alone makes a graph. */
const CLASSIFIERS: readonly string[] = ['tabular-classifier', 'text-classifier', 'image-classifier'];
const REGRESSORS: readonly string[] = ['tabular-regressor', 'forecaster'];

export interface Wanted {
  /** What the caller says that it is; deduced when absent. */
  readonly modelType?: string | undefined;
  /** What it is to answer. */
  readonly service?: ContractService | undefined;
  /**
   * The type's own fields, over those of the graph's metadata_props; null leaves one out. `map` and `map_output` are none
   * of them: they say what the graph calls the contract's fields, and its answers by their roles.
   */
  readonly metadata?: Metadata | undefined;
}

/**
 * @throws ParleyError MODEL_BROKEN where the bytes are no graph, UNSUPPORTED where the runtime cannot serve it,
 *   CONTRACT_MISMATCH where it does not say what the contract needs, INVALID_INPUT where it is not of the type wanted
 */
export function wrapGraph(uploaded: Uint8Array, { modelType, service, metadata: all = {} }: Wanted): Artifact {
  const { bytes, told, renamed } = namedByContract(uploaded, all, service);
  const written = readGraph(bytes).metadata;
  const { graph, classes } = dropZipMaps(bytes);
  const type = typeOf(modelType, service);
  if (CLASSIFIERS.includes(type)) {
    const said = renamedInput({ ...saidBy(type, written), ...told }, renamed);
    return classifier(type, graph, classes, { service, said });
  }
  const opened = type === TENSOR ? graph : withOpenRows(graph);
  const { signature, summary } = inspectGraph(opened);
  if (type !== TENSOR) {
    const said = renamedInput({ ...answeredBy(service), ...saidBy(type, written), ...told }, renamed);
    return { modelType: type, graph: opened, signature, metadata: present(said) };
  }
  const { optionalInputs } = summary;
  const metadata = present({ ...(optionalInputs.length === 0 ? {} : { optional_inputs: optionalInputs }), ...told });
  return { modelType: type, graph, metadata, signature: servedSignature({ graph, metadata }) };
}

/** What metadata calls an input is what the graph's maker called it. */
function renamedInput(said: Metadata, renamed: ReadonlyMap<string, string>): Metadata {
  const name = typeof said.input === 'string' ? renamed.get(said.input) : undefined;
  return name === undefined ? said : { ...said, input: name };
}

function typeOf(wanted: string | undefined, service: ContractService | undefined): string {
  const fitting = service === undefined ? undefined : isRegression(service) ? REGRESSORS : CLASSIFIERS;
  if (wanted === undefined) return fitting?.[0] ?? TENSOR;
  modelTypeOf(wanted);
  if (wanted === ENSEMBLE)
    throw invalidInput('a graph is no ensemble; make one of published versions with "parley ensemble"');
  if (fitting === undefined || fitting.includes(wanted)) return wanted;
  throw invalidInput(`model_type is "${wanted}", and the service ${service!.name} is answered by a ${fitting[0]}`);
}

const responsesOf = (service: ContractService): ResponseStruct[] => service.methods.map(({ response }) => response);

const isRegression = (service: ContractService): boolean => answeredValue(service) !== undefined;

const answeredValue = (service: ContractService): OutputField | undefined =>
  responsesOf(service)
    .flatMap(({ fields }) => fields)
    .find(({ role }) => role === 'value');

/** What the contract calls the value, and its unit. */
function answeredBy(service: ContractService | undefined): Metadata {
  const field = service && answeredValue(service);
  if (field === undefined) return {};
  return { target: field.name, ...(field.unit === undefined ? {} : { unit: field.unit }) };
}

/** The type's fields among the graph's metadata_props: text as it is or as JSON, everything else as JSON. */
function saidBy(type: string, written: Readonly<Record<string, string>>): Metadata {
  const { metadata } = modelTypeOf(type);
  const names = Object.keys(metadata.shape).filter((name) => written[name] !== undefined);
  const read = (name: string): unknown => {
    if (name === 'classes') return writtenClasses(written);
    try {
      const parsed: unknown = JSON.parse(written[name]!);
      return isText(metadata, name) && typeof parsed !== 'string' ? written[name] : parsed;
    } catch {
      return written[name];
    }
  };
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

const present = (metadata: Metadata): Metadata =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null && value !== undefined));

interface Told {
  readonly service: ContractService | undefined;
  readonly said: Metadata;
}

function classifier(type: string, bytes: Uint8Array, zipped: readonly string[], { service, said }: Told): Artifact {
  const graph = withOpenRows(bytes),
    { signature } = inspectGraph(graph);
  const label = labelOf(signature);
  const found = label === undefined ? undefined : classNames(graph, label.name);
  checkSameClasses(saidClasses(said), found);
  const classes = saidClasses(said) ?? named(found) ?? (zipped.length > 0 ? zipped : undefined);
  const metadata = present({
    ...inputOf(type, signature),
    ...said,
    classes: said.classes ?? classes ?? declared(label, service),
  });
  const artifact = { modelType: type, signature, metadata, graph };
  if (label?.dataType !== 'int64' || !isNumbers(found) || areColumns(found)) return artifact;
  if (classes !== undefined && classes.length !== found.length)
    throw modelBroken(
      `the graph's metadata names ${classes.length} classes, and its label is one of ${found.join(', ')}`,
    );
  const numbered = numberLabels(graph, label.name, found);
  return { ...artifact, graph: numbered, signature: inspectGraph(numbered).signature };
}

/** A list; what else stands there the type's schema refuses. */
const saidClasses = ({ classes }: Metadata): readonly string[] | undefined =>
  Array.isArray(classes) ? classes : undefined;

/** A label of text is one of the classifier's own words, in the order of its scores: nothing else may be said of it. */
function checkSameClasses(said: readonly string[] | undefined, found: ClassNames | undefined): void {
  if (said === undefined || found === undefined || isNumbers(found) || said.length !== found.length) return;
  if (said.every((name, column) => name === found[column])) return;
  const quoted = (names: readonly unknown[]) => names.map((name) => `"${name}"`).join(', ');
  throw contractMismatch(
    `the graph contradicts itself: its label is one of ${quoted(found)}, and its metadata says ${quoted(said)}; drop classes from the metadata, or correct them`,
  );
}

/** What a graph with one input leaves no doubt about. */
function inputOf(type: string, { inputs }: Signature): Metadata {
  const [only, second] = inputs;
  if (only === undefined || second !== undefined) return {};
  const { shape } = modelTypeOf(type).metadata;
  return { ...('input' in shape ? { input: only.name } : {}), ...('dtype' in shape ? { dtype: only.dataType } : {}) };
}

/** As the binding goes by: the one that has a label's name, whatever else is of its type. */
function labelOf({ outputs }: Signature): TensorSpec | undefined {
  const labels = outputs.filter(isLabel);
  for (const name of OUTPUT_NAMES.label) {
    const found = labels.find((output) => output.name === name);
    if (found !== undefined) return found;
  }
  return labels[0];
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
    `the graph does not say what its classes are, in the order of its probabilities' columns; add them to its metadata_props, or to what --metadata FILE names, such as classes = ${example}`,
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
