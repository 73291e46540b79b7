/** How good a regressor's answers are. */
import { invalidInput } from '../errors.js';

export interface RegressionReport {
  readonly rows: number;
  /** Root of the mean squared error, and mean absolute error; in the target's unit. */
  readonly rmse: number;
  readonly mae: number;
  /**
   * The share of the target's variance that is explained: 1 at best, 0 for the mean, below for worse. Where the target is
   * constant it is 1 for exact answers and 0 otherwise, as scikit-learn says; NaN for a single row.
   */
  readonly r2: number;
}

/**
 * @param truth finite values, in the target's unit
 * @param predicted as many; NaN for no answer, which makes every figure NaN
 * @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is not finite
 */
export function reportRegression(truth: ArrayLike<number>, predicted: ArrayLike<number>): RegressionReport {
  const rows = truth.length;
  if (rows === 0) throw invalidInput('there are no rows to evaluate');
  if (predicted.length !== rows) throw invalidInput(`${rows} rows have ${predicted.length} answers`);
  let mean = 0;
  for (let row = 0; row < rows; row++) {
    if (!Number.isFinite(truth[row])) throw invalidInput(`row ${row}: the truth is ${truth[row]}`);
    mean += (truth[row] - mean) / (row + 1);
  }
  let squares = 0;
  let absolutes = 0;
  let spread = 0;
  for (let row = 0; row < rows; row++) {
    const error = predicted[row] - truth[row];
    squares += error * error;
    absolutes += Math.abs(error);
    spread += (truth[row] - mean) ** 2;
  }
  return { rows, rmse: Math.sqrt(squares / rows), mae: absolutes / rows, r2: explained(rows, squares, spread) };
}

function explained(rows: number, squares: number, spread: number): number {
  if (rows < 2 || Number.isNaN(squares)) return Number.NaN;
  if (spread === 0) return squares === 0 ? 1 : 0;
  return 1 - squares / spread;
}
