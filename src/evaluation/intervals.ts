/**
 * The confidence interval of a contract's metric: Wilson's for shares of rows and what is made of one, and the bootstrap
 * for the rest.
 */
import type { FixtureAnswers } from './answers.js';
import { bootstrapInterval } from './bootstrap.js';
import { type ClassCounts, countClasses, type Score } from './class-counts.js';
import { type ClassFixtureAnswers, type Figure, rightAnswers, whichOf } from './figures.js';
import { normalQuantile } from './normal.js';
import type { Statistic } from './statistic.js';
import { type Interval, wilsonInterval } from './wilson.js';

/**
 * @param level two-sided, above 0 and below 1
 * @returns undefined where there is no closed form for the figure
 */
export function closedInterval(figure: Figure, answers: FixtureAnswers, level: number): Interval | undefined {
  const z = normalQuantile((1 + level) / 2);
  const { metric } = figure;
  if (answers.task === 'regression') return metric === 'interval_coverage' ? coverage(answers, z) : undefined;
  switch (metric) {
    case 'accuracy':
      return shareOfRows(rightAnswers(answers), z);
    case 'precision':
    case 'recall':
    case 'f1':
      return scoreInterval(metric, answers, figure.argument, z);
    default:
      return undefined;
  }
}

/**
 * By the bootstrap. A figure that no resample changes is a perfect one, or of very few rows; its interval then reaches down as
 * far as that of a share that was right on every row of the smallest class.
 */
export function resampledInterval(
  statistic: Statistic,
  answers: FixtureAnswers,
  level: number,
  best?: 'higher',
): Interval {
  const interval = bootstrapInterval(statistic, answers.truth.length, level);
  if (interval.low !== interval.high || answers.task === 'regression' || best === undefined) return interval;
  const smallest = Math.min(...countClasses(answers).support.filter((rows) => rows > 0));
  const { low } = wilsonInterval(smallest, smallest, normalQuantile((1 + level) / 2));
  return { low: Math.min(interval.low, interval.low * low), high: interval.high };
}

function coverage(answers: Extract<FixtureAnswers, { task: 'regression' }>, z: number): Interval | undefined {
  const { truth, intervalLow: low, intervalHigh: high } = answers;
  if (low === undefined || high === undefined) return undefined;
  return shareOfRows(
    Float64Array.from(truth, (value, row) => Number(low[row] <= value && value <= high[row])),
    z,
  );
}

function shareOfRows(right: Float64Array, z: number): Interval {
  return wilsonInterval(
    right.reduce((a, b) => a + b, 0),
    right.length,
    z,
  );
}

function scoreInterval(
  score: Score,
  answers: ClassFixtureAnswers,
  argument: string | undefined,
  z: number,
): Interval | undefined {
  const counts = countClasses(answers);
  const which = whichOf(answers, argument);
  if (typeof which === 'number') return ofClass(score, counts, which, z);
  // Each row is answered and has a class, so that these are the accuracy.
  const answered = counts.answered.reduce((a, b) => a + b, 0);
  const isAccuracy = which === 'micro' && answered === answers.truth.length;
  const isShare = isAccuracy || (score === 'recall' && which !== 'macro');
  return isShare ? shareOfRows(rightAnswers(answers), z) : undefined;
}

/**
 * Precision and recall are shares of rows. F1 is 2 j / (1 + j) of one: of the rows that are of the class or were answered to
 * be, the share j that is both; its interval is made of that of j. NaN for no row.
 */
function ofClass(score: Score, { hits, support, answered }: ClassCounts, index: number, z: number): Interval {
  if (score === 'recall') return wilsonInterval(hits[index], support[index], z);
  if (score === 'precision') return wilsonInterval(hits[index], answered[index], z);
  const { low, high } = wilsonInterval(hits[index], support[index] + answered[index] - hits[index], z);
  return { low: (2 * low) / (1 + low), high: (2 * high) / (1 + high) };
}
