/** A contract's ranges and vocabularies, held against tensors: generic callers keep them as typed ones do. Hot path. */
import type { InputBinding } from '../contract/bind.js';
import { isMissing, valueProblem } from '../contract/value.js';
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
  guard: InputBinding,
  values: TensorData,
  rowWidth: number,
  first: number,
  rows: number,
  problems: Problem[],
): void {
  // Pixels are normalized by now, and have no bounds of their own.
  if (guard.picture !== undefined) return;
  const { field, column } = guard,
    { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = field,
    isReal = field.type === 'double',
    isOne = field.tensor === undefined,
    width = isOne ? 1 : rowWidth;
  for (let row = 0; row < rows; row++)
    for (let i = 0, at = (first + row) * rowWidth + column; i < width; i++, at++) {
      const value = values[at]!;
      if (isReal && typeof value === 'number' && value >= min && value <= max) continue;
      const problem = guardedProblem(guard, typeof value === 'bigint' ? Number(value) : value);
      if (problem === undefined) continue;
      problems.push({ ...problem, path: `inputs.${field.name}[${row}]${isOne ? '' : `[${i}]`}` });
      if (problems.length >= MOST_PROBLEMS) throw invalidRequest(problems);
    }
}

/** What stands for a missing value need not keep the field's bounds, and a union's other members are missing. */
function guardedProblem({ field, inUnion }: InputBinding, value: number | string): Problem | undefined {
  if (field.missing.kind === 'default' && value === field.missing.value) return undefined;
  return inUnion === true && isMissing(value) ? undefined : valueProblem(field, value, '');
}
