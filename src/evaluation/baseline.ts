/** Whether a version beats its baseline by more than chance. */
import type { Acceptance } from '../contract/contract.js';
import { internal, invalidInput } from '../errors.js';
import type { Criterion } from '../model/version.js';
import type { FixtureAnswers } from './answers.js';
import { mcnemar, signTest } from './mcnemar.js';
import { reportRegression } from './regression.js';

/** Under this, a difference is taken for more than chance. */
const SIGNIFICANCE = 0.05;

/**
 * `measured` is the version's accuracy or RMSE and `compared` the baseline's. It passes where it is better, by more than
 * chance: McNemar's test over the rows for classes, a sign test of which answer was nearer for values.
 */
export function baselineCriterion(baseline: NonNullable<Acceptance['baseline']>, answers: FixtureAnswers): Criterion {
  const task = baseline === 'majority' ? 'classification' : 'regression';
  if (answers.task !== task) {
    throw invalidInput(`accept.baseline = "${baseline}" is for ${task}, and the model does ${answers.task}`);
  }
  if (answers.baseline === undefined) throw internal(`the baseline "${baseline}" was not asked for its answers`);
  const compare = answers.task === 'classification' ? compareClasses : compareValues;
  const { test, better, measured, compared, pValue } = compare(answers.truth, answers.predicted, answers.baseline);
  return {
    name: 'baseline',
    bound: `better than ${baseline}, ${test} p < ${SIGNIFICANCE}`,
    measured,
    passed: better && pValue < SIGNIFICANCE,
    rows: answers.truth.length,
    compared,
  };
}

interface Comparisons {
  readonly test: string;
  readonly better: boolean;
  readonly measured: number;
  readonly compared: number;
  readonly pValue: number;
}

type Column = ArrayLike<number>;

function compareClasses(truth: Column, predicted: Column, baseline: Column): Comparisons {
  requireRows(truth, baseline);
  const right = Array.from(truth, (index, row) => predicted[row] === index);
  const baselineRight = Array.from(truth, (index, row) => baseline[row] === index);
  const { onlyFirst, onlySecond, pValue } = mcnemar(right, baselineRight);
  const share = (which: readonly boolean[]) => which.filter(Boolean).length / truth.length;
  const [measured, compared] = [share(right), share(baselineRight)];
  return { test: 'McNemar', better: onlyFirst > onlySecond, measured, compared, pValue };
}

function compareValues(truth: Column, predicted: Column, baseline: Column): Comparisons {
  requireRows(truth, baseline);
  let wins = 0;
  let losses = 0;
  for (let row = 0; row < truth.length; row++) {
    const distance = Math.abs(predicted[row] - truth[row]);
    const other = Math.abs(baseline[row] - truth[row]);
    if (distance < other) wins += 1;
    else if (distance > other) losses += 1;
  }
  const { rmse: measured } = reportRegression(truth, predicted);
  const compared = reportRegression(truth, baseline).rmse;
  const better = wins > losses && measured < compared;
  return { test: 'sign test', better, measured, compared, pValue: signTest(wins, losses) };
}

function requireRows(truth: Column, baseline: Column): void {
  if (truth.length !== baseline.length) {
    throw invalidInput(`${truth.length} rows have ${baseline.length} answers of the baseline`);
  }
}
