/**
 * How well a score orders rows: the areas under the ROC and the precision-recall curve. Ties are one step of the curve, as in
 * scikit-learn.
 */
import type { Average } from '../contract/metrics.js';
import type { Statistic } from './statistic.js';

/** A score per row, and whether the row is what a high score says; in falling order of scores. */
interface Ranked {
  readonly order: Uint32Array;
  /** By place in the order: whether the next row has the same score. */
  readonly tied: Uint8Array;
  readonly isPositive: Uint8Array;
  readonly hasNaN: boolean;
}

/** Walks the thresholds from the highest score down; `step` is given the weights that each adds. */
function walk(
  { order, tied, isPositive }: Ranked,
  weights: Float64Array | undefined,
  step: (positives: number, negatives: number) => void,
): void {
  let positives = 0;
  let negatives = 0;
  for (let place = 0; place < order.length; place++) {
    const row = order[place];
    const weight = weights === undefined ? 1 : weights[row];
    if (isPositive[row] === 1) positives += weight;
    else negatives += weight;
    if (tied[place] === 1) continue;
    if (positives + negatives > 0) step(positives, negatives);
    positives = 0;
    negatives = 0;
  }
}

/** Area under the ROC curve (Fawcett 2006): NaN without both kinds of rows, as `roc_auc_score` says. */
export function rocAucOf(scores: ArrayLike<number>, isPositive: Uint8Array): Statistic {
  const ranked = rank(scores, isPositive);
  return (weights) => {
    let above = 0;
    let below = 0;
    let area = 0;
    walk(ranked, weights, (positives, negatives) => {
      area += negatives * (above + positives / 2);
      above += positives;
      below += negatives;
    });
    return ranked.hasNaN || above === 0 || below === 0 ? Number.NaN : area / (above * below);
  };
}

/**
 * Average precision: the sum over the thresholds of the recall that each adds, times its precision, without interpolation.
 * 0 without positive rows, as `average_precision_score` says.
 */
export function averagePrecisionOf(scores: ArrayLike<number>, isPositive: Uint8Array): Statistic {
  const ranked = rank(scores, isPositive);
  return (weights) => {
    let hits = 0;
    let answered = 0;
    let area = 0;
    walk(ranked, weights, (positives, negatives) => {
      hits += positives;
      answered += positives + negatives;
      area += positives * (hits / answered);
    });
    if (ranked.hasNaN || answered === 0) return Number.NaN;
    return hits === 0 ? 0 : area / hits;
  };
}

/**
 * The figure of each class against the rest, and their mean. Only classes with rows that are of it and rows that are not take
 * part; NaN where none has. scikit-learn raises an error there for the ROC curve.
 *
 * @param probabilities shape (rows, classes), row-major
 */
export function rankingOf(
  curve: (scores: ArrayLike<number>, isPositive: Uint8Array) => Statistic,
  answers: { readonly classes: number; readonly truth: ArrayLike<number>; readonly probabilities: ArrayLike<number> },
  of: number | Extract<Average, 'macro' | 'weighted'>,
): Statistic {
  const { classes, truth, probabilities } = answers;
  const rows = truth.length;
  const one = (index: number): Statistic => {
    const isPositive = Uint8Array.from({ length: rows }, (_, row) => Number(truth[row] === index));
    return curve(
      Float64Array.from({ length: rows }, (_, row) => probabilities[row * classes + index]),
      isPositive,
    );
  };
  if (typeof of === 'number') return one(of);
  const each = Array.from({ length: classes }, (_, index) => one(index));
  return (weights) => {
    const support = supportOf(classes, truth, weights);
    const all = support.reduce((a, b) => a + b, 0);
    let sum = 0;
    let total = 0;
    for (let index = 0; index < classes; index++) {
      if (support[index] === 0 || support[index] === all) continue;
      const weight = of === 'macro' ? 1 : support[index];
      sum += weight * each[index](weights);
      total += weight;
    }
    return total === 0 ? Number.NaN : sum / total;
  };
}

function supportOf(classes: number, truth: ArrayLike<number>, weights: Float64Array | undefined): Float64Array {
  const support = new Float64Array(classes);
  for (let row = 0; row < truth.length; row++) support[truth[row]] += weights === undefined ? 1 : weights[row];
  return support;
}

function rank(scores: ArrayLike<number>, isPositive: Uint8Array): Ranked {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[b] - scores[a]);
  const tied = new Uint8Array(order.length);
  for (let place = 0; place + 1 < order.length; place++)
    tied[place] = Number(scores[order[place]] === scores[order[place + 1]]);
  return { order, tied, isPositive, hasNaN: Array.prototype.some.call(scores, Number.isNaN) };
}
