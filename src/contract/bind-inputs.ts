/** A request's fields and a graph's inputs: by name, or all in one matrix as scikit-learn's exporters have it. */
import type { Problem } from '../errors.js';
import type { TensorSpec } from '../model/tensor.js';
import type { BindableVersion, InputBinding } from './bind.js';
import { bindPicture, isShape } from './bind-picture.js';
import { isFloat, shapeText, wrongType } from './bind-types.js';
import { type InputField, type RequestStruct, unionOf } from './contract.js';
import { didYouMean } from './nearest.js';
import { elementsOf } from './raw-bytes.js';
import { described } from './read-type.js';

export interface BoundInputs {
  readonly inputs: readonly InputBinding[];
  readonly widths: readonly number[];
}

/** What does not fit is added to `problems`. */
export function bindInputs(request: RequestStruct, version: BindableVersion, problems: Problem[]): BoundInputs {
  const matrix = matrixOf(request, version.signature.inputs);
  return matrix === undefined ? bindByName(request, version, problems) : bindMatrix(request, matrix, problems);
}

function features(request: RequestStruct): readonly InputField[] {
  return request.fields.filter((field) => field.role === 'feature');
}

/** The graph's only input, when it has columns and is not one field's own. */
function matrixOf(request: RequestStruct, inputs: readonly TensorSpec[]): TensorSpec | undefined {
  const [only, second] = inputs;
  if (only === undefined || second !== undefined || !isFloat(only.dataType) || only.shape.length !== 2)
    return undefined;
  const own = request.fields.find((field) => field.name === only.name);
  if (own !== undefined && (only.shape[1] === 1 || own.tensor !== undefined)) return undefined;
  return features(request).every((field) => field.tensor !== undefined) ? undefined : only;
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
    if (field.type !== 'string' && field.type !== 'enum' && field.tensor === undefined) continue;
    const kind = field.type === 'string' || field.type === 'enum' ? 'a string input' : 'an input';
    const encoding = kind === 'an input' ? '' : ', with the encoding inside';
    const message = `${described(field)} cannot be a column of the numeric input ${input.name}; give the graph ${kind} called ${field.name}${encoding}`;
    problems.push({ path: `${request.name}.${field.name}`, message });
  }
  return {
    inputs: fields.map((field, column) => bindingOf(request, field, 0, column)),
    widths: [fields.length],
  };
}

function bindingOf(request: RequestStruct, field: InputField, input: number, column: number): InputBinding {
  return { field, input, column, ...(unionOf(request, field) === undefined ? {} : { inUnion: true }) };
}

function bindByName(request: RequestStruct, version: BindableVersion, problems: Problem[]): BoundInputs {
  const { inputs } = version.signature;
  const bound: InputBinding[] = [];
  const names = features(request).map((field) => field.name);
  for (const [index, input] of inputs.entries()) {
    const report = (message: string, got?: string) =>
      problems.push({ path: `inputs.${input.name}`, message, ...(got === undefined ? {} : { got }) });
    const field = request.fields.find((candidate) => candidate.name === input.name);
    if (field === undefined) {
      report(
        `${request.name} has no field that feeds it${didYouMean(input.name, names)}; fields: ${names.join(', ')}. Where only the names differ, publish it with --map field=${input.name}`,
      );
    } else if (field.role !== 'feature') {
      report(
        `${request.name}.${field.name} has role "${field.role}" and is not fed to the model; drop the role or the input`,
      );
    } else {
      const binding = bindField(request, field, input, version);
      if (typeof binding === 'string') report(binding, `${input.dataType} ${shapeText(input.shape)}`);
      bound.push({
        ...bindingOf(request, field, index, 0),
        ...(typeof binding === 'string' ? {} : binding),
      });
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
  return { inputs: bound, widths: inputs.map((input) => widthOf(bound.find((each) => inputs[each.input] === input))) };
}

/** Values of a row; -1: as many as its list has. */
function widthOf(binding: InputBinding | undefined): number {
  const shape = binding?.field.tensor?.shape ?? [];
  return shape[0] === -1 ? -1 : elementsOf(shape);
}

/** What is to be known beside the names, or what is wrong. */
function bindField(
  request: RequestStruct,
  field: InputField,
  input: TensorSpec,
  { metadata }: BindableVersion,
): Pick<InputBinding, 'picture'> | string {
  if (input.shape.length > 0 && !isBatch(input.shape)) return fixedBatch(input);
  if (field.tensor?.encodings !== undefined) {
    const picture = bindPicture(field, input, metadata);
    return typeof picture === 'string' ? picture : { picture };
  }
  return wrongShape(field, input) ?? wrongType(request, field, input.dataType) ?? {};
}

function wrongShape({ name, tensor, ...field }: InputField, { shape }: TensorSpec): string | undefined {
  if (tensor === undefined) {
    if (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) return undefined;
    return `must have shape (-1, 1) or (-1): one value for each row; the graph has ${shapeText(shape)}`;
  }
  const expected = [-1, ...tensor.shape];
  if (isShape(shape, expected)) return undefined;
  const what = described({ ...field, tensor });
  return `must have shape ${shapeText(expected)}, because ${name} is ${what}; the graph has ${shapeText(shape)}`;
}

function isBatch(shape: readonly number[]): boolean {
  return shape[0] === -1;
}

function fixedBatch(input: TensorSpec): string {
  return `takes exactly ${input.shape[0]} rows; a first extent other than -1 is not supported yet, export the graph with an open batch`;
}
