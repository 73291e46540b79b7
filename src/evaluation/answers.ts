/** A version's answers to the fixtures, and parts of them. */
import { type ClassificationAnswers, checkClassification } from './classification.js';
import { checkRegression, type RegressionAnswers } from './regression.js';

/** Those of the baseline are class indices or values, by row. */
export type FixtureAnswers =
  | (ClassificationAnswers & {
      readonly task: 'classification';
      /** By index, as the contract spells them; a bound's argument is one of them. */
      readonly classNames?: readonly string[];
      readonly baseline?: ArrayLike<number>;
    })
  | (RegressionAnswers & { readonly task: 'regression'; readonly baseline?: ArrayLike<number> });

/** @throws ParleyError INVALID_INPUT where lengths differ, there are no rows, or a truth is none of the classes or not finite */
export function checkAnswers(answers: FixtureAnswers): void {
  if (answers.task === 'classification') checkClassification(answers);
  else checkRegression(answers);
}

/** The answers to these rows, in their order. */
export function answersTo(answers: FixtureAnswers, rows: ArrayLike<number>): FixtureAnswers {
  const column = (values: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: rows.length }, (_, at) => values[rows[at]]);
  const { truth, predicted, baseline } = answers;
  const common = {
    truth: column(truth),
    predicted: column(predicted),
    ...(baseline === undefined ? {} : { baseline: column(baseline) }),
  };
  if (answers.task === 'regression') {
    const { intervalLow, intervalHigh } = answers;
    return {
      ...answers,
      ...common,
      ...(intervalLow === undefined ? {} : { intervalLow: column(intervalLow) }),
      ...(intervalHigh === undefined ? {} : { intervalHigh: column(intervalHigh) }),
    };
  }
  const { classes, probabilities } = answers;
  if (probabilities === undefined) return { ...answers, ...common };
  const Kind = probabilities instanceof Float32Array ? Float32Array : Float64Array;
  const kept = new Kind(rows.length * classes);
  for (let at = 0; at < rows.length; at++)
    kept.set(probabilities.subarray(rows[at] * classes, (rows[at] + 1) * classes), at * classes);
  return { ...answers, ...common, probabilities: kept };
}

/** What the baseline answered, as if it were a version: without probabilities and intervals. Undefined: it was not asked. */
export function baselineAnswers(answers: FixtureAnswers): FixtureAnswers | undefined {
  const { truth, baseline } = answers;
  if (baseline === undefined) return undefined;
  if (answers.task === 'regression') return { task: 'regression', truth, predicted: baseline };
  const { probabilities: _, ...rest } = answers;
  return { ...rest, predicted: baseline };
}
