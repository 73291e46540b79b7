/** What the process itself does: its loop, its garbage, its memory. Names are those that Prometheus's clients share. */
import { readdirSync } from 'node:fs';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { DURATION_BUCKETS, Histogram } from '../serving/histogram.js';
import { counter, gauge, histogram, type Metric, one } from './metric.js';

const TICK_MS = 50;

const COLLECTIONS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** Watches how late timers are, which is how long a call may lie unread, and how long collections of garbage take. */
export class RuntimeWatch {
  /** Microseconds. */
  readonly loopDelay = new Histogram(DURATION_BUCKETS);
  readonly collections: ReadonlyMap<string, Histogram> = new Map(
    [...COLLECTIONS.values()].map((kind) => [kind, new Histogram(DURATION_BUCKETS)]),
  );
  #timer: NodeJS.Timeout | undefined;
  #observer: PerformanceObserver | undefined;

  start(): void {
    let dueMs = performance.now() + TICK_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.loopDelay.record((now - dueMs) * 1000);
      dueMs = now + TICK_MS;
    }, TICK_MS).unref();
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry);
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #collected(entry: PerformanceEntry & { readonly detail?: { readonly kind?: number } }): void {
    const kind = COLLECTIONS.get(entry.detail?.kind ?? -1);
    if (kind !== undefined) this.collections.get(kind)?.record(entry.duration * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#observer?.disconnect();
  }
}

export function processMetrics(sources: { readonly serverVersion: string; readonly runtime: RuntimeWatch }): Metric[] {
  const { serverVersion, runtime } = sources;
  const startedSeconds = Date.now() / 1000 - process.uptime();
  const memory = (name: string, help: string, of: 'heapUsed' | 'heapTotal' | 'external') =>
    gauge(name, help, () => one(process.memoryUsage()[of]));
  return [
    gauge('parley_build_info', 'The release that runs', () => [[[serverVersion], 1]], ['version'], 'first'),
    histogram('parley_event_loop_delay_seconds', 'How late timers of 50 ms were', () => [[[], runtime.loopDelay]]),
    gauge('process_resident_memory_bytes', 'Resident memory of this process', () => one(process.memoryUsage.rss())),
    gauge(
      'process_start_time_seconds',
      'When this process started, since the epoch',
      () => one(startedSeconds),
      [],
      'min',
    ),
    counter('process_cpu_user_seconds_total', "Processor's time spent in this process's own code", () =>
      one(process.cpuUsage().user / 1e6),
    ),
    counter('process_cpu_system_seconds_total', "Processor's time spent in the kernel for this process", () =>
      one(process.cpuUsage().system / 1e6),
    ),
    gauge('process_open_fds', 'File descriptors that are open; none where the system does not tell', openDescriptors),
    memory('nodejs_heap_size_used_bytes', 'Of the JavaScript heap, what objects take', 'heapUsed'),
    memory('nodejs_heap_size_total_bytes', 'The JavaScript heap', 'heapTotal'),
    memory('nodejs_external_memory_bytes', 'Memory of buffers beside the heap', 'external'),
    histogram(
      'nodejs_gc_duration_seconds',
      'Pauses in which garbage was collected',
      () => [...runtime.collections].map(([kind, pauses]) => [[kind], pauses] as const),
      ['kind'],
    ),
  ];
}

function openDescriptors() {
  try {
    // The folder's own is among them.
    return one(readdirSync('/proc/self/fd').length - 1);
  } catch {
    return [];
  }
}
