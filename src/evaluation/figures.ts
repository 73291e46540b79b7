/** A contract's metrics as statistics of a version's answers: the one place that joins their names to how they are made. */
import type { Average, MetricName } from '../contract/metrics.js';
import { invalidInput } from '../errors.js';
import type { FixtureAnswers } from './answers.js';
import { expectedCalibrationErrorOf } from './calibration.js';
import { scoreOf } from './class-counts.js';
import { brierLosses, logLosses } from './classification.js';
import { averagePrecisionOf, rankingOf, rocAucOf } from './ranking.js';
import {
  intervalCoverageOf,
  intervalWidthOf,
  maeOf,
  mapeOf,
  pinballOf,
  type RegressionAnswers,
  r2Of,
  rmseOf,
} from './regression.js';
import { meanOf, type Statistic } from './statistic.js';

export type ClassFixtureAnswers = Extract<FixtureAnswers, { task: 'classification' }>;

/** A metric and what stands in parentheses behind it. */
export interface Figure {
  readonly metric: MetricName;
  readonly argument?: string;
}

type Classes<A> = (answers: ClassFixtureAnswers, argument: string | undefined) => A;
type Probable = ClassFixtureAnswers & { readonly probabilities: Float32Array | Float64Array };

const withProbabilities =
  (statistic: (answers: Probable, argument: string | undefined) => Statistic): Classes<Statistic> =>
  (answers, argument) => {
    const { probabilities } = answers;
    return probabilities === undefined ? () => Number.NaN : statistic({ ...answers, probabilities }, argument);
  };

const CLASSIFICATION: Partial<Record<MetricName, Classes<Statistic>>> = {
  accuracy: (answers) => meanOf(rightAnswers(answers)),
  precision: (answers, argument) => scoreOf(answers, 'precision', whichOf(answers, argument)),
  recall: (answers, argument) => scoreOf(answers, 'recall', whichOf(answers, argument)),
  f1: (answers, argument) => scoreOf(answers, 'f1', whichOf(answers, argument)),
  roc_auc: withProbabilities((answers, argument) => rankingOf(rocAucOf, answers, rankedOf(answers, argument))),
  pr_auc: withProbabilities((answers, argument) => rankingOf(averagePrecisionOf, answers, rankedOf(answers, argument))),
  log_loss: withProbabilities((answers) => meanOf(properLogLosses(answers))),
  brier: withProbabilities((answers) => meanOf(brierLosses(answers.classes, answers.truth, answers.probabilities))),
  expected_calibration_error: withProbabilities(expectedCalibrationErrorOf),
};

const REGRESSION: Partial<Record<MetricName, (answers: RegressionAnswers, argument: string | undefined) => Statistic>> =
  {
    rmse: rmseOf,
    mae: maeOf,
    mape: mapeOf,
    pinball: (answers, argument) => pinballOf(answers, argument === undefined ? 0.5 : Number(argument)),
    r2: r2Of,
    interval_coverage: intervalCoverageOf,
    interval_width: intervalWidthOf,
  };

/**
 * @returns undefined for a metric that is not of these answers: of the other task, or of time and size
 * @throws ParleyError INVALID_INPUT for a class that is none
 */
export function statisticOf({ metric, argument }: Figure, answers: FixtureAnswers): Statistic | undefined {
  if (answers.task === 'classification') return CLASSIFICATION[metric]?.(answers, argument);
  return REGRESSION[metric]?.(answers, argument);
}

/** How far from 1 a row's probabilities may sum, which are float32 in most graphs. */
const SUM_TOLERANCE = 1e-3;

/** NaN for a row whose probabilities are none: who says 1 of each class would lose nothing. */
function properLogLosses({ classes, truth, probabilities }: Probable): Float64Array {
  return logLosses(classes, truth, probabilities).map((loss, row) => {
    const given = Float64Array.from(probabilities.subarray(row * classes, (row + 1) * classes));
    const sum = given.reduce((total, each) => total + each, 0);
    return Math.abs(sum - 1) <= SUM_TOLERANCE && given.every((each) => each >= 0) ? loss : Number.NaN;
  });
}

/** 1 where the answer is the truth, else 0. */
export const rightAnswers = ({ truth, predicted }: ClassFixtureAnswers): Float64Array =>
  Float64Array.from(truth, (index, row) => Number(predicted[row] === index));

/** The class or the average that a figure is about: without an argument the positive class, else `macro`. */
export function whichOf(answers: ClassFixtureAnswers, argument: string | undefined): number | Average {
  if (argument === undefined) return answers.positive ?? 'macro';
  if (argument === 'macro' || argument === 'weighted' || argument === 'micro') return argument;
  const index = answers.classNames?.indexOf(argument) ?? -1;
  if (index >= 0) return index;
  const known = answers.classNames === undefined ? '' : `; they are ${answers.classNames.join(', ')}`;
  throw invalidInput(`there is no class "${argument}"${known}`);
}

const rankedOf = (answers: ClassFixtureAnswers, argument: string | undefined) =>
  whichOf(answers, argument) as Exclude<ReturnType<typeof whichOf>, 'micro'>;
