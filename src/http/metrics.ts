/**
 * What the server tells a Prometheus: names and kinds in one table, values read where they are kept, when they are asked for.
 *
 * Names that mean what Triton's `nv_inference_*` mean are spelled as those are, after `parley_`. Nothing is counted here:
 * what happens on the way of a call is a plain number of its owner.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Factory } from '../serving/factory.js';
import type { Router } from '../serving/router.js';
import type { Tally } from '../serving/tally.js';

export interface Sources {
  readonly serverVersion: string;
  readonly router: Router;
  readonly factory: Factory;
  /** Refused and failed calls, by the error's code. */
  readonly errors: ReadonlyMap<string, number>;
}

/** One value of a metric: its labels' values in their order, and the number. */
type Sample = readonly [labels: readonly string[], value: number];

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly labels?: readonly string[];
  readonly samples: () => readonly Sample[];
}

export class Metrics {
  readonly #registry = new Registry();

  constructor(sources: Sources) {
    for (const metric of [...stateOf(sources), ...countsOf(sources), ...processOf(sources)]) this.#add(metric);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The same as plain values, to be added to those of other processes. */
  json() {
    return this.#registry.getMetricsAsJSON();
  }

  #add({ name, help, kind, labels = [], samples }: Metric): void {
    const common = { name, help, labelNames: labels, registers: [this.#registry] };
    const labelled = (values: readonly string[]) => Object.fromEntries(labels.map((label, i) => [label, values[i]!]));
    if (kind === 'gauge') {
      const collect = () => {
        gauge.reset();
        for (const [values, value] of samples()) gauge.set(labelled(values), value);
      };
      const gauge: Gauge = new Gauge({ ...common, collect });
    } else {
      const collect = () => {
        counter.reset();
        for (const [values, value] of samples()) counter.inc(labelled(values), value);
      };
      const counter: Counter = new Counter({ ...common, collect });
    }
  }
}

const one = (value: number): readonly Sample[] => [[[], value]];

function byModel<T>(models: ReadonlyMap<string, T>, numberOf: (of: T) => number): Sample[] {
  return [...models].map(([model, of]) => [[model], numberOf(of)]);
}

const gauge = (name: string, help: string, samples: Metric['samples'], labels: readonly string[] = []): Metric => ({
  name,
  help,
  kind: 'gauge',
  samples,
  labels,
});
const counter = (name: string, help: string, samples: Metric['samples'], labels: readonly string[] = []): Metric => ({
  name,
  help,
  kind: 'counter',
  samples,
  labels,
});

function stateOf({ router, factory }: Sources): Metric[] {
  const model = ['model'];
  return [
    gauge('parley_store_connected', '1 while the store answers', () => one(router.connected ? 1 : 0)),
    gauge('parley_store_heard_seconds', 'Seconds since the store last answered', () => one(router.sinceHeardMs / 1000)),
    gauge(
      'parley_model_epoch',
      'Sequence number of the ledger line that is served',
      () => byModel(router.followed, ({ epoch }) => epoch),
      model,
    ),
    gauge(
      'parley_model_lagging',
      '1 for a model that has changed and is answered as before',
      () => router.lagging.map((name): Sample => [[name], 1]),
      model,
    ),
    gauge(
      'parley_model_uncontracted',
      '1 for a model whose production version answers without a contract',
      () => byModel(router.followed, ({ uncontracted }) => (uncontracted ? 1 : 0)),
      model,
    ),
    gauge(
      'parley_loaded_versions',
      'Versions that are loaded',
      () => byModel(factory.residents, ({ versions }) => versions),
      model,
    ),
    gauge(
      'parley_loaded_bytes',
      'Memory that they take, as estimated from their graphs',
      () => byModel(factory.residents, ({ bytes }) => bytes),
      model,
    ),
    gauge('parley_memory_taken_bytes', 'Of the memory limit: loaded versions and those being loaded', () =>
      one(factory.memory.takenBytes),
    ),
    gauge('parley_memory_limit_bytes', 'What loaded versions may take together', () => one(factory.memory.limitBytes)),
  ];
}

function countsOf({ factory, errors }: Sources): Metric[] {
  const model = ['model'];
  const tallied = (numberOf: (tally: Tally) => number) => () => byModel(factory.tallies, numberOf);
  return [
    counter('parley_loads_total', 'Versions that were loaded', () => one(factory.loads)),
    counter('parley_load_failures_total', 'Tries to load a version that failed', () => one(factory.loadFailures)),
    counter('parley_evictions_total', 'Versions that were let go because memory was short', () =>
      one(factory.evictions),
    ),
    counter(
      'parley_inference_request_success',
      'Calls that a model answered',
      tallied(({ succeeded }) => succeeded),
      model,
    ),
    counter(
      'parley_inference_request_failure',
      'Calls that reached a model and failed',
      tallied(({ failed }) => failed),
      model,
    ),
    counter(
      'parley_inference_count',
      'Rows that a model answered',
      tallied(({ rows }) => rows),
      model,
    ),
    counter(
      'parley_inference_exec_count',
      'Runs of a model, one a batch',
      tallied(({ runs }) => runs),
      model,
    ),
    counter(
      'parley_inference_compute_infer_duration_us',
      'Microseconds of these runs',
      tallied(({ computeUs }) => computeUs),
      model,
    ),
    counter(
      'parley_errors_total',
      'Calls that were answered with an error',
      () => [...errors].map(([code, count]): Sample => [[code], count]),
      ['code'],
    ),
  ];
}

function processOf({ serverVersion }: Sources): Metric[] {
  const startedSeconds = Date.now() / 1000 - process.uptime();
  return [
    gauge('parley_build_info', 'The release that runs', () => [[[serverVersion], 1]], ['version']),
    gauge('process_resident_memory_bytes', 'Resident memory of this process', () => one(process.memoryUsage.rss())),
    gauge('process_start_time_seconds', 'When this process started, since the epoch', () => one(startedSeconds)),
  ];
}
