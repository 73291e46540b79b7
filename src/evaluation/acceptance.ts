/**
 * The acceptance suite's verdict: what was measured on the fixtures, held against what the contract promises.
 *
 * Pure: whoever runs the version on the fixtures and takes the times hands them in.
 */
import type { Acceptance, AcceptBound, Comparison } from '../contract/contract.js';
import { internal, invalidInput } from '../errors.js';
import type { Criterion, Verdict } from '../model/version.js';
import { type ClassificationAnswers, type ClassificationReport, reportClassification } from './classification.js';
import { mcnemar, signTest } from './mcnemar.js';
import { isMetric, METRICS, type MetricName } from './metrics.js';
import { type RegressionReport, reportRegression } from './regression.js';
import { type Interval, wilsonInterval } from './wilson.js';

export interface Cost {
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** Of the stored envelope. */
  readonly sizeBytes: number;
}

/** A version's answers to the fixtures, and the baseline's where the contract names one. */
export type FixtureAnswers =
  | (ClassificationAnswers & {
      readonly task: 'classification';
      /** Class indices, by row. */
      readonly baseline?: ArrayLike<number>;
    })
  | {
      readonly task: 'regression';
      readonly truth: ArrayLike<number>;
      readonly predicted: ArrayLike<number>;
      readonly baseline?: ArrayLike<number>;
    };

export interface JudgeInput {
  readonly acceptance: Acceptance;
  readonly answers: FixtureAnswers;
  readonly cost: Cost;
  readonly contractFingerprint: string;
  readonly fixtureFingerprint: string;
}

/** Under this, a difference is taken for more than chance. */
const SIGNIFICANCE = 0.05;

/**
 * One criterion for each bound, in the contract's order, and one for the baseline. A figure that is not a number passes
 * nothing.
 *
 * @throws ParleyError INVALID_INPUT for no fixtures, answers of the wrong number, a metric that does not exist or does not
 *   fit the task, and a baseline of the other task
 */
export function judge(input: JudgeInput): Verdict {
  const { acceptance, answers } = input;
  const rows = answers.truth.length;
  if (rows === 0) throw invalidInput('nothing is accepted on no fixtures; add rows to the project');
  const figures = measure(answers, input.cost);
  const criteria = acceptance.bounds.map((bound) => criterionOf(bound, figures, answers.task, rows));
  if (acceptance.baseline !== undefined) criteria.push(baselineCriterion(acceptance.baseline, answers, figures));
  return {
    accepted: criteria.every((criterion) => criterion.passed),
    criteria,
    fixtureRows: rows,
    fixtureFingerprint: input.fixtureFingerprint,
    contractFingerprint: input.contractFingerprint,
  };
}

type Figures = Readonly<Partial<Record<MetricName, { readonly value: number; readonly interval?: Interval }>>>;

function measure(answers: FixtureAnswers, cost: Cost): Figures {
  const figures =
    answers.task === 'classification'
      ? classificationFigures(reportClassification(answers), answers.positive)
      : regressionFigures(reportRegression(answers.truth, answers.predicted));
  return {
    ...figures,
    latency_p50_ms: { value: cost.latencyP50Ms },
    latency_p99_ms: { value: cost.latencyP99Ms },
    size_bytes: { value: cost.sizeBytes },
  };
}

/** Shares of rows have an interval: accuracy, and precision and recall where they are about one class. */
function classificationFigures(report: ClassificationReport, positive: number | undefined): Figures {
  const one = positive === undefined ? undefined : report.perClass[positive];
  const hits = one === undefined ? 0 : Math.round(one.recall * one.support);
  const withInterval = (value: number, successes: number, trials: number) => ({
    value,
    ...(trials === 0 ? {} : { interval: wilsonInterval(successes, trials) }),
  });
  return {
    accuracy: withInterval(report.accuracy, report.correct, report.rows),
    precision: withInterval(report.precision, hits, one?.answered ?? 0),
    recall: withInterval(report.recall, hits, one?.support ?? 0),
    f1: { value: report.f1 },
    log_loss: { value: report.logLoss },
    brier: { value: report.brier },
  };
}

function regressionFigures({ rmse, mae, r2 }: RegressionReport): Figures {
  return { rmse: { value: rmse }, mae: { value: mae }, r2: { value: r2 } };
}

function criterionOf(bound: AcceptBound, figures: Figures, task: FixtureAnswers['task'], rows: number): Criterion {
  const { metric } = bound;
  const where = `${bound.position.file}:${bound.position.line}: accept.${metric}`;
  if (!isMetric(metric)) throw invalidInput(`${where} is no metric; they are ${Object.keys(METRICS).join(', ')}`);
  const figure = figures[metric];
  if (figure === undefined) throw invalidInput(`${where} is for ${METRICS[metric].task}, and the model does ${task}`);
  return {
    name: metric,
    bound: bound.text,
    measured: figure.value,
    passed: holds(figure.value, bound.comparison, bound.bound),
    rows,
    ...(figure.interval === undefined ? {} : { intervalLow: figure.interval.low, intervalHigh: figure.interval.high }),
  };
}

/** False for NaN. */
function holds(measured: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case '>=':
      return measured >= bound;
    case '>':
      return measured > bound;
    case '<=':
      return measured <= bound;
    case '<':
      return measured < bound;
  }
}

/**
 * `measured` is the version's accuracy or RMSE and `compared` the baseline's. It passes where it is better, by more than
 * chance: McNemar's test over the rows for classes, a sign test of which answer was nearer for values.
 */
function baselineCriterion(
  baseline: NonNullable<Acceptance['baseline']>,
  answers: FixtureAnswers,
  figures: Figures,
): Criterion {
  const task = baseline === 'majority' ? 'classification' : 'regression';
  if (answers.task !== task) {
    throw invalidInput(`accept.baseline = "${baseline}" is for ${task}, and the model does ${answers.task}`);
  }
  if (answers.baseline === undefined) throw internal(`the baseline "${baseline}" was not asked for its answers`);
  const compare = answers.task === 'classification' ? compareClasses : compareValues;
  const { test, better, compared, pValue } = compare(answers.truth, answers.predicted, answers.baseline);
  const measured = (answers.task === 'classification' ? figures.accuracy : figures.rmse)?.value ?? Number.NaN;
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
  readonly compared: number;
  readonly pValue: number;
}

type Column = ArrayLike<number>;

function compareClasses(truth: Column, predicted: Column, baseline: Column): Comparisons {
  requireRows(truth, baseline);
  const right = Array.from(truth, (index, row) => predicted[row] === index);
  const baselineRight = Array.from(truth, (index, row) => baseline[row] === index);
  const { onlyFirst, onlySecond, pValue } = mcnemar(right, baselineRight);
  const compared = baselineRight.filter(Boolean).length / truth.length;
  return { test: 'McNemar', better: onlyFirst > onlySecond, compared, pValue };
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
  const { rmse } = reportRegression(truth, predicted);
  const compared = reportRegression(truth, baseline).rmse;
  return { test: 'sign test', better: wins > losses && rmse < compared, compared, pValue: signTest(wins, losses) };
}

function requireRows(truth: Column, baseline: Column): void {
  if (truth.length !== baseline.length) {
    throw invalidInput(`${truth.length} rows have ${baseline.length} answers of the baseline`);
  }
}
