import type { ErrorCode } from '../errors.js';

/** What one model has answered in this process: plain numbers that are read when somebody asks. Hot path. */
export class Tally {
  /** Calls. */
  succeeded = 0;
  failed = 0;
  /** Calls whose callers had gone before they ran. */
  cancelled = 0;
  /** Rows of the calls that succeeded. */
  rows = 0;
  /** Runs of the graph, warm-ups among them. */
  runs = 0;
  computeUs = 0;
  /** From arrival to the beginning of the run, of the calls that succeeded. */
  queueUs = 0;

  /** A run of the graph that succeeded. */
  ran(rows: number, computeUs: number): void {
    this.runs++;
    this.rows += rows;
    this.computeUs += computeUs;
  }

  /** A call that is answered now. Both times are on performance.now()'s clock. */
  answered(arrivedMs: number, startedMs: number): void {
    this.succeeded++;
    this.queueUs += (startedMs - arrivedMs) * 1000;
  }

  /** A call that reached the model and got an error instead. */
  refused(_code: ErrorCode): void {
    this.failed++;
  }
}
