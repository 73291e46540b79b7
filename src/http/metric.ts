/** One metric of a server: what it is called and what it means, and its values, which are read when somebody asks. */
import type { Histogram } from '../serving/histogram.js';

/** How the values of several processes of one server become one: prom-client's names. */
export type Across = 'sum' | 'min' | 'max' | 'first';

/** One line of Prometheus's text format, as prom-client keeps it. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is not the metric's own name. */
  readonly metricName?: string;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly across: Across;
  /** Read as they are taken: what a sample tells is of one moment, and there may be moments between two of them. */
  readonly values: () => Iterable<MetricValue>;
}

/** One value of a metric: its labels' values in their order, and the number. */
export type Sample<Value = number> = readonly [labels: readonly string[], value: Value];
type Samples<Value = number> = () => readonly Sample<Value>[];

export const one = (value: number): readonly Sample[] => [[[], value]];

const labelled = (labels: readonly string[], values: readonly string[]) =>
  Object.fromEntries(labels.map((label, i) => [label, values[i]!]));

function plain(kind: 'gauge' | 'counter') {
  return (
    name: string,
    help: string,
    samples: Samples,
    labels: readonly string[] = [],
    across: Across = 'sum',
  ): Metric => ({
    name,
    help,
    kind,
    labels,
    across,
    values: () => samples().map(([values, value]) => ({ labels: labelled(labels, values), value })),
  });
}

export const gauge = plain('gauge');
export const counter = plain('counter');

/** @param unit what one of the unit that is told is in that of the histogram: 1e6 for seconds of microseconds */
export const histogram = (
  name: string,
  help: string,
  samples: Samples<Histogram>,
  labels: readonly string[] = [],
  unit = 1_000_000,
): Metric => ({
  name,
  help,
  kind: 'histogram',
  labels,
  across: 'sum',
  *values() {
    for (const [values, counted] of samples()) yield* bucketsOf(name, labelled(labels, values), counted, unit);
  },
});

/** What has counted nothing yet has no lines: there may be a thousand models that nobody calls. */
function bucketsOf(name: string, labels: MetricValue['labels'], counted: Histogram, unit: number): MetricValue[] {
  const { buckets, counts, sum } = counted,
    values: MetricValue[] = [];
  if (counted.count === 0) return values;
  let count = 0;
  counts.forEach((each, i) => {
    count += each;
    const le = i < buckets.bounds.length ? String(buckets.bounds[i]! / unit) : '+Inf';
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
  });
  values.push({ metricName: `${name}_sum`, labels, value: sum / unit });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}
