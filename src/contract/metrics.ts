/** Every metric that a contract's `accept.*` may bound: one table, from which bounds are read, judged and documented. */

export interface MetricRow {
  readonly name: string;
  readonly meaning: string;
  readonly task: 'classification' | 'regression' | 'any';
  readonly better: 'higher' | 'lower';
  /** What the metric can be; a bound that leaves nothing in this range cannot be met. */
  readonly range: readonly [number, number];
  /** What may stand in parentheses behind it: a class or one of these means over the classes, or a quantile's level. */
  readonly argument?: readonly Average[] | 'level';
  /** Of the answers: more than label or value. */
  readonly needs?: 'probabilities' | 'interval';
}

/**
 * How figures of classes become one. `macro`: each class counts the same; `weighted`: each as often as it occurs in truth;
 * `micro`: right and wrong answers of all classes are counted together.
 */
export type Average = 'macro' | 'weighted' | 'micro';

const SHARE: MetricRow['range'] = [0, 1];
const FROM_0: MetricRow['range'] = [0, Number.POSITIVE_INFINITY];
const COUNTED: readonly Average[] = ['macro', 'weighted', 'micro'];
const RANKED: readonly Average[] = ['macro', 'weighted'];
const OF_WHICH = 'of the positive class, or the mean over the classes';

export const METRICS = [
  {
    name: 'accuracy',
    meaning: 'share of rows whose label is right',
    task: 'classification',
    better: 'higher',
    range: SHARE,
  },
  {
    name: 'precision',
    meaning: `of the rows given a class, the share that have it; ${OF_WHICH}`,
    task: 'classification',
    better: 'higher',
    range: SHARE,
    argument: COUNTED,
  },
  {
    name: 'recall',
    meaning: `of the rows that have a class, the share given it; ${OF_WHICH}`,
    task: 'classification',
    better: 'higher',
    range: SHARE,
    argument: COUNTED,
  },
  {
    name: 'f1',
    meaning: `harmonic mean of precision and recall; ${OF_WHICH}`,
    task: 'classification',
    better: 'higher',
    range: SHARE,
    argument: COUNTED,
  },
  {
    name: 'roc_auc',
    meaning: `how likely a row of a class is given more of it than a row of another class; ${OF_WHICH}, each against the rest`,
    task: 'classification',
    better: 'higher',
    range: SHARE,
    argument: RANKED,
    needs: 'probabilities',
  },
  {
    name: 'pr_auc',
    meaning: `average precision: the mean of precision over recall; ${OF_WHICH}, each against the rest`,
    task: 'classification',
    better: 'higher',
    range: SHARE,
    argument: RANKED,
    needs: 'probabilities',
  },
  {
    name: 'log_loss',
    meaning: 'mean negative logarithm of the probability given to the true class, in nats',
    task: 'classification',
    better: 'lower',
    range: FROM_0,
    needs: 'probabilities',
  },
  {
    name: 'brier',
    meaning: 'mean squared distance between probabilities and truth',
    task: 'classification',
    better: 'lower',
    range: [0, 2],
    needs: 'probabilities',
  },
  {
    name: 'expected_calibration_error',
    meaning: 'distance between the largest probability and how often the label is right, over 15 bins of equal width',
    task: 'classification',
    better: 'lower',
    range: SHARE,
    needs: 'probabilities',
  },
  {
    name: 'rmse',
    meaning: "root of the mean squared error, in the value's unit",
    task: 'regression',
    better: 'lower',
    range: FROM_0,
  },
  {
    name: 'mae',
    meaning: "mean absolute error, in the value's unit",
    task: 'regression',
    better: 'lower',
    range: FROM_0,
  },
  {
    name: 'mape',
    meaning: 'mean absolute error as a share of the true value: 0.05 is 5 %',
    task: 'regression',
    better: 'lower',
    range: FROM_0,
  },
  {
    name: 'pinball',
    meaning: "mean pinball loss of a quantile's estimate, in the value's unit; of the median without a level",
    task: 'regression',
    better: 'lower',
    range: FROM_0,
    argument: 'level',
  },
  {
    name: 'r2',
    meaning: 'share of the variance that is explained; 0 is what the mean does',
    task: 'regression',
    better: 'higher',
    range: [Number.NEGATIVE_INFINITY, 1],
  },
  {
    name: 'interval_coverage',
    meaning: 'share of rows whose true value is inside of interval_low and interval_high, ends included',
    task: 'regression',
    better: 'higher',
    range: SHARE,
    needs: 'interval',
  },
  {
    name: 'interval_width',
    meaning: "mean of interval_high - interval_low, in the value's unit",
    task: 'regression',
    better: 'lower',
    range: FROM_0,
    needs: 'interval',
  },
  {
    name: 'latency_p50_ms',
    meaning: 'median time of one call of one row, in milliseconds',
    task: 'any',
    better: 'lower',
    range: FROM_0,
  },
  {
    name: 'latency_p99_ms',
    meaning: 'time that 99 of 100 calls of one row stay under, in milliseconds',
    task: 'any',
    better: 'lower',
    range: FROM_0,
  },
  {
    name: 'size_bytes',
    meaning: "size of the version's stored envelope",
    task: 'any',
    better: 'lower',
    range: FROM_0,
  },
] as const satisfies readonly MetricRow[];

export type MetricName = (typeof METRICS)[number]['name'];

/** Undefined for a name that is none of a metric's. */
export function metricOf(name: string): (MetricRow & { readonly name: MetricName }) | undefined {
  return METRICS.find((row) => row.name === name);
}
