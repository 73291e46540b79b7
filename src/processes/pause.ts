/** How long to wait before a process is started again. */

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The first is replaced at once; where one after the other ends in its start, each waits twice as long.
 *
 * @param earlyEndings processes that have ended in their start, one after the other; at least 1
 */
export function pauseBeforeMs(earlyEndings: number): number {
  if (earlyEndings <= 1) return 0;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (earlyEndings - 2));
}
