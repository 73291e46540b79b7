/**
 * Answers that a version has given, by the rows that it was asked: the graph is a function, so they are what it would
 * answer again, bit for bit. Owned by its servable and freed with it.
 *
 * A key is the very bytes of all inputs' rows, behind the choice of outputs and the count of rows; no two questions share
 * one. The least recently used go first. Hot path for models that have a cache: a string is made per call.
 */
import { DATA_TYPES, type TensorData } from '../model/tensor.js';
import { type Batch, bytesOf } from './batch.js';
import type { Slot } from './servable.js';

/** Larger entries are not kept, key and answers together. */
const MOST_ENTRY_BYTES = 64 << 10;
/** Of all entries of one version. */
const MOST_BYTES = 64 << 20;
/** A cache of fewer entries begins to look for the least recently used anew when so many have been used. */
const LEAST_MOVED = 1_000;
/** What an entry takes beside its key and values, about. */
const ENTRY_BYTES = 256;

/** What a call was answered with: all its rows, by position in the plan's outputs. */
export interface KeptAnswers {
  readonly values: readonly TensorData[];
  /** The same values' bytes; undefined for strings. */
  readonly bytes: readonly (Buffer | undefined)[];
  readonly sizeBytes: number;
}

/** Plain numbers of one model, over all its versions that were loaded. */
export class CacheCounts {
  hits = 0;
  misses = 0;
  entries = 0;
  bytes = 0;
}

export class ResultCache {
  readonly #entries = new Map<string, KeptAnswers>();
  /** Stands before the least recently used: one that began anew each time would pass all places of entries that have gone. */
  #oldest = this.#entries.keys();
  /** Since it was begun: the runtime keeps all places behind it, also those of entries that have moved on. */
  #moved = 0;
  #bytes = 0;

  constructor(
    readonly mostEntries: number,
    readonly counts: CacheCounts,
  ) {}

  get(key: string): KeptAnswers | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) {
      this.counts.misses++;
      return undefined;
    }
    this.counts.hits++;
    // The map's order is the order of use.
    this.#entries.delete(key);
    this.#entries.set(key, found);
    if (++this.#moved > this.#entries.size + LEAST_MOVED) this.#beginAnew();
    return found;
  }

  /** Copies rows of finished answers. */
  keep(key: string, values: readonly TensorData[], outputs: readonly Slot[], first: number, rows: number): void {
    const least =
      outputs.reduce((sum, { dataType, rowWidth }) => sum + rowWidth * DATA_TYPES[dataType].bytes, 0) * rows;
    if (least > MOST_ENTRY_BYTES) return;
    const copies = values.map((all, i) => {
      const { rowWidth } = outputs[i]!;
      return all.slice(first * rowWidth, (first + rows) * rowWidth) as TensorData;
    });
    const sizeBytes = ENTRY_BYTES + key.length * 2 + copies.reduce((sum, each) => sum + sizeOf(each), 0);
    if (sizeBytes > MOST_ENTRY_BYTES) return;
    this.#drop(key);
    this.#entries.set(key, { values: copies, bytes: copies.map(bytesOf), sizeBytes });
    this.#count(1, sizeBytes);
    while (this.#entries.size > this.mostEntries || this.#bytes > MOST_BYTES) this.#dropOldest();
  }

  #beginAnew(): void {
    this.#oldest = this.#entries.keys();
    this.#moved = 0;
  }

  #dropOldest(): void {
    const next = this.#oldest.next();
    if (next.done) this.#beginAnew();
    else this.#drop(next.value);
  }

  #drop(key: string): void {
    const found = this.#entries.get(key);
    if (found === undefined) return;
    this.#entries.delete(key);
    this.#count(-1, -found.sizeBytes);
  }

  #count(entries: number, bytes: number): void {
    this.#bytes += bytes;
    this.counts.entries += entries;
    this.counts.bytes += bytes;
  }

  clear(): void {
    this.#count(-this.#entries.size, -this.#bytes);
    this.#entries.clear();
  }
}

const sizeOf = (values: TensorData): number =>
  Array.isArray(values) ? values.reduce((sum, text) => sum + 16 + text.length * 2, 0) : values.byteLength;

/** Makes the keys of one plan's calls. */
export class CacheKeys {
  readonly #inputs: readonly Slot[];
  /** Bytes of a row's values that are not strings. */
  readonly #rowBytes: number;
  readonly #mostRows: number;
  /** What every key begins with stands in it, and room for a few rows behind that. */
  #scratch: Buffer;
  readonly #rowsAt: number;

  /** @param plan tells this plan's outputs from those of the version's others; without a `/` */
  constructor(plan: string, inputs: readonly Slot[]) {
    this.#inputs = inputs;
    this.#rowBytes = inputs.reduce((sum, { dataType, rowWidth }) => sum + rowWidth * DATA_TYPES[dataType].bytes, 0);
    this.#mostRows = Math.floor((MOST_ENTRY_BYTES - ENTRY_BYTES) / Math.max(1, 2 * this.#rowBytes));
    this.#rowsAt = plan.length + 1;
    this.#scratch = Buffer.alloc(this.#rowsAt + 4 + this.#rowBytes);
    this.#scratch.write(`${plan}/`, 'latin1');
  }

  /** Of the batch's rows `from` and the following. @returns undefined where they are too many to be kept */
  of({ bytes, columns }: Batch, from: number, rows: number): string | undefined {
    if (rows > this.#mostRows) return undefined;
    const inputs = this.#inputs,
      scratch = this.#roomFor(rows);
    let at = scratch.writeUInt32LE(rows, this.#rowsAt),
      texts = '';
    for (let i = 0; i < inputs.length; i++) {
      const { rowWidth } = inputs[i]!,
        column = bytes[i],
        first = from * rowWidth,
        count = rows * rowWidth;
      if (column === undefined) {
        const strings = columns[i] as string[];
        for (let k = first; k < first + count; k++) texts += `${strings[k]!.length}:${strings[k]}`;
      } else {
        const width = (columns[i] as Uint8Array).BYTES_PER_ELEMENT;
        at = copyInto(scratch, at, column, first * width, count * width);
      }
    }
    if (texts.length * 2 > MOST_ENTRY_BYTES) return undefined;
    return scratch.toString('latin1', 0, at) + texts;
  }

  #roomFor(rows: number): Buffer {
    const before = this.#scratch,
      size = this.#rowsAt + 4 + rows * this.#rowBytes;
    if (size <= before.length) return before;
    this.#scratch = Buffer.alloc(size);
    before.copy(this.#scratch, 0, 0, this.#rowsAt);
    return this.#scratch;
  }
}

/** A call of a few bytes costs less in a loop than one into the runtime. */
const SHORT_BYTES = 32;

function copyInto(to: Buffer, at: number, from: Buffer, start: number, length: number): number {
  if (length > SHORT_BYTES) from.copy(to, at, start, start + length);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  return at + length;
}
