/** A contract's ranges and vocabularies, held against tensors: generic callers keep them as typed ones do. Hot path. */
import type { InputBinding } from '../contract/bind.js';
import { valueProblem } from '../contract/value.js';
import type { Problem } from '../errors.js';
import type { TensorData } from '../model/tensor.js';
import { invalidRequest } from './invalid-request.js';

const MOST_PROBLEMS = 100;

/**
 * Adds what is wrong with an input's values to the problems.
 *
 * @param rowWidth values of a row
 * @param first the first row
 * @throws ParleyError INVALID_INPUT when there are many
 */
export function guardValues(
  { field, column }: InputBinding,
  values: TensorData,
  rowWidth: number,
  first: number,
  rows: number,
  problems: Problem[],
): void {
  // The graph is fed with pixels that may be scaled already.
  if (field.tensor?.encodings !== undefined) return;
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = field,
    isReal = field.type === 'double',
    isOne = field.tensor === undefined,
    width = isOne ? 1 : rowWidth;
  for (let row = 0; row < rows; row++)
    for (let i = 0, at = (first + row) * rowWidth + column; i < width; i++, at++) {
      const value = values[at]!;
      if (isReal && typeof value === 'number' && value >= min && value <= max) continue;
      const path = `inputs.${field.name}[${row}]${isOne ? '' : `[${i}]`}`,
        problem = valueProblem(field, typeof value === 'bigint' ? Number(value) : value, path);
      if (problem !== undefined && problems.push(problem) >= MOST_PROBLEMS) throw invalidRequest(problems);
    }
}
