/**
 * What one version has answered in this process: plain numbers that are read when somebody asks. Hot path: a call costs one
 * `answered`, a run one `ran`; neither allocates. bench/tally measures them.
 */
import { ERROR_CODES, type ErrorCode } from '../errors.js';
import { DURATION_BUCKETS, Histogram, ROW_BUCKETS } from './histogram.js';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const MOST_CODES = 1 + Math.max(...Object.values(ERROR_CODES).map(({ number }) => number));

/** How many calls failed, by the error's code. */
export class Failures {
  readonly #counts = new Float64Array(MOST_CODES);

  add(code: ErrorCode, count = 1): void {
    this.#counts[ERROR_CODES[code].number]! += count;
  }

  /** Those codes that there were. */
  get byCode(): readonly (readonly [ErrorCode, number])[] {
    return CODES.map((code) => [code, this.#counts[ERROR_CODES[code].number]!] as const).filter(
      ([, count]) => count > 0,
    );
  }
}

export class Tally {
  /** Calls. */
  succeeded = 0;
  failed = 0;
  /** Calls whose callers had gone before they ran. */
  cancelled = 0;
  /** Rows of the runs that succeeded. */
  rows = 0;
  /** Runs of the graph that succeeded. */
  runs = 0;
  readonly failures = new Failures();
  /** Microseconds, of calls that succeeded: from arrival to the end of the run, and to its beginning. */
  readonly request = new Histogram(DURATION_BUCKETS);
  readonly queue = new Histogram(DURATION_BUCKETS);
  /** Microseconds of the runs that succeeded, and their rows. */
  readonly compute = new Histogram(DURATION_BUCKETS);
  readonly batch = new Histogram(ROW_BUCKETS);

  /** A run of the graph that succeeded. */
  ran(rows: number, computeUs: number): void {
    this.runs++;
    this.rows += rows;
    this.compute.record(computeUs);
    this.batch.record(rows);
  }

  /** A call that is answered now. All times are on performance.now()'s clock. @param endedMs when its run ended */
  answered(arrivedMs: number, startedMs: number, endedMs = performance.now()): void {
    this.succeeded++;
    this.queue.record((startedMs - arrivedMs) * 1000);
    this.request.record((endedMs - arrivedMs) * 1000);
  }

  /** A call that met this version and got an error instead. */
  refused(code: ErrorCode): void {
    this.failed++;
    this.failures.add(code);
  }

  /** A call that was counted as answered, and whose answer could not be written. */
  unanswered(code: ErrorCode): void {
    this.succeeded--;
    this.refused(code);
  }

  get computeUs(): number {
    return this.compute.sum;
  }
}
