/** How good a regressor's answers are. Conventions are scikit-learn's. */
import { invalidInput } from '../errors.js';
import { meanOf, type Statistic } from './statistic.js';

type Column = ArrayLike<number>;

export interface RegressionAnswers {
  /** Finite values, in the target's unit. */
  readonly truth: Column;
  /** As many; NaN for no answer, which makes every figure NaN. */
  readonly predicted: Column;
  /** The ends of an interval for each value. */
  readonly intervalLow?: Column;
  readonly intervalHigh?: Column;
}

export interface RegressionReport {
  readonly rows: number;
  /** Root of the mean squared error, and mean absolute error; in the target's unit. */
  readonly rmse: number;
  readonly mae: number;
  /** As {@link r2Of} says. */
  readonly r2: number;
}

/** @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is not finite */
export function reportRegression(truth: Column, predicted: Column): RegressionReport {
  const answers = { truth, predicted };
  checkRegression(answers);
  return { rows: truth.length, rmse: rmseOf(answers)(), mae: maeOf(answers)(), r2: r2Of(answers)() };
}

/** @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is not finite */
export function checkRegression({ truth, predicted, intervalLow, intervalHigh }: RegressionAnswers): void {
  const rows = truth.length;
  if (rows === 0) throw invalidInput('there are no rows to evaluate');
  for (const answers of [predicted, intervalLow, intervalHigh]) {
    if (answers !== undefined && answers.length !== rows)
      throw invalidInput(`${rows} rows have ${answers.length} answers`);
  }
  for (let row = 0; row < rows; row++) {
    if (!Number.isFinite(truth[row])) throw invalidInput(`row ${row}: the truth is ${truth[row]}`);
  }
}

const perRow = ({ truth, predicted }: RegressionAnswers, of: (truth: number, predicted: number) => number): Statistic =>
  meanOf(Float64Array.from({ length: truth.length }, (_, row) => of(truth[row], predicted[row])));

/** Root of the mean squared error. */
export function rmseOf(answers: RegressionAnswers): Statistic {
  const squared = perRow(answers, (truth, predicted) => (predicted - truth) ** 2);
  return (weights) => Math.sqrt(squared(weights));
}

/** Mean absolute error. */
export const maeOf = (answers: RegressionAnswers): Statistic =>
  perRow(answers, (truth, predicted) => Math.abs(predicted - truth));

/**
 * Mean absolute percentage error, as a share and not in percent: of |error| / |truth|, where a truth of 0 is taken for the
 * smallest step of a double at 1, 2^-52, as `mean_absolute_percentage_error` does.
 */
export const mapeOf = (answers: RegressionAnswers): Statistic =>
  perRow(answers, (truth, predicted) => Math.abs(predicted - truth) / Math.max(Number.EPSILON, Math.abs(truth)));

/**
 * Mean pinball loss (Koenker & Bassett 1978): what lies too low costs `level` a unit, what lies too high 1 - `level`.
 *
 * @param level of the quantile that is estimated, above 0 and below 1; at 0.5 it is half of the mean absolute error
 */
export const pinballOf = (answers: RegressionAnswers, level: number): Statistic =>
  perRow(answers, (truth, predicted) => (truth - predicted) * (level - Number(truth < predicted)));

/** Share of rows whose truth is inside of the interval, ends included; an end that is NaN holds nothing. */
export function intervalCoverageOf({ truth, intervalLow, intervalHigh }: RegressionAnswers): Statistic {
  if (intervalLow === undefined || intervalHigh === undefined) return () => Number.NaN;
  return meanOf(
    Float64Array.from({ length: truth.length }, (_, row) =>
      Number(intervalLow[row] <= truth[row] && truth[row] <= intervalHigh[row]),
    ),
  );
}

/** Mean of high - low. */
export function intervalWidthOf({ truth, intervalLow, intervalHigh }: RegressionAnswers): Statistic {
  if (intervalLow === undefined || intervalHigh === undefined) return () => Number.NaN;
  return meanOf(Float64Array.from({ length: truth.length }, (_, row) => intervalHigh[row] - intervalLow[row]));
}

/**
 * The share of the target's variance that is explained: 1 at best, 0 for the mean, below for worse. Where the target is
 * constant it is 1 for exact answers and 0 otherwise, as `r2_score` says; NaN for a single row.
 */
export function r2Of({ truth, predicted }: RegressionAnswers): Statistic {
  const rows = truth.length;
  const isConstant = Array.from(truth).every((value) => value === truth[0]);
  const meanTruth = meanOf(Float64Array.from(truth));
  return (weights) => {
    const mean = meanTruth(weights);
    let squares = 0;
    let spread = 0;
    let counted = 0;
    for (let row = 0; row < rows; row++) {
      const weight = weights === undefined ? 1 : weights[row];
      if (weight === 0) continue;
      squares += weight * (predicted[row] - truth[row]) ** 2;
      spread += weight * (truth[row] - mean) ** 2;
      counted += 1;
    }
    if (rows < 2 || counted === 0 || Number.isNaN(squares)) return Number.NaN;
    if (isConstant || spread === 0) return squares === 0 ? 1 : 0;
    return 1 - squares / spread;
  };
}
