/**
 * How a contract's service and a graph fit together: which field feeds which input, which output makes which field.
 *
 * Decided once, when a version is published or loaded; the codecs then only follow the numbers.
 */
import { contractMismatch, notFound, type Problem } from '../errors.js';
import type { Signature } from '../model/tensor.js';
import { bindInputs } from './bind-inputs.js';
import { bindOutputs } from './bind-outputs.js';
import type { Contract, ContractMethod, ContractService, InputField, OutputField } from './contract.js';
import { didYouMean } from './nearest.js';

/** One field of a request and its place in a row of a graph's input. */
export interface InputBinding {
  readonly field: InputField;
  /** Index in `signature.inputs`. */
  readonly input: number;
  /** Offset in the row of that input; a field with many values has the whole row, row-major. */
  readonly column: number;
  /** The field is one of a union's, and missing where another member was chosen. */
  readonly inUnion?: true;
  /** Of a picture. */
  readonly picture?: PictureBinding;
}

/** How a picture of RGB pixels, 0 to 255, becomes a row of a graph's input: element = pixel * scale + offset. */
export interface PictureBinding {
  readonly height: number;
  readonly width: number;
  /** NHWC: pixel by pixel; NCHW: plane by plane. */
  readonly layout: 'NHWC' | 'NCHW';
  /** The order of the three. */
  readonly channels: 'RGB' | 'BGR';
  /** Of each channel, in the graph's order. */
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
}

/**
 * One field of a response and where it comes from.
 *
 * | role | output | column | keys |
 * |---|---|---|---|
 * | label | the label's | | each class: its wire value (enum value, number or string), its index in `classes` |
 * | probability | the probabilities' | | each class: its key in the map, its column |
 * | probability_of_positive | the probabilities' | the positive class's | |
 * | confidence | the probabilities'; the largest of the row | | |
 * | value | the value's | | |
 * | provenance | undefined: not from the graph | | |
 */
export interface OutputBinding {
  readonly field: OutputField;
  /** Index in `signature.outputs`. */
  readonly output: number | undefined;
  readonly column?: number;
  readonly keys?: readonly { readonly key: number | string; readonly column: number }[];
}

export interface MethodBinding {
  readonly method: ContractMethod;
  readonly inputs: readonly InputBinding[];
  /** Values per row of each graph input, in the signature's order; -1: as many as the row's list has. */
  readonly widths: readonly number[];
  readonly outputs: readonly OutputBinding[];
  /** Indices in `signature.outputs` that this method needs, ascending. */
  readonly fetches: readonly number[];
}

export interface ServiceBinding {
  readonly service: ContractService;
  readonly signature: Signature;
  /** In the order of the probabilities' columns; empty for a regression. */
  readonly classes: readonly string[];
  readonly methods: readonly MethodBinding[];
}

export interface BindableVersion {
  readonly modelType: string;
  readonly signature: Signature;
  /** `classes: string[]` for a classifier. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * @param service its name in the contract
 * @throws CONTRACT_MISMATCH with everything that does not fit; NOT_FOUND when the contract has no such service
 */
export function bindService(contract: Contract, service: string, version: BindableVersion): ServiceBinding {
  const found = contract.services.find((candidate) => candidate.name === service);
  if (found === undefined) {
    const names = contract.services.map((candidate) => candidate.name);
    throw notFound(
      `${contract.file} has no service "${service}"${didYouMean(service, names)}; it has ${names.join(', ')}`,
    );
  }
  if (version.modelType === 'tensor')
    throw contractMismatch(
      `a tensor version keeps no contract; publish its graph again for the service ${found.name}, which makes it a tabular one where it fits`,
    );
  const problems: Problem[] = [];
  const classes = classesOf(version);
  const methods = found.methods.map((method) => bindMethod(method, version, classes, problems));
  raise(found, distinct(problems));
  return { service: found, signature: version.signature, classes, methods };
}

function bindMethod(
  method: ContractMethod,
  version: BindableVersion,
  classes: readonly string[],
  problems: Problem[],
): MethodBinding {
  const { inputs, widths } = bindInputs(method.request, version, problems);
  const outputs = bindOutputs(method.response, version, classes, problems);
  const fetched = new Set(outputs.flatMap(({ output }) => (output === undefined ? [] : [output])));
  return { method, inputs, widths, outputs, fetches: [...fetched].sort((a, b) => a - b) };
}

function classesOf({ metadata }: BindableVersion): readonly string[] {
  const { classes } = metadata;
  return Array.isArray(classes) && classes.every((name) => typeof name === 'string') ? classes : [];
}

/** Methods share structs, so that they share problems too. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem]));
  return [...seen.values()];
}

function raise(service: ContractService, problems: readonly Problem[]): void {
  const first = problems[0];
  if (first === undefined) return;
  const rest = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  const message = `the graph does not fit the service ${service.name}: ${first.path}: ${first.message}${rest}`;
  throw contractMismatch(message, { problems });
}
