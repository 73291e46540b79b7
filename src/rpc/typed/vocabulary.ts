/**
 * A closed set of strings that is looked up by bytes where they lie in a frame, without a string being made.
 *
 * A span's length and its first and last four bytes give a place in a table, most of whose chains are one long. Up to eight
 * bytes they are the whole span. Hot path: bench/contract measures it.
 */
const NONE = -1;
/** Odd, and far from any pattern of letters (Knuth's golden ratio). */
const MULTIPLIER = 0x9e3779b1;
/** What the two words hold. */
const WORDS = 8;

export class Vocabulary {
  readonly #bytes: readonly Uint8Array[];
  readonly #lengths: Int32Array;
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  readonly #shift: number;
  /** By place, the first member there; by member, the next one at its place. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  /** @param members of which the places are what is found; of equal ones the first */
  constructor(readonly members: readonly string[]) {
    this.#bytes = members.map((member) => Buffer.from(member));
    this.#lengths = Int32Array.from(this.#bytes, ({ length }) => length);
    this.#heads = Int32Array.from(this.#bytes, (bytes) => headOf(bytes, 0, bytes.length));
    this.#tails = Int32Array.from(this.#bytes, (bytes) => tailOf(bytes, 0, bytes.length));
    const bits = Math.max(2, Math.ceil(Math.log2(members.length * 4 + 1)));
    this.#shift = 32 - bits;
    this.#first = new Int32Array(1 << bits).fill(NONE);
    this.#next = new Int32Array(members.length).fill(NONE);
    for (let index = members.length - 1; index >= 0; index--) {
      const place = this.#placeOf(this.#lengths[index]!, this.#heads[index]!, this.#tails[index]!);
      this.#next[index] = this.#first[place]!;
      this.#first[place] = index;
    }
  }

  /** @returns the place of the member whose UTF-8 stands at `at`; -1: there is none */
  find(buffer: Buffer, at: number, length: number): number {
    return this.#find(buffer, at, length, headOf(buffer, at, length), tailOf(buffer, at, length));
  }

  /** @param view the same bytes as the buffer's: with it words are read at once */
  findBy(view: DataView, buffer: Buffer, at: number, length: number): number {
    if (length < 4) return this.find(buffer, at, length);
    return this.#find(buffer, at, length, view.getInt32(at, true), view.getInt32(at + length - 4, true));
  }

  #find(buffer: Buffer, at: number, length: number, head: number, tail: number): number {
    let index = this.#first[this.#placeOf(length, head, tail)]!;
    while (
      index !== NONE &&
      !(
        this.#lengths[index] === length &&
        this.#heads[index] === head &&
        this.#tails[index] === tail &&
        (length <= WORDS || isBetween(buffer, at, length, this.#bytes[index]!))
      )
    )
      index = this.#next[index]!;
    return index;
  }

  #placeOf(length: number, head: number, tail: number): number {
    return Math.imul(head ^ (tail << 1) ^ length, MULTIPLIER) >>> this.#shift;
  }
}

/** Of fewer than four bytes: all of them, in any case. */
function headOf(bytes: Uint8Array, at: number, length: number): number {
  if (length >= 4) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return length === 0 ? 0 : bytes[at]! | (bytes[at + (length >> 1)]! << 8) | (bytes[at + length - 1]! << 16);
}

function tailOf(bytes: Uint8Array, at: number, length: number): number {
  return length >= 4 ? headOf(bytes, at + length - 4, 4) : 0;
}

/** Whether the bytes between the two words are the same. */
function isBetween(buffer: Buffer, at: number, length: number, other: Uint8Array): boolean {
  for (let i = 4; i < length - 4; i++) if (buffer[at + i] !== other[i]) return false;
  return true;
}
