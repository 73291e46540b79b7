/** How good a classifier's answers are. Conventions are scikit-learn's, with `zero_division=0`. */
import { invalidInput } from '../errors.js';
import { averageOf, type ClassAnswers, countClasses, isClass, ofClass, type Score } from './class-counts.js';

export interface ClassificationAnswers extends ClassAnswers {
  /** Shape (rows, classes), row-major. */
  readonly probabilities?: Float32Array | Float64Array;
  /** Of two classes, the one that precision, recall and F1 are about; without it they are averaged over the classes. */
  readonly positive?: number;
}

export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows that are of this class. */
  readonly support: number;
  /** Rows that were answered to be. */
  readonly answered: number;
}

export interface ClassificationReport {
  readonly rows: number;
  readonly correct: number;
  /** Rows of truth by answers, shape (classes, classes), row-major. An answer that is none of the classes has no column. */
  readonly confusion: Float64Array;
  readonly perClass: readonly ClassScore[];
  readonly accuracy: number;
  /** Of the positive class, or the macro average over the classes that occur in truth or answers. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** NaN without probabilities. */
  readonly logLoss: number;
  readonly brier: number;
}

/** @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is none of the classes */
export function reportClassification(answers: ClassificationAnswers): ClassificationReport {
  checkClassification(answers);
  const { classes, truth, predicted, positive, probabilities } = answers;
  const rows = truth.length;
  const counts = countClasses(answers);
  const correct = counts.hits.reduce((a, b) => a + b, 0);
  const figure = (score: Score) =>
    positive === undefined ? averageOf(counts, score, 'macro') : ofClass(counts, score, positive);
  return {
    rows,
    correct,
    confusion: confusionMatrix(classes, truth, predicted),
    perClass: Array.from({ length: classes }, (_, index) => ({
      precision: ofClass(counts, 'precision', index),
      recall: ofClass(counts, 'recall', index),
      f1: ofClass(counts, 'f1', index),
      support: counts.support[index],
      answered: counts.answered[index],
    })),
    accuracy: correct / rows,
    precision: figure('precision'),
    recall: figure('recall'),
    f1: figure('f1'),
    logLoss: probabilities === undefined ? Number.NaN : logLoss(classes, truth, probabilities),
    brier: probabilities === undefined ? Number.NaN : brierScore(classes, truth, probabilities),
  };
}

/** @returns counts, shape (classes, classes): row the truth, column the answer */
export function confusionMatrix(classes: number, truth: ArrayLike<number>, predicted: ArrayLike<number>): Float64Array {
  const confusion = new Float64Array(classes * classes);
  for (let row = 0; row < truth.length; row++) {
    if (isClass(predicted[row], classes)) confusion[truth[row] * classes + predicted[row]] += 1;
  }
  return confusion;
}

/** The least that a probability is taken for, by the array's own precision, as scikit-learn does. */
const FLOAT32_EPSILON = 2 ** -23;

/** Mean of -log of the true class's probability; nats. */
export function logLoss(classes: number, truth: ArrayLike<number>, probabilities: Float32Array | Float64Array): number {
  return mean(logLosses(classes, truth, probabilities));
}

/** By row. */
export function logLosses(
  classes: number,
  truth: ArrayLike<number>,
  probabilities: Float32Array | Float64Array,
): Float64Array {
  const least = probabilities instanceof Float32Array ? FLOAT32_EPSILON : Number.EPSILON;
  return Float64Array.from({ length: truth.length }, (_, row) => {
    const probability = probabilities[row * classes + truth[row]];
    return -Math.log(Math.min(1 - least, Math.max(least, probability)));
  });
}

/**
 * Mean over the rows of the squared distance from the probabilities to the truth (Brier 1950): 0 to 2, and for two
 * classes half of it, 0 to 1, as is usual.
 */
export function brierScore(
  classes: number,
  truth: ArrayLike<number>,
  probabilities: Float32Array | Float64Array,
): number {
  return mean(brierLosses(classes, truth, probabilities));
}

/** By row. */
export function brierLosses(
  classes: number,
  truth: ArrayLike<number>,
  probabilities: Float32Array | Float64Array,
): Float64Array {
  const scale = classes === 2 ? 2 : 1;
  return Float64Array.from({ length: truth.length }, (_, row) => {
    let sum = 0;
    for (let index = 0; index < classes; index++) {
      sum += (probabilities[row * classes + index] - Number(truth[row] === index)) ** 2;
    }
    return sum / scale;
  });
}

/** @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is none of the classes */
export function checkClassification(answers: ClassificationAnswers): void {
  const { classes, truth, predicted, probabilities, positive } = answers;
  const rows = truth.length;
  if (rows === 0) throw invalidInput('there are no rows to evaluate');
  if (predicted.length !== rows) throw invalidInput(`${rows} rows have ${predicted.length} answers`);
  if (probabilities !== undefined && probabilities.length !== rows * classes) {
    throw invalidInput(`${rows} rows of ${classes} classes have ${probabilities.length} probabilities`);
  }
  if (positive !== undefined && !isClass(positive, classes)) {
    throw invalidInput(`the positive class is ${positive} and there are ${classes} classes`);
  }
  for (let row = 0; row < rows; row++) {
    if (!isClass(truth[row], classes)) throw invalidInput(`row ${row}: the truth ${truth[row]} is none of the classes`);
  }
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
