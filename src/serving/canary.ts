/**
 * Which of an alias's two versions answers a call while a canary runs.
 *
 * A routing key becomes a point of [0, 1); points below the canary's weight are its own. The point depends on the key and
 * the canary's version alone, so a caller meets the same version in every server and after every restart, stays with a
 * canary whose weight grows, and is not always among the first to meet a new one. Calls without a key take the points of
 * a golden-ratio sequence, which gives the canary its share of any run of calls, to within a few of them. Hot path: no
 * object is made.
 */
import type { Canary } from '../model/version.js';
import type { Servable } from './servable.js';

const FNV_OFFSET = 0x811c9dc5,
  FNV_PRIME = 0x01000193;
const GOLDEN_RATIO = 0.6180339887498949;

/** 32-bit FNV-1a (draft-eastlake-fnv), begun at `hash`. */
export function fnv1a(bytes: Uint8Array, hash = FNV_OFFSET): number {
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash >>> 0;
}

/** MurmurHash3's finalizer: the last bytes of an FNV hash move its upper bits too little. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A canary that takes calls. */
export class RunningCanary implements Canary {
  readonly version: string;
  readonly weight: number;
  /** Undefined once memory was short; the next of its calls loads it again. */
  servable: Servable | undefined;
  readonly #seed: number;
  #point = 0;
  #pointBefore = 0;

  constructor({ version, weight }: Canary, servable: Servable) {
    this.version = version;
    this.weight = weight;
    this.servable = servable;
    this.#seed = fnv1a(Buffer.from(version));
  }

  /** Whether the canary answers this call. @param routingKey none when absent or empty */
  takes(routingKey?: Uint8Array): boolean {
    return (
      (routingKey === undefined || routingKey.length === 0 ? this.#next() : this.pointOf(routingKey)) < this.weight
    );
  }

  /** Forgets the last call, which will ask again and is to be told the same. */
  takeBack(): void {
    this.#point = this.#pointBefore;
  }

  /** Of [0, 1). */
  pointOf(routingKey: Uint8Array): number {
    return mixed(fnv1a(routingKey, this.#seed)) / 2 ** 32;
  }

  #next(): number {
    this.#pointBefore = this.#point;
    this.#point += GOLDEN_RATIO;
    if (this.#point >= 1) this.#point -= 1;
    return this.#point;
  }
}
