/**
 * When a run counts as hung: pure.
 *
 * Judged by the CPU time that the lane's process took for it, so that a machine that is busy with other things kills
 * nobody; and, more generously, by the clock, since what waits for itself takes no CPU time.
 */
export interface Patience {
  /** CPU time that any run may take. */
  readonly leastMs: number;
  /** A run may take as many times its session's most expensive row so far, times its rows. */
  readonly times: number;
  /** By the clock, as many times what it may take of the CPU. */
  readonly clock: number;
}

export const PATIENCE: Patience = { leastMs: 10_000, times: 20, clock: 6 };
/** Session creation: what rehearsal has for all that it does. */
export const LOADING_MS = 120_000;

export interface Running {
  /** What it may take of the CPU. */
  readonly allowedMs: number;
  /** By the clock, without the time in which this process itself stood still. */
  readonly clockMs: number;
  /** Undefined where the system does not tell. */
  readonly cpuMs: number | undefined;
}

export const allowedMs = ({ leastMs, times }: Patience, mostRowMs: number, rows: number): number =>
  Math.max(leastMs, times * mostRowMs * rows);

export const isHung = ({ allowedMs: allowed, clockMs, cpuMs }: Running, { clock }: Patience): boolean =>
  (cpuMs !== undefined && cpuMs > allowed) || clockMs > clock * allowed;
