/**
 * The memory that loaded versions may take together: what has to go so that another one fits.
 *
 * Versions that no alias leads to go first, then those of other aliases, those in production last; among equals the one
 * that was used least recently. What is in use never goes.
 */
import { setTimeout } from 'node:timers/promises';
import { overloaded, unsupported } from '../errors.js';

/** Batches are answered within a turn or a run: what is still in use after this will be for long. */
const PATIENCE_MS = 250;
const BETWEEN_TRIES_MS = 5;
const RETRY_AFTER_MS = 1_000;

export const IMPORTANCE = { none: 0, alias: 1, production: 2 } as const;
export type Importance = (typeof IMPORTANCE)[keyof typeof IMPORTANCE];

/** A loaded version as the choice sees it. */
export interface Resident {
  readonly bytes: number;
  readonly importance: Importance;
  /** On performance.now()'s clock. */
  readonly usedMs: number;
  readonly inUse: boolean;
}

/** @returns what is to go, in this order; undefined where all that may go is not enough */
export function chooseEvictions<T extends Resident>(residents: readonly T[], wantedBytes: number): T[] | undefined {
  const chosen: T[] = [];
  const candidates = residents
    .filter(({ inUse }) => !inUse)
    .sort((a, b) => a.importance - b.importance || a.usedMs - b.usedMs);
  let freed = 0;
  for (const candidate of candidates) {
    if (freed >= wantedBytes) break;
    chosen.push(candidate);
    freed += candidate.bytes;
  }
  if (freed < wantedBytes) return undefined;
  // What went before a larger one may stay where that is enough; the most worth keeping is asked about first.
  for (const one of [...chosen].reverse())
    if (freed - one.bytes >= wantedBytes) {
      freed -= one.bytes;
      chosen.splice(chosen.indexOf(one), 1);
    }
  return chosen;
}

export class Memory {
  #takenBytes = 0;

  /** @param evict frees at least so many bytes, or none and says false */
  constructor(
    readonly limitBytes: number,
    private readonly evict: (bytes: number) => boolean,
  ) {}

  /** By what is loaded, and by what is being loaded. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /**
   * Takes `bytes`, until `free`.
   *
   * @param what that is to be loaded, for people
   * @throws ParleyError UNSUPPORTED where it is more than the whole limit; OVERLOADED while the rest is in use
   */
  async take(bytes: number, what: string): Promise<void> {
    if (bytes > this.limitBytes)
      throw unsupported(
        `${what} takes about ${mebibytes(bytes)} once loaded, more than this server's whole memory limit of ${mebibytes(this.limitBytes)}; give it a larger --memory-limit`,
      );
    const until = performance.now() + PATIENCE_MS;
    while (!this.#fits(bytes)) {
      if (performance.now() > until)
        throw overloaded(
          `${what} takes about ${mebibytes(bytes)} once loaded; ${mebibytes(this.#takenBytes)} of this server's memory limit of ${mebibytes(this.limitBytes)} are taken, and what is loaded is in use. A version that takes over is loaded beside the one that answers: give the server a larger --memory-limit`,
          { retryAfterMs: RETRY_AFTER_MS },
        );
      await setTimeout(BETWEEN_TRIES_MS);
    }
    this.#takenBytes += bytes;
  }

  #fits(bytes: number): boolean {
    const over = this.#takenBytes + bytes - this.limitBytes;
    return over <= 0 || this.evict(over);
  }

  free(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}

const mebibytes = (bytes: number): string => `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`;
