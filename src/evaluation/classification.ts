/** How good a classifier's answers are. Conventions are scikit-learn's, with `zero_division=0`. */
import { invalidInput } from '../errors.js';

export interface ClassificationAnswers {
  /** How many classes there are. */
  readonly classes: number;
  /** Class indices, 0 to `classes` - 1. */
  readonly truth: ArrayLike<number>;
  /** Class indices; any other number is an answer that is none of the classes, and wrong. */
  readonly predicted: ArrayLike<number>;
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
  check(answers);
  const { classes, truth, predicted, positive, probabilities } = answers;
  const rows = truth.length;
  const confusion = confusionMatrix(classes, truth, predicted);
  const perClass = Array.from({ length: classes }, (_, index) => scoreOf(answers, confusion, index));
  const considered =
    positive === undefined ? perClass.filter(({ support, answered }) => support + answered > 0) : [perClass[positive]];
  const correct = perClass.reduce((sum, _, index) => sum + confusion[index * classes + index], 0);
  return {
    rows,
    correct,
    confusion,
    perClass,
    accuracy: correct / rows,
    precision: mean(considered.map((score) => score.precision)),
    recall: mean(considered.map((score) => score.recall)),
    f1: mean(considered.map((score) => score.f1)),
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
  const least = probabilities instanceof Float32Array ? FLOAT32_EPSILON : Number.EPSILON;
  let sum = 0;
  for (let row = 0; row < truth.length; row++) {
    const probability = probabilities[row * classes + truth[row]];
    sum -= Math.log(Math.min(1 - least, Math.max(least, probability)));
  }
  return sum / truth.length;
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
  let sum = 0;
  for (let row = 0; row < truth.length; row++) {
    for (let index = 0; index < classes; index++) {
      const target = truth[row] === index ? 1 : 0;
      sum += (probabilities[row * classes + index] - target) ** 2;
    }
  }
  return sum / truth.length / (classes === 2 ? 2 : 1);
}

function check({ classes, truth, predicted, probabilities, positive }: ClassificationAnswers): void {
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

const isClass = (index: number, classes: number): boolean => Number.isInteger(index) && index >= 0 && index < classes;

function scoreOf({ classes, truth }: ClassificationAnswers, confusion: Float64Array, index: number): ClassScore {
  let support = 0;
  for (let row = 0; row < truth.length; row++) if (truth[row] === index) support += 1;
  let answered = 0;
  for (let row = 0; row < classes; row++) answered += confusion[row * classes + index];
  const hits = confusion[index * classes + index];
  return {
    precision: ratio(hits, answered),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, answered + support),
    support,
    answered,
  };
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
