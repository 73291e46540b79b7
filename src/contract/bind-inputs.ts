/** A request's fields and a graph's inputs: by name, or all in one matrix as scikit-learn's exporters have it. */
import type { Problem } from '../errors.js';
import type { DataType, TensorSpec } from '../model/tensor.js';
import type { InputBinding } from './bind.js';
import { INTEGER_RANGES } from './check.js';
import type { InputField, RequestStruct } from './contract.js';
import { didYouMean } from './nearest.js';
import { article } from './read-type.js';

export interface BoundInputs {
  readonly inputs: readonly InputBinding[];
  readonly widths: readonly number[];
}

/** What does not fit is added to `problems`. */
export function bindInputs(request: RequestStruct, inputs: readonly TensorSpec[], problems: Problem[]): BoundInputs {
  const matrix = matrixOf(request, inputs);
  return matrix === undefined ? bindByName(request, inputs, problems) : bindMatrix(request, matrix, problems);
}

function features(request: RequestStruct): readonly InputField[] {
  return request.fields.filter((field) => field.role === 'feature');
}

/** The graph's only input, when it has columns and is not one field's own. */
function matrixOf(request: RequestStruct, inputs: readonly TensorSpec[]): TensorSpec | undefined {
  const [only, second] = inputs;
  if (only === undefined || second !== undefined || !isFloat(only.dataType) || only.shape.length !== 2)
    return undefined;
  return only.shape[1] === 1 && request.fields.some((field) => field.name === only.name) ? undefined : only;
}

function bindMatrix(request: RequestStruct, input: TensorSpec, problems: Problem[]): BoundInputs {
  const fields = features(request);
  const report = (message: string) =>
    problems.push({ path: `inputs.${input.name}`, message, got: shapeText(input.shape) });
  if (!isBatch(input.shape)) report(fixedBatch(input));
  else if (input.shape[1] !== fields.length) {
    const names = fields.map((field) => field.name).join(', ');
    const extent = input.shape[1] === -1 ? 'no fixed number of columns' : `${input.shape[1]} columns`;
    report(
      `must have shape (-1, ${fields.length}), a column for each of ${names} in this order; the graph has ${extent}`,
    );
  }
  for (const field of fields) {
    if (field.type !== 'string' && field.type !== 'enum') continue;
    const message = `${article(field.type)} cannot be a column of the numeric input ${input.name}; give the graph a string input called ${field.name}, with the encoding inside`;
    problems.push({ path: `${request.name}.${field.name}`, message });
  }
  return { inputs: fields.map((field, column) => ({ field, input: 0, column })), widths: [fields.length] };
}

function bindByName(request: RequestStruct, inputs: readonly TensorSpec[], problems: Problem[]): BoundInputs {
  const bound: InputBinding[] = [];
  const names = features(request).map((field) => field.name);
  for (const [index, input] of inputs.entries()) {
    const report = (message: string, got?: string) =>
      problems.push({ path: `inputs.${input.name}`, message, ...(got === undefined ? {} : { got }) });
    const field = request.fields.find((candidate) => candidate.name === input.name);
    if (field === undefined) {
      report(`${request.name} has no field that feeds it${didYouMean(input.name, names)}; fields: ${names.join(', ')}`);
    } else if (field.role !== 'feature') {
      report(
        `${request.name}.${field.name} has role "${field.role}" and is not fed to the model; drop the role or the input`,
      );
    } else {
      const wrong = wrongShape(input) ?? wrongType(field, input.dataType);
      if (wrong !== undefined) report(wrong, `${input.dataType} ${shapeText(input.shape)}`);
      bound.push({ field, input: index, column: 0 });
    }
  }
  // A graph whose inputs are all fed may do without some fields; beside an input that nothing feeds, a field that feeds
  // nothing is most likely its counterpart.
  for (const name of problems.length === 0 ? [] : names) {
    if (inputs.some((input) => input.name === name)) continue;
    const taken = didYouMean(
      name,
      inputs.map((input) => input.name),
    );
    const message = `feeds no input of the graph${taken}; the graph has ${inputs.map((input) => input.name).join(', ')}`;
    problems.push({ path: `${request.name}.${name}`, message });
  }
  return { inputs: bound, widths: inputs.map(() => 1) };
}

function wrongShape(input: TensorSpec): string | undefined {
  const { shape } = input;
  if (shape.length > 0 && !isBatch(shape)) return fixedBatch(input);
  if (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) return undefined;
  return `must have shape (-1, 1) or (-1): one value for each row; the graph has ${shapeText(shape)}`;
}

/** The whole numbers that each integer element type holds. */
const ELEMENT_RANGES: Readonly<Partial<Record<DataType, readonly [number, number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64],
};

function wrongType(field: InputField, dataType: DataType): string | undefined {
  const expected = (types: string) =>
    `must be ${types}, because ${field.name} is ${article(field.type)}; the graph has ${dataType}`;
  if (field.type === 'string' || field.type === 'enum') return dataType === 'string' ? undefined : expected('string');
  if (isFloat(dataType)) return undefined;
  const elements = ELEMENT_RANGES[dataType];
  if (field.type === 'double' || (elements === undefined && dataType !== 'bool')) return expected('float32 or float64');
  if (dataType === 'bool' && field.type !== 'bool') return expected('a number');
  if (field.missing.kind === 'allowed') {
    return `must be float32 or float64, because ${field.name} may be missing and ${dataType} has no NaN`;
  }
  if (elements === undefined) return undefined;
  const [low, high] = rangeOf(field);
  if (low >= elements[0] && high <= elements[1]) return undefined;
  return `must hold every ${field.name} from ${low} to ${high}; ${dataType} does not. Use a wider type, or min and max`;
}

/** The smallest and largest value that validation lets through. */
function rangeOf(field: InputField): readonly [number, number] {
  const [low, high] = INTEGER_RANGES[field.type] ?? [0, 1];
  return [Math.max(low, field.min ?? low), Math.min(high, field.max ?? high)];
}

function isFloat(dataType: DataType): boolean {
  return dataType === 'float32' || dataType === 'float64';
}

function isBatch(shape: readonly number[]): boolean {
  return shape[0] === -1;
}

function fixedBatch(input: TensorSpec): string {
  return `takes exactly ${input.shape[0]} rows; a first extent other than -1 is not supported yet, export the graph with an open batch`;
}

export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')})`;
}
