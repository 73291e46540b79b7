/** Versions that ended their lane: one that does it again and again is refused for a while, for its neighbours' sake. */
import { modelBroken, type ParleyError } from '../../errors.js';

const MOST = 3,
  WITHIN_MS = 60_000,
  REFUSED_MS = 60_000;

export class Strikes {
  /** By version: when it ended its lane, on performance.now()'s clock, the last ones only. */
  readonly #times = new Map<string, readonly number[]>();

  add(name: string): void {
    const now = performance.now();
    for (const [each, times] of this.#times)
      if (times.at(-1)! < now - Math.max(WITHIN_MS, REFUSED_MS)) this.#times.delete(each);
    this.#times.set(name, [...(this.#times.get(name) ?? []), now].slice(-MOST));
  }

  /** @returns why the version must not run now */
  refusal(name: string): ParleyError | undefined {
    const times = this.#times.get(name);
    if (times === undefined || times.length < MOST || times.at(-1)! - times[0]! > WITHIN_MS) return undefined;
    const leftMs = times.at(-1)! + REFUSED_MS - performance.now();
    if (leftMs <= 0) return undefined;
    return modelBroken(
      `${name} ended the process that ran it ${MOST} times within ${WITHIN_MS / 1000} s; it is tried again in ${Math.ceil(leftMs / 1000)} s`,
    );
  }
}
