/**
 * Rows without anything nested, read as their writer is expected to write them: in the order in which the last rows came.
 *
 * Nothing is said of a row that is otherwise, or breaks the contract: it is read again, from its begin, by what tells why.
 * Hot path: no call per number, nothing is allocated, and the loop is one function so that its tables are found once a call.
 * bench/contract measures it.
 */
import type { TensorData } from '../../model/tensor.js';
import { typeOfCompact } from '../wire/compact.js';
import { BOOL, DOUBLE, doubleScratch, STOP, STRING, type WireReader } from '../wire/protocol.js';
import { type Columns, store, type TypedField } from './fields.js';
import { numberOf } from './numbers.js';
import { textOf } from './text.js';
import { Vocabulary } from './vocabulary.js';

/** How a field's value is read and stored. */
const FLOAT64 = 0,
  FLOAT32 = 1,
  WORD = 2,
  NUMBER = 3,
  TEXT = 4;

/** Of fewer rows a view costs more than it gains. */
const LEAST_VIEWED = 3;

const NO_WORDS = new Vocabulary([]);

export class QuickRows {
  #order: readonly TypedField[];
  readonly #ids: Int32Array;
  readonly #types: Int32Array;
  readonly #kinds: Int32Array;
  readonly #mins: Float64Array;
  readonly #maxs: Float64Array;
  readonly #widths: Int32Array;
  readonly #offsets: Int32Array;
  #words: readonly Vocabulary[] = [];
  #numbers: (Float64Array | Float32Array)[] = [];
  #texts: string[][] = [];
  /** Whose columns these are. */
  #of: TensorData[] | undefined;

  private constructor(fields: readonly TypedField[]) {
    const { length } = fields;
    this.#ids = new Int32Array(length);
    this.#types = new Int32Array(length);
    this.#kinds = new Int32Array(length);
    this.#mins = new Float64Array(length);
    this.#maxs = new Float64Array(length);
    this.#widths = new Int32Array(length);
    this.#offsets = new Int32Array(length);
    this.#order = fields;
    this.#arrange(fields);
  }

  /** @returns undefined where the request has more than fields of one value */
  static of(fields: readonly TypedField[]): QuickRows | undefined {
    const flat = fields.every(({ field, tensor }) => tensor === undefined && field.path.length === 1);
    return flat ? new QuickRows(fields) : undefined;
  }

  #arrange(fields: readonly TypedField[]): void {
    this.#order = fields;
    this.#of = undefined;
    this.#words = fields.map(({ vocabulary }) => vocabulary ?? NO_WORDS);
    fields.forEach((field, k) => {
      this.#ids[k] = field.field.id;
      this.#types[k] = field.wireType;
      this.#kinds[k] = kindOf(field);
      this.#mins[k] = field.min;
      this.#maxs[k] = field.max;
      this.#widths[k] = field.rowWidth;
      this.#offsets[k] = field.column;
    });
  }

  /** @param met the fields of a row that did not come as expected: the next ones will most likely come like this too */
  expect(met: readonly TypedField[]): void {
    let next = 0;
    for (const field of this.#order) if (field === met[next]) next++;
    if (next < met.length) this.#arrange([...new Set([...met, ...this.#order])]);
  }

  /** Keeps no columns until the next call. */
  forget(): void {
    this.#of = undefined;
    this.#numbers = [];
    this.#texts = [];
  }

  #begin(columns: TensorData[]): void {
    if (this.#of === columns) return;
    this.#of = columns;
    this.#numbers = this.#order.map(({ input }, k) =>
      this.#kinds[k]! <= FLOAT32 ? (columns[input] as Float64Array) : new Float64Array(0),
    );
    this.#texts = this.#order.map(({ input }, k) => (this.#kinds[k] === WORD ? (columns[input] as string[]) : []));
  }

  /**
   * Reads rows from `from` on, as many as come as expected; then the reader stands before the first one that does not.
   *
   * @param to the row behind the last one
   * @returns the row behind the last one that was read
   */
  read(reader: WireReader, compact: boolean, into: Columns, from: number, to: number): number {
    this.#begin(into.columns);
    const { buffer, end } = reader,
      view = to - from < LEAST_VIEWED ? undefined : new DataView(buffer.buffer, buffer.byteOffset, buffer.length),
      ids = this.#ids,
      types = this.#types,
      kinds = this.#kinds,
      mins = this.#mins,
      maxs = this.#maxs,
      widths = this.#widths,
      offsets = this.#offsets,
      numbers = this.#numbers,
      texts = this.#texts,
      words = this.#words,
      count = ids.length;
    let at = reader.at;
    for (let row = from; row < to; row++) {
      reader.at = at;
      let next = 0,
        id = 0;
      for (;;) {
        if (at >= end) return row;
        const head = buffer[at++]!;
        if (head === STOP) break;
        let type = head;
        if (compact) {
          // A step of 0 is a field id in its long form.
          if (head < 16) return row;
          type = typeOfCompact(head);
          id += head >> 4;
        } else {
          if (end - at < 2) return row;
          id = (buffer[at]! << 8) | buffer[at + 1]!;
          at += 2;
        }
        while (next < count && ids[next] !== id) if (!this.#leaveOut(next++, into, row)) return row;
        if (next === count || types[next] !== type) return row;
        const kind = kinds[next]!;
        if (kind <= FLOAT32) {
          if (end - at < 8) return row;
          const value = view === undefined ? doubleAt(buffer, at, compact) : view.getFloat64(at, compact);
          at += 8;
          if (value >= mins[next]! && value <= maxs[next]!)
            numbers[next]![row * widths[next]! + offsets[next]!] = value;
          else if (!Number.isNaN(value) || !this.#leaveOut(next, into, row)) return row;
        } else if (kind === WORD) {
          let length: number;
          if (compact) {
            if (at >= end) return row;
            length = buffer[at++]!;
            // A length of several bytes.
            if (length >= 0x80) return row;
          } else {
            if (end - at < 4) return row;
            length = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
            at += 4;
          }
          if (length < 0 || length > end - at) return row;
          const known = words[next]!,
            found = view === undefined ? known.find(buffer, at, length) : known.findBy(view, buffer, at, length);
          if (found < 0) return row;
          at += length;
          texts[next]![row * widths[next]! + offsets[next]!] = known.members[found]!;
        } else {
          const begin = reader.at;
          reader.at = at;
          const read = this.#readOther(reader, compact, head, this.#order[next]!, into, row);
          at = reader.at;
          reader.at = begin;
          if (!read) return row;
        }
        next++;
      }
      while (next < count) if (!this.#leaveOut(next++, into, row)) return row;
    }
    reader.at = at;
    return to;
  }

  /** @returns whether it may be missing */
  #leaveOut(next: number, into: Columns, row: number): boolean {
    const field = this.#order[next]!;
    if (field.missing === undefined) return false;
    store(into, field, row, field.missing);
    return true;
  }

  /** Reads what is neither a double that is fed nor a word of a vocabulary. @returns whether it fits */
  #readOther(
    reader: WireReader,
    compact: boolean,
    head: number,
    field: TypedField,
    into: Columns,
    row: number,
  ): boolean {
    if (field.wireType === STRING) {
      const length = reader.span(),
        text = textOf(reader.buffer, reader.spanAt, length, field);
      if (text !== undefined) store(into, field, row, text);
      return text !== undefined;
    }
    // In the compact protocol a bool is in its header: 1 is true, 2 false.
    const value = field.wireType === BOOL && compact ? 2 - (head & 15) : numberOf(reader, field.wireType);
    if (field.enumLabels !== undefined) {
      const label = field.enumLabels.get(value);
      if (label !== undefined) store(into, field, row, label);
      return label !== undefined;
    }
    if (value >= field.min && value <= field.max) store(into, field, row, value);
    else return false;
    return true;
  }
}

const { bytes: scratch, double: scratchDouble } = doubleScratch;

/** @param little whether the least byte is first, as in the compact protocol */
function doubleAt(buffer: Buffer, at: number, little: boolean): number {
  if (little) for (let i = 0; i < 8; i++) scratch[i] = buffer[at + i]!;
  else for (let i = 0; i < 8; i++) scratch[7 - i] = buffer[at + i]!;
  return scratchDouble[0]!;
}

function kindOf({ wireType, dataType, input, vocabulary }: TypedField): number {
  if (wireType === STRING) return vocabulary !== undefined && input >= 0 ? WORD : TEXT;
  if (wireType !== DOUBLE || input < 0) return NUMBER;
  return dataType === 'float64' ? FLOAT64 : dataType === 'float32' ? FLOAT32 : NUMBER;
}
