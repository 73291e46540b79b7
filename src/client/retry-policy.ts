/** When a failed call is made again, and after how long: a pure function of what is known then. */
import { ParleyError } from '../errors.js';
import { ConnectionLost } from '../rpc/client/connection.js';

export interface RetryPolicy {
  /** Retries of one call, at most. */
  readonly most: number;
  /** Of the pause before the first retry; each one after it doubles. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { most: 2, firstPauseMs: 25, longestPauseMs: 1_000 };

export interface Failure {
  readonly error: unknown;
  /** Retries that were made already. */
  readonly retries: number;
  readonly idempotent: boolean;
  /** Of the call's time. */
  readonly leftMs: number;
}

/**
 * The pause before the next try: never less than the server asked for, and not the same for everybody.
 *
 * @param chance 0 to 1, evenly @returns undefined: no retry can help, or there is no time for one
 */
export function pauseMs(failure: Failure, policy: RetryPolicy, chance: number): number | undefined {
  const { error, retries, leftMs } = failure;
  if (retries >= policy.most || !mayRepeat(failure)) return undefined;
  const asked = error instanceof ParleyError ? error.retryAfterMs : undefined;
  const pause =
    asked === undefined
      ? Math.min(policy.longestPauseMs, policy.firstPauseMs * 2 ** retries) * (0.5 + chance / 2)
      : asked * (1 + chance / 4);
  return pause < leftMs ? pause : undefined;
}

function mayRepeat({ error, idempotent }: Failure): boolean {
  if (error instanceof ConnectionLost) return idempotent || !error.sent;
  return error instanceof ParleyError && error.retryable && error.code !== 'DEADLINE_EXCEEDED';
}
