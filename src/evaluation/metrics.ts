/** Every metric that a contract's `accept.<metric>` may name. */

export type MetricTask = 'classification' | 'regression' | 'any';

export interface Metric {
  readonly task: MetricTask;
  /** Which way is better. */
  readonly direction: 'higher' | 'lower';
  readonly meaning: string;
}

const higher = (task: MetricTask, meaning: string): Metric => ({ task, direction: 'higher', meaning });
const lower = (task: MetricTask, meaning: string): Metric => ({ task, direction: 'lower', meaning });

export const METRICS = {
  accuracy: higher('classification', 'share of right answers'),
  precision: higher('classification', 'of the positive class, or the macro average over the classes'),
  recall: higher('classification', 'of the positive class, or the macro average over the classes'),
  f1: higher('classification', 'harmonic mean of precision and recall; averaged as they are'),
  log_loss: lower('classification', "mean of -log of the true class's probability, in nats"),
  brier: lower('classification', 'mean squared distance of the probabilities from the truth'),
  rmse: lower('regression', "root of the mean squared error, in the target's unit"),
  mae: lower('regression', "mean absolute error, in the target's unit"),
  r2: higher('regression', "share of the target's variance that is explained"),
  latency_p50_ms: lower('any', 'median time of one call, in milliseconds'),
  latency_p99_ms: lower('any', '99th percentile of the time of one call, in milliseconds'),
  size_bytes: lower('any', 'size of the stored envelope'),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}
