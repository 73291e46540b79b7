/**
 * Precision, recall and F1 of classes and their means, as scikit-learn's `precision_recall_fscore_support` counts them with
 * `zero_division=0`: what would be divided by no row is 0.
 */
import type { Average } from '../contract/metrics.js';
import type { Statistic } from './statistic.js';

export interface ClassAnswers {
  readonly classes: number;
  /** Class indices, 0 to `classes` - 1. */
  readonly truth: ArrayLike<number>;
  /** Class indices; any other number is an answer that is none of the classes, and wrong. */
  readonly predicted: ArrayLike<number>;
}

/** By class: rows that are of it, rows that were answered to be, and rows that are both. */
export interface ClassCounts {
  readonly support: Float64Array;
  readonly answered: Float64Array;
  readonly hits: Float64Array;
}

export type Score = 'precision' | 'recall' | 'f1';

export function countClasses({ classes, truth, predicted }: ClassAnswers, weights?: Float64Array): ClassCounts {
  const support = new Float64Array(classes);
  const answered = new Float64Array(classes);
  const hits = new Float64Array(classes);
  for (let row = 0; row < truth.length; row++) {
    const weight = weights === undefined ? 1 : weights[row];
    support[truth[row]] += weight;
    if (!isClass(predicted[row], classes)) continue;
    answered[predicted[row]] += weight;
    if (predicted[row] === truth[row]) hits[truth[row]] += weight;
  }
  return { support, answered, hits };
}

export const isClass = (index: number, classes: number): boolean =>
  Number.isInteger(index) && index >= 0 && index < classes;

/** @param of one class's index, or how the classes' figures become one */
export function scoreOf(answers: ClassAnswers, score: Score, of: number | Average): Statistic {
  return (weights) => {
    const counts = countClasses(answers, weights);
    return typeof of === 'number' ? ofClass(counts, score, of) : averageOf(counts, score, of);
  };
}

export function ofClass({ support, answered, hits }: ClassCounts, score: Score, index: number): number {
  return ratio(score, hits[index], support[index], answered[index]);
}

/** Classes that occur neither in truth nor in answers are left out, as scikit-learn does without `labels`. */
export function averageOf(counts: ClassCounts, score: Score, average: Average): number {
  const { support, answered, hits } = counts;
  if (average === 'micro') return ratio(score, sum(hits), sum(support), sum(answered));
  let total = 0;
  let weights = 0;
  for (let index = 0; index < support.length; index++) {
    if (support[index] + answered[index] === 0) continue;
    const weight = average === 'macro' ? 1 : support[index];
    total += weight * ofClass(counts, score, index);
    weights += weight;
  }
  return weights === 0 ? Number.NaN : total / weights;
}

function ratio(score: Score, hits: number, support: number, answered: number): number {
  const [part, whole] =
    score === 'f1' ? [2 * hits, answered + support] : [hits, score === 'recall' ? support : answered];
  return whole === 0 ? 0 : part / whole;
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
