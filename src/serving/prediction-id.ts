/**
 * Names of answers: 20 characters of an alphabet of 32, unique across processes and sorted by time.
 *
 * Nine hold the millisecond, six the process (random), five a counter. Hot path: written into a buffer, no string is made.
 */
import { randomBytes } from 'node:crypto';

export const PREDICTION_ID_LENGTH = 20;

const ALPHABET = Buffer.from('0123456789abcdefghjkmnpqrstvwxyz');
const TIME = 9,
  PROCESS = 6,
  COUNTER = 5;

export class PredictionIds {
  readonly #current = Buffer.alloc(PREDICTION_ID_LENGTH);
  #ms = -1;
  #counter = 0;

  constructor() {
    const random = randomBytes(PROCESS);
    for (let i = 0; i < PROCESS; i++) this.#current[TIME + i] = ALPHABET[random[i]! & 31]!;
    this.tick(Date.now());
  }

  /** Sets the time that the next ids carry, in milliseconds since the epoch; once a turn is enough. */
  tick(nowMs: number): void {
    if (nowMs === this.#ms) return;
    this.#ms = nowMs;
    for (let i = TIME - 1, rest = nowMs; i >= 0; i--) {
      this.#current[i] = ALPHABET[rest % 32]!;
      rest = Math.floor(rest / 32);
    }
  }

  /** The next id's bytes; they are only the caller's until the next call. */
  next(): Uint8Array {
    const current = this.#current;
    let n = (this.#counter = (this.#counter + 1) & 0x1ffffff);
    for (let i = 0; i < COUNTER; i++) {
      current[PREDICTION_ID_LENGTH - 1 - i] = ALPHABET[n & 31]!;
      n >>>= 5;
    }
    return current;
  }
}
