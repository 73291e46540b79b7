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
  readonly values: () => readonly MetricValue[];
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
  values: () => samples().flatMap(([values, counted]) => bucketsOf(name, labelled(labels, values), counted, unit)),
});

/** What has counted nothing yet has no lines: there may be a thousand models that nobody calls. */
function bucketsOf(name: string, labels: MetricValue['labels'], { buckets, counts, sum }: Histogram, unit: number) {
  const bounds = [...buckets.bounds].map((bound) => String(bound / unit)),
    values: MetricValue[] = [];
  let count = 0;
  [...bounds, '+Inf'].forEach((le, i) => {
    count += counts[i]!;
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
  });
  if (count === 0) return [];
  values.push({ metricName: `${name}_sum`, labels, value: sum / unit });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}
