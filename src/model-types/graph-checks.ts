/** Whether a graph's inputs and outputs are what its type's metadata says. Each answers what does not fit. Pure. */
import { OUTPUT_NAMES } from '../contract/bind-outputs.js';
import type { Problem } from '../errors.js';
import type { DataType, Signature, TensorSpec } from '../model/tensor.js';

export type Misfit = Pick<Problem, 'path' | 'message'>;

/** The output that has a role, by the names that trainers and exporters give it. */
export function outputOf({ outputs }: Signature, role: keyof typeof OUTPUT_NAMES): TensorSpec | undefined {
  const names: readonly string[] = OUTPUT_NAMES[role];
  return names.map((name) => outputs.find((output) => output.name === name)).find((output) => output !== undefined);
}

/** @param shapes any of which will do; -1 is open, and what the graph leaves open may become any extent */
export function checkInput(
  { inputs }: Signature,
  name: string,
  dataTypes: readonly DataType[],
  shapes: readonly (readonly number[])[],
): readonly Misfit[] {
  const input = inputs.find((each) => each.name === name);
  if (input === undefined)
    return [{ path: 'input', message: `the graph has no input "${name}"; it has ${named(inputs)}` }];
  if (dataTypes.includes(input.dataType) && shapes.some((shape) => mayBe(input.shape, shape))) return [];
  return [misfit(`inputs.${name}`, dataTypes, shapes, input)];
}

export function checkOutput(
  signature: Signature,
  role: keyof typeof OUTPUT_NAMES,
  dataTypes: readonly DataType[],
  shapes: readonly (readonly number[])[],
): readonly Misfit[] {
  const output = outputOf(signature, role);
  if (output === undefined) {
    const message = `the graph has no output called ${OUTPUT_NAMES[role].join(' or ')}; it has ${named(signature.outputs)}`;
    return [{ path: 'outputs', message }];
  }
  if (dataTypes.includes(output.dataType) && shapes.some((shape) => mayBe(output.shape, shape))) return [];
  return [misfit(`outputs.${output.name}`, dataTypes, shapes, output)];
}

/** A label, or probabilities with a column for each class, or both. */
export function checkClassOutputs(signature: Signature, classes: readonly string[]): readonly Misfit[] {
  const label = () => checkOutput(signature, 'label', ['string', 'int64'], [[-1]]);
  const probabilities = () => checkOutput(signature, 'probabilities', FLOATS, [[-1, classes.length]]);
  if (outputOf(signature, 'probabilities') === undefined) return label();
  return outputOf(signature, 'label') === undefined ? probabilities() : [...label(), ...probabilities()];
}

export const FLOATS: readonly DataType[] = ['float32', 'float64'];

/** A fixed extent must be the wanted one. */
function mayBe(shape: readonly number[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && shape.every((extent, axis) => extent === -1 || extent === wanted[axis]);
}

function misfit(
  path: string,
  dataTypes: readonly DataType[],
  shapes: readonly (readonly number[])[],
  { dataType, shape }: TensorSpec,
): Misfit {
  const expected = `${dataTypes.join(' or ')} of shape ${shapes.map((each) => `(${each.join(', ')})`).join(' or ')}`;
  return { path, message: `must be ${expected}; the graph has ${dataType} (${shape.join(', ')})` };
}

const named = (specs: readonly TensorSpec[]): string => specs.map(({ name }) => name).join(', ') || 'none';
