/**
 * Solves `A x = b` for a symmetric positive semidefinite `A` by Cholesky's factorization, in float64.
 *
 * A column that the earlier ones explain up to rounding gets a coefficient of 0, so that columns that repeat each other
 * are no error.
 *
 * @param matrix shape (size, size), row-major; the lower triangle is read, and overwritten
 * @param right shape (size); not changed
 */
export function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const explained = factorize(matrix, size);
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) solution[i] -= matrix[i * size + j] * solution[j];
    solution[i] = explained[i] === 1 ? 0 : solution[i] / matrix[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let j = i + 1; j < size; j++) solution[i] -= matrix[j * size + i] * solution[j];
    solution[i] = explained[i] === 1 ? 0 : solution[i] / matrix[i * size + i];
  }
  return solution;
}

/** The share of a column's own size under which what is left of it is rounding. */
export const ROUNDING = 1e-11;

/** Puts the factor into the lower triangle. @returns 1 for each column that was explained by the earlier ones */
function factorize(matrix: Float64Array, size: number): Uint8Array {
  const explained = new Uint8Array(size);
  for (let j = 0; j < size; j++) {
    const original = matrix[j * size + j];
    let pivot = original;
    for (let k = 0; k < j; k++) pivot -= matrix[j * size + k] ** 2;
    explained[j] = pivot > original * ROUNDING ? 0 : 1;
    matrix[j * size + j] = Math.sqrt(Math.max(pivot, 0));
    for (let i = j + 1; i < size; i++) {
      let sum = matrix[i * size + j];
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k] * matrix[j * size + k];
      matrix[i * size + j] = explained[j] === 1 ? 0 : sum / matrix[j * size + j];
    }
  }
  return explained;
}
