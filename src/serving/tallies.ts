/**
 * The tallies of every version, and what its model has answered in all.
 *
 * A version's counts end some time after it was let go, so that a server through which many versions pass does not tell of
 * all of them for ever; its model's totals keep them and never go backwards. A version that is loaded again in the meantime
 * goes on where it was.
 */
import type { ErrorCode } from '../errors.js';
import type { Version } from '../model/version.js';
import { Failures, Tally } from './tally.js';

/** Longer than anyone waits between two readings. */
const KEPT_MS = 600_000;
/** Of versions that were let go; the first of them ends earlier where there are more. */
const MOST_ENDED = 256;

export interface VersionTally {
  readonly model: string;
  readonly version: Version;
  readonly tally: Tally;
}

/** What a model has answered in all, whichever version did. */
export class ModelTotals {
  succeeded = 0;
  cancelled = 0;
  rows = 0;
  readonly failures = new Failures();

  add({ succeeded, cancelled, rows, failures }: Pick<Tally, 'succeeded' | 'cancelled' | 'rows' | 'failures'>): void {
    this.succeeded += succeeded;
    this.cancelled += cancelled;
    this.rows += rows;
    for (const [code, count] of failures.byCode) this.failures.add(code, count);
  }
}

interface Ended extends VersionTally {
  readonly sinceMs: number;
}

export class Tallies {
  readonly #live = new Map<string, VersionTally>();
  /** In the order in which they were let go. */
  readonly #ended = new Map<string, Ended>();
  /** Of versions that are told of no longer. */
  readonly #past = new Map<string, ModelTotals>();
  /** Calls of a known model that met no version. */
  readonly #unrouted = new Map<string, Failures>();
  readonly #now: () => number;

  /** @param now milliseconds, on any clock that does not go backwards */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The version's own, until it is let go. */
  of(model: string, version: Version): Tally {
    const key = `${model}:${version}`;
    let found = this.#live.get(key);
    if (found === undefined) {
      found = { model, version, tally: this.#ended.get(key)?.tally ?? new Tally() };
      this.#ended.delete(key);
      this.#live.set(key, found);
    }
    return found.tally;
  }

  /** The version was let go. */
  end(model: string, version: Version): void {
    const key = `${model}:${version}`,
      found = this.#live.get(key);
    if (found === undefined) return;
    this.#live.delete(key);
    this.#ended.set(key, { ...found, sinceMs: this.#now() });
    this.#forgetOld();
  }

  /** A call of a known model that no version was found for. */
  refused(model: string, code: ErrorCode): void {
    let failures = this.#unrouted.get(model);
    if (failures === undefined) this.#unrouted.set(model, (failures = new Failures()));
    failures.add(code);
  }

  /** Versions that are loaded, and those that were until a while ago. */
  get versions(): readonly VersionTally[] {
    this.#forgetOld();
    return [...this.#live.values(), ...this.#ended.values()];
  }

  /** By model: failures of calls that met no version. */
  get unrouted(): ReadonlyMap<string, Failures> {
    return this.#unrouted;
  }

  /** By model, since this process started. */
  get totals(): ReadonlyMap<string, ModelTotals> {
    const totals = new Map<string, ModelTotals>();
    const of = (model: string) => {
      let found = totals.get(model);
      if (found === undefined) totals.set(model, (found = new ModelTotals()));
      return found;
    };
    for (const [model, past] of this.#past) of(model).add(past);
    for (const { model, tally } of this.versions) of(model).add(tally);
    for (const [model, failures] of this.#unrouted) of(model).add({ succeeded: 0, cancelled: 0, rows: 0, failures });
    return totals;
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { model, tally, sinceMs }] of this.#ended) {
      if (now - sinceMs < KEPT_MS && this.#ended.size <= MOST_ENDED) return;
      this.#ended.delete(key);
      let past = this.#past.get(model);
      if (past === undefined) this.#past.set(model, (past = new ModelTotals()));
      past.add(tally);
    }
  }
}
