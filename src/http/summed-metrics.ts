/** What several processes count, as one: each metric's `aggregator` says how it adds up. */
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** Of one process, as `Metrics.json` gives them. */
export type ProcessMetrics = readonly MetricObjectWithValues<MetricValue<string>>[];

export interface SummedSources {
  /** What each process counts now. */
  readonly ask: () => Promise<readonly ProcessMetrics[]>;
  /** How many of them answer calls. */
  readonly ready: () => number;
  readonly crashes: () => number;
}

export class SummedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #sources: SummedSources;
  readonly #own = new Registry();
  /** What processes had counted that have ended: a sum that falls would be taken for a server that has begun anew. */
  #departed: ProcessMetrics = [];

  constructor(sources: SummedSources) {
    this.#sources = sources;
    const registers = [this.#own];
    new Gauge({
      name: 'parley_processes',
      help: 'Serving processes that take calls',
      registers,
      collect() {
        this.set(sources.ready());
      },
    });
    new Counter({
      name: 'parley_process_crashes_total',
      help: 'Serving processes that ended without being told to, and were replaced',
      registers,
      collect() {
        this.reset();
        this.inc(sources.crashes());
      },
    });
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of this process',
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** In Prometheus's text format. */
  async text(): Promise<string> {
    const own = await this.#own.getMetricsAsJSON();
    return sum([own, ...(await this.#sources.ask()), this.#departed]).metrics();
  }

  /** Keeps what a process had counted when it was last asked. */
  async keep(metrics: ProcessMetrics): Promise<void> {
    const counts = metrics.filter(({ type }) => ['counter', 'histogram'].includes(String(type)));
    this.#departed = await sum([this.#departed, counts]).getMetricsAsJSON();
  }
}

const sum = (metrics: readonly ProcessMetrics[]): Registry => AggregatorRegistry.aggregate(metrics as never);
