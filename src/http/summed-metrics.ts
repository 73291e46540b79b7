/** What several processes count, as one: each metric's `aggregator` says how it adds up. */
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { noRefusals, type Refusals } from '../security/grant.js';

/** Of one process, as `Metrics.json` gives them. */
export type ProcessMetrics = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Who starts and watches the processes. */
export interface Processes {
  /** Those that answer calls. */
  readonly ready: readonly unknown[];
  /** How many have ended without being told to. */
  readonly crashes: number;
  /** What each of them says, now or, where it is busy, what it said last; of those that have ended, their last. */
  ask(what: 'metrics'): Promise<readonly unknown[]>;
  lastOfEnded(what: 'metrics'): readonly unknown[];
}

export class SummedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #processes: Processes;
  readonly #own = new Registry();
  /** What processes had counted that have ended: a sum that falls would be taken for a server that has begun anew. */
  #departed: Promise<ProcessMetrics> = Promise.resolve([]);

  /** @param refusals of this process's own port, by reason */
  constructor(processes: Processes, refusals: Refusals = noRefusals()) {
    this.#processes = processes;
    const registers = [this.#own];
    new Gauge({
      name: 'parley_processes',
      help: 'Serving processes that take calls',
      registers,
      collect() {
        this.set(processes.ready.length);
      },
    });
    new Counter({
      name: 'parley_process_crashes_total',
      help: 'Serving processes that ended without being told to, and were replaced',
      registers,
      collect() {
        this.reset();
        this.inc(processes.crashes);
      },
    });
    new Counter({
      name: 'parley_access_refused_total',
      help: 'Calls refused for want of a right token',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(refusals)) this.inc({ reason }, count);
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
    const serving = (await this.#processes.ask('metrics')) as ProcessMetrics[];
    const ended = this.#processes.lastOfEnded('metrics') as ProcessMetrics[];
    // At once: somebody else may be asking, too.
    if (ended.length > 0)
      this.#departed = this.#departed.then((departed) => sum([departed, ...ended.map(counts)]).getMetricsAsJSON());
    return sum([own, ...serving, await this.#departed]).metrics();
  }
}

/** What only grows. */
const counts = (metrics: ProcessMetrics): ProcessMetrics =>
  metrics.filter(({ type }) => ['counter', 'histogram'].includes(String(type)));

const sum = (metrics: readonly ProcessMetrics[]): Registry => AggregatorRegistry.aggregate(metrics as never);
