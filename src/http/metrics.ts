/**
 * What the server tells a Prometheus: names and kinds in one table, values read where they are kept, when they are asked for.
 *
 * Names that mean what Triton's `nv_inference_*` mean are spelled as those are, after `parley_`. Nothing is counted here:
 * what happens on the way of a call is a plain number of its owner. docs/metrics.md is this table.
 */
import type { Refusals } from '../security/grant.js';
import type { Factory } from '../serving/factory.js';
import type { Router } from '../serving/router.js';
import type { Servable } from '../serving/servable.js';
import type { ShadowCounts } from '../serving/shadow-comparison.js';
import { CONTENT_TYPE, exposition } from './exposition.js';
import { inferenceMetrics } from './inference-metrics.js';
import { counter, gauge, histogram, type Metric, type MetricValue, one, type Sample } from './metric.js';
import { processMetrics, type RuntimeWatch } from './process-metrics.js';

/** What the lanes count. */
export interface LaneCounts {
  readonly running: number;
  readonly sessions: number;
  readonly runs: number;
  readonly restarts: number;
}

/** What a port counts. */
export interface TrafficCounts {
  readonly open: number;
  readonly accepted: number;
  readonly refused: number;
  readonly closed: ReadonlyMap<string, number>;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A port. */
export interface Transport {
  readonly traffic: TrafficCounts;
  readonly failedHandshakes: number;
  readonly totals: { readonly calls: number; readonly bytes: number };
}

export interface Sources {
  readonly serverVersion: string;
  readonly router: Router;
  readonly factory: Factory;
  readonly transport: Transport;
  readonly runtime: RuntimeWatch;
  readonly lanes: LaneCounts;
  /** Refused and failed calls, by the error's code. */
  readonly errors: ReadonlyMap<string, number>;
  readonly unknownMethods: () => number;
  /** Calls of methods that no batch answers, by `Service:method`. */
  readonly methods: ReadonlyMap<string, number>;
  /** Lines of the call log that were not written, by kind. */
  readonly unlogged: ReadonlyMap<string, number>;
  /** Calls that were refused for want of a right token, by reason. */
  readonly refusals: Refusals;
}

/** A metric as prom-client's registries tell of theirs. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

export class Metrics {
  readonly table: readonly Metric[];

  constructor(sources: Sources) {
    this.table = [
      ...stateOf(sources),
      ...queuesOf(sources),
      ...countsOf(sources),
      ...inferenceMetrics(sources),
      ...shadowsOf(sources),
      ...lanesOf(sources),
      ...processMetrics(sources),
    ];
  }

  get contentType(): string {
    return CONTENT_TYPE;
  }

  /** In Prometheus's text format. */
  text(): Promise<string> {
    return exposition(this.table);
  }

  /** One argument of prom-client's `AggregatorRegistry.aggregate`, which can be sent to another process. */
  json(): readonly MetricJson[] {
    return this.table.map(({ name, help, kind, across, values }) => ({
      name,
      help,
      type: kind,
      aggregator: across,
      values: [...values()],
    }));
  }
}

function byModel<T>(models: ReadonlyMap<string, T>, numberOf: (of: T) => number): Sample[] {
  return [...models].map(([model, of]) => [[model], numberOf(of)]);
}

const byKey = (counts: ReadonlyMap<string, number>) => (): readonly Sample[] =>
  [...counts].map(([key, count]) => [[key], count]);

function lanesOf({ lanes }: Sources): Metric[] {
  return [
    gauge('parley_lanes', 'Processes for heavy models that run now', () => one(lanes.running)),
    gauge('parley_lane_sessions', 'Graphs that are loaded in lanes', () => one(lanes.sessions)),
    counter('parley_lane_runs_total', 'Runs of graphs in lanes', () => one(lanes.runs)),
    counter('parley_lane_restarts_total', 'Lanes that died or hung and were replaced', () => one(lanes.restarts)),
  ];
}

function stateOf({ router, factory, transport }: Sources): Metric[] {
  const model = ['model'];
  return [
    gauge('parley_store_connected', '1 while the store answers', () => one(router.connected ? 1 : 0), [], 'min'),
    gauge(
      'parley_store_heard_seconds',
      'Seconds since the store last answered',
      () => one(router.sinceHeardMs / 1000),
      [],
      'max',
    ),
    gauge(
      'parley_model_epoch',
      'Sequence number of the ledger line that is served',
      () => byModel(router.followed, ({ epoch }) => epoch),
      model,
      'min',
    ),
    gauge(
      'parley_model_lagging',
      '1 for a model that has changed and is answered as before',
      () => router.lagging.map((name): Sample => [[name], 1]),
      model,
      'max',
    ),
    gauge(
      'parley_model_uncontracted',
      '1 for a model whose production version answers without a contract',
      () => byModel(router.followed, ({ uncontracted }) => (uncontracted ? 1 : 0)),
      model,
      'max',
    ),
    gauge(
      'parley_canary_weight',
      'Share of calls that the canary of an alias takes, of [0, 1]',
      () =>
        [...router.models].flatMap(({ name, targets }) =>
          [...targets.values()].flatMap(({ aliasName, canary }): Sample[] =>
            canary === undefined ? [] : [[[name, aliasName, canary.version], canary.weight]],
          ),
        ),
      ['model', 'alias', 'version'],
      'max',
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
    gauge('parley_connections', 'Connections that are open', () => one(transport.traffic.open)),
    gauge('parley_calls_in_flight', 'Calls that are not answered yet', () => one(transport.totals.calls)),
    gauge('parley_buffered_bytes', 'Bytes of partial frames, waiting calls and replies that are not taken', () =>
      one(transport.totals.bytes),
    ),
  ];
}

/** Of the versions that are loaded now; a model's are added up. */
function byLoaded({ factory }: Sources, numberOf: (servable: Servable) => number): Sample[] {
  return [...factory.residents.keys()].map((model) => [
    [model],
    factory.servablesOf(model).reduce((sum, servable) => sum + numberOf(servable), 0),
  ]);
}

function queuesOf(sources: Sources): Metric[] {
  const model = ['model'],
    { factory } = sources;
  return [
    gauge(
      'parley_inference_pending_request_count',
      'Calls that wait or run',
      () => byLoaded(sources, ({ queue }) => queue.calls),
      model,
    ),
    gauge(
      'parley_queue_wait_seconds',
      'Until what waits now is answered, by estimate',
      () => byLoaded(sources, ({ queue }) => queue.waitMs / 1000),
      model,
    ),
    counter(
      'parley_cancelled_total',
      'Calls whose callers had gone before they ran',
      () => byModel(factory.tallies.totals, ({ cancelled }) => cancelled),
      model,
    ),
    counter(
      'parley_cache_hit_count',
      'Calls that were answered with kept answers',
      () => byModel(factory.caches, ({ hits }) => hits),
      model,
    ),
    counter(
      'parley_cache_miss_count',
      'Calls of models that keep answers, for which none was kept',
      () => byModel(factory.caches, ({ misses }) => misses),
      model,
    ),
    gauge(
      'parley_cache_entries',
      'Answers that are kept',
      () => byModel(factory.caches, ({ entries }) => entries),
      model,
    ),
    gauge('parley_cache_bytes', 'Memory that they take', () => byModel(factory.caches, ({ bytes }) => bytes), model),
  ];
}

function shadowsOf({ factory }: Sources): Metric[] {
  const labels = ['model', 'version', 'shadow'];
  const all = () => [...factory.shadowings.values()].flatMap(({ counts }) => counts);
  const counted = (numberOf: (counts: ShadowCounts) => number) => () =>
    all().map((counts): Sample => [[counts.model, counts.version, counts.shadow], numberOf(counts)]);
  return [
    counter(
      'parley_shadow_rows_total',
      'Rows that were compared',
      counted(({ rows }) => rows),
      labels,
    ),
    counter(
      'parley_shadow_agreeing_rows_total',
      'Of these, rows that both versions answered alike',
      counted(({ agreeingRows }) => agreeingRows),
      labels,
    ),
    counter(
      'parley_shadow_dropped_rows_total',
      'Rows that the shadow could not keep up with',
      counted(({ dropped }) => dropped),
      labels,
    ),
    counter(
      'parley_shadow_incomparable_rows_total',
      'Rows that the shadow cannot be asked, or answers in another form',
      counted(({ incomparable }) => incomparable),
      labels,
    ),
    counter(
      'parley_shadow_failed_rows_total',
      'Rows that the shadow failed on',
      counted(({ failed }) => failed),
      labels,
    ),
    gauge(
      'parley_shadow_largest_difference',
      "Between two versions' numbers for the same row",
      () =>
        all().flatMap(({ model, version, shadow, largestDifferences }) =>
          [...largestDifferences].map(([output, most]): Sample => [[model, version, shadow, output], most]),
        ),
      [...labels, 'output'],
    ),
  ];
}

function countsOf({ factory, errors, transport, unknownMethods, methods, unlogged, refusals }: Sources): Metric[] {
  const { traffic } = transport;
  return [
    counter('parley_loads_total', 'Versions that were loaded', () => one(factory.loads)),
    counter('parley_load_failures_total', 'Tries to load a version that failed', () => one(factory.loadFailures)),
    counter('parley_evictions_total', 'Versions that were let go because memory was short', () =>
      one(factory.evictions),
    ),
    histogram('parley_load_duration_seconds', 'From the wish for a version until it can answer', () => [
      [[], factory.loadDurations],
    ]),
    counter('parley_errors_total', 'Calls that were answered with an error', byKey(errors), ['code']),
    counter('parley_method_calls_total', 'Calls of methods that are no predictions', byKey(methods), ['method']),
    counter('parley_unknown_methods_total', 'Calls of methods that this server does not have', () =>
      one(unknownMethods()),
    ),
    counter('parley_connections_accepted_total', 'Connections that were accepted', () => one(traffic.accepted)),
    counter('parley_connections_refused_total', 'Connections that were one too many', () => one(traffic.refused)),
    counter('parley_connections_closed_total', 'Connections that ended', byKey(traffic.closed), ['reason']),
    counter('parley_tls_handshakes_failed_total', 'Connections that did not get through TLS', () =>
      one(transport.failedHandshakes),
    ),
    counter('parley_frames_received_total', 'Frames that arrived whole', () => one(traffic.framesIn)),
    counter('parley_frames_sent_total', 'Frames that were answered', () => one(traffic.framesOut)),
    counter('parley_received_bytes_total', 'Bytes that were read from connections', () => one(traffic.bytesIn)),
    counter('parley_sent_bytes_total', 'Bytes that were written to connections', () => one(traffic.bytesOut)),
    counter('parley_log_lines_suppressed_total', 'Lines about calls that were one too many', byKey(unlogged), ['kind']),
    counter(
      'parley_access_refused_total',
      'Calls refused for want of a right token',
      () => Object.entries(refusals).map(([reason, count]): Sample => [[reason], count]),
      ['reason'],
    ),
  ];
}
