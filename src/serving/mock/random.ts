/** Numbers that look random and follow from what they were begun with. Pure. */

const number = new Float64Array(1);
const bytes = new Uint8Array(number.buffer);

/** FNV-1a of a row's values, a number or a text after the other. */
export class RowHash {
  #hash = 0x811c9dc5;

  /** All NaNs are one value. */
  number(value: number): this {
    number[0] = Number.isNaN(value) ? Number.NaN : value;
    for (let i = 0; i < bytes.length; i++) this.#byte(bytes[i]!);
    return this;
  }

  text(value: string): this {
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      this.#byte(unit & 0xff);
      this.#byte(unit >> 8);
    }
    // So that "a", "bc" and "ab", "c" are two rows.
    return this.number(-1 - value.length);
  }

  #byte(byte: number): void {
    this.#hash = Math.imul(this.#hash ^ byte, 0x01000193);
  }

  /** @returns draws of [0, 1), the same for the same row: mulberry32, begun with MurmurHash3's mixer of the hash */
  draws(): () => number {
    let state = mixed(this.#hash);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  }
}

function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
