/**
 * Which rows are held out for the test: a hash of a row's content decides, so that the same row always falls on the same
 * side, rows that are equal never fall on both, and rows that are added later move none of the others.
 *
 * Hot: run for each value that is read. It allocates nothing but where a batch needs more space than those before.
 */
import type { Column } from '../model/row.js';

/** Rows as bytes, one after the other: numbers as float64, text as its length and UTF-8. */
export class RowBytes {
  private bytes = Buffer.allocUnsafe(1 << 16);
  private ends: number[] = [];

  /** Replaces what was here by `rows` rows. -0 is 0, and there is one NaN. */
  fill(columns: readonly Column[], rows: number): this {
    this.ends = [];
    let at = 0;
    for (let row = 0; row < rows; row++) {
      for (const column of columns)
        at = column instanceof Float64Array ? this.number(column[row], at) : this.text(column[row], at);
      this.ends.push(at);
    }
    return this;
  }

  row(row: number): Buffer {
    return this.bytes.subarray(row === 0 ? 0 : this.ends[row - 1], this.ends[row]);
  }

  all(): Buffer {
    return this.bytes.subarray(0, this.ends.at(-1) ?? 0);
  }

  private number(value: number, at: number): number {
    this.reserve(at + 8);
    // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
    return this.bytes.writeDoubleLE(value === value ? value + 0 : Number.NaN, at);
  }

  private text(value: string, at: number): number {
    this.reserve(at + 4 + value.length * 3);
    const length = this.bytes.write(value, at + 4, 'utf8');
    this.bytes.writeUInt32LE(length, at);
    return at + 4 + length;
  }

  private reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(size, this.bytes.length * 2));
    this.bytes.copy(larger);
    this.bytes = larger;
  }
}

/** Whether a row is held out: its hash, as a share of all hashes, is under `share`. @param share 0 to 1 */
export function isHeldOut(row: Uint8Array, share: number, seed: number): boolean {
  return hash(row, seed) / 2 ** 32 < share;
}

/** FNV-1a with MurmurHash3's finish, which spreads rows that differ in a bit. @returns 0 to 2^32 - 1 */
export function hash(bytes: Uint8Array, seed: number): number {
  let h = 0x811c9dc5 ^ finish(seed);
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return finish(h) >>> 0;
}

function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
