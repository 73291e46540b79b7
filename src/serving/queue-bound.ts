/**
 * How much work waits for one version, as time, and whether there is room for more.
 *
 * The time is rows times what a row has lately taken. While calls wait, that is the time from one batch's end to the next
 * one's: reading, other models and writing are in it, since whoever waits, waits for them too. When nobody waits, it
 * is the run's own time. Hot path: plain numbers, no clock is read here.
 */

/** Fewer calls than this always have room, however long they take. */
const LEAST_CALLS = 64;
/** Rows that wait may hold this much, whatever time they take. */
const MOST_BYTES = 256 << 20;
export const DEFAULT_MAX_QUEUE_MS = 1_000;
/**
 * What one batch's time counts in the moving estimate, and how much longer than expected it can count. The first batch counts no
 * more than any other: it often waits for a processor that is busy with the start.
 */
const NEWEST = 0.2,
  MOST_GROWTH = 4;
/** Of the time that a call has, what may pass in the queue: its run, its reply and the way back take the rest. */
const QUEUE_SHARE = 0.5;

export class QueueBound {
  /** Milliseconds. */
  maxMs = DEFAULT_MAX_QUEUE_MS;
  /** Of calls that wait or run. */
  rows = 0;
  calls = 0;
  bytes = 0;
  /** Calls that were refused since the version was loaded. */
  refused = 0;
  #msPerRow: number;
  /** When the last batch ended behind which others waited; 0: none did. */
  #busySinceMs = 0;

  /** @param msPerRow what was measured when the version was loaded */
  constructor(msPerRow: number) {
    this.#msPerRow = msPerRow;
  }

  get msPerRow(): number {
    return this.#msPerRow;
  }

  /** Until what waits now is answered, by estimate. */
  get waitMs(): number {
    return this.rows * this.#msPerRow;
  }

  /**
   * Whether a call may join, or would wait too long.
   *
   * @param timeoutMs of its own, from its arrival; Infinity or 0: none
   */
  admits(timeoutMs: number): boolean {
    const waitMs = this.rows * this.#msPerRow;
    if (timeoutMs > 0 && waitMs > timeoutMs * QUEUE_SHARE) return false;
    return (waitMs <= this.maxMs || this.calls < LEAST_CALLS) && (this.bytes <= MOST_BYTES || this.calls === 0);
  }

  /** When a call that is refused now might be admitted; at least 1 ms. */
  retryAfterMs(timeoutMs: number): number {
    const roomMs = timeoutMs > 0 ? Math.min(this.maxMs, timeoutMs * QUEUE_SHARE) : this.maxMs;
    return Math.max(1, Math.ceil(this.waitMs - roomMs / 2));
  }

  entered(rows: number, bytes: number): void {
    // Nobody waited: what was given up in the meantime did not run, and told of no end.
    if (this.rows === 0) this.#busySinceMs = 0;
    this.rows += rows;
    this.calls++;
    this.bytes += bytes;
  }

  /** Calls that were answered, failed or given up. */
  left(calls: number, rows: number, bytes: number): void {
    this.rows -= rows;
    this.calls -= calls;
    this.bytes -= bytes;
  }

  /** A batch has ended, and its calls have left. Both times are on performance.now()'s clock. */
  ran(rows: number, startedMs: number, endedMs: number): void {
    const sinceMs = this.#busySinceMs > 0 ? this.#busySinceMs : startedMs,
      before = this.#msPerRow;
    const tookMs = (endedMs - sinceMs) / Math.max(1, rows);
    this.#msPerRow = before + (Math.min(tookMs, before * MOST_GROWTH) - before) * NEWEST;
    this.#busySinceMs = this.rows > 0 ? endedMs : 0;
  }
}
