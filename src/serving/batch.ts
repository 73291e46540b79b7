/**
 * Rows that run together, gathered column by column, and the calls that they belong to.
 *
 * Hot path: nothing is allocated per value; views of the columns are made once per count of rows.
 */
import { allocate, type TensorData } from '../model/tensor.js';
import { type Feeds, runtimeTensor } from '../onnx/session.js';
import type { Call } from './batcher.js';
import type { KeptAnswers } from './result-cache.js';
import type { Slot } from './servable.js';

/** Of more rows than this, a view with strings is not kept: each would hold a copy of them. */
const MOST_COPIED_ROWS = 64;

/** `columns[i]` belongs to the servable's input i; call k has `sizes[k]` rows, behind those of the calls before it. */
export class Batch {
  rows = 0;
  /** When its run began, on performance.now()'s clock. */
  startedMs = 0;
  columns: TensorData[] = [];
  /** The columns' bytes; undefined for a column of strings. */
  bytes: (Buffer | undefined)[] = [];
  readonly calls: Call[] = [];
  readonly sizes: number[] = [];
  /** Where answers are kept: under what call k's will be, and what it is answered with where that is known (of 0 rows). */
  readonly keys: (string | undefined)[] = [];
  readonly kept: (KeptAnswers | undefined)[] = [];
  #capacity = 0;
  #feeds: (Feeds | undefined)[] = [];

  /** Which inputs hold strings. */
  readonly #texts: readonly number[];

  constructor(readonly inputs: readonly Slot[]) {
    this.#texts = [...inputs.keys()].filter((index) => inputs[index]!.dataType === 'string');
  }

  get capacity(): number {
    return this.#capacity;
  }

  reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    const old = this.columns;
    this.#capacity = Math.max(rows, this.#capacity * 2);
    this.columns = this.inputs.map((slot, index) => {
      const larger = allocate(slot.dataType, this.#capacity * slot.rowWidth);
      const previous = old[index];
      if (previous !== undefined) copyValues(previous, larger);
      return larger;
    });
    this.bytes = this.columns.map(bytesOf);
    this.#feeds = [];
  }

  /** The inputs of the first `rows` rows: views of the columns, made once per count; strings are copied into theirs. */
  feeds(rows: number): Feeds {
    if (this.#texts.length > 0 && rows > MOST_COPIED_ROWS) return this.view(0, rows);
    const made = this.#feeds[rows];
    if (made === undefined) return (this.#feeds[rows] = this.view(0, rows));
    for (const index of this.#texts) {
      const column = this.columns[index] as string[],
        copy = made[this.inputs[index]!.name]!.data as string[];
      for (let i = 0; i < copy.length; i++) copy[i] = column[i]!;
    }
    return made;
  }

  view(from: number, rows: number): Feeds {
    const feeds: Feeds = {};
    this.inputs.forEach(({ name, dataType, rowShape, rowWidth }, index) => {
      const column = this.columns[index]!;
      const part = Array.isArray(column)
        ? column.slice(from * rowWidth, (from + rows) * rowWidth)
        : column.subarray(from * rowWidth, (from + rows) * rowWidth);
      feeds[name] = runtimeTensor(dataType, part, [rows, ...rowShape]);
    });
    return feeds;
  }

  /** Takes calls out with their rows; the others' move up, in place. @returns those taken out */
  takeOut(isOut: (call: Call, index: number) => boolean): Call[] {
    const { calls, sizes, keys, kept } = this,
      out: Call[] = [];
    let left = 0,
      rowsLeft = 0;
    for (let i = 0, first = 0; i < calls.length; i++) {
      const call = calls[i]!,
        rows = sizes[i]!;
      if (isOut(call, i)) out.push(call);
      else {
        if (rowsLeft < first) this.#move(first, rowsLeft, rows);
        calls[left] = call;
        sizes[left] = rows;
        if (keys.length > 0) keys[left] = keys[i];
        if (kept.length > 0) kept[left] = kept[i];
        left++;
        rowsLeft += rows;
      }
      first += rows;
    }
    calls.length = sizes.length = left;
    if (keys.length > left) keys.length = left;
    if (kept.length > left) kept.length = left;
    this.rows = rowsLeft;
    return out;
  }

  #move(from: number, to: number, rows: number): void {
    this.columns.forEach((column, index) => {
      const { rowWidth } = this.inputs[index]!;
      (column as Uint8Array).copyWithin(to * rowWidth, from * rowWidth, (from + rows) * rowWidth);
    });
  }

  clear(): void {
    this.rows = 0;
    this.calls.length = 0;
    this.sizes.length = 0;
    if (this.keys.length > 0) this.keys.length = 0;
    if (this.kept.length > 0) this.kept.length = 0;
  }
}

export function bytesOf(values: TensorData): Buffer | undefined {
  return Array.isArray(values) ? undefined : Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function copyValues(from: TensorData, to: TensorData): void {
  if (Array.isArray(from)) for (let i = 0; i < from.length; i++) (to as string[])[i] = from[i]!;
  else (to as Uint8Array).set(from as Uint8Array);
}
