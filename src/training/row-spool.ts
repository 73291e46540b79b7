/** Rows of a run in bounded memory, in the order they came. Numbers as they are in memory, text as UTF-8. */
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import { Spool } from './spool.js';

/** Rows a batch, which divides evenly into eight bytes. */
const HEADER_BYTES = 8;

export class RowSpool {
  rows = 0;
  readonly specs: readonly ColumnSpec[];
  private readonly spool: Spool;

  constructor(specs: readonly ColumnSpec[], limitBytes?: number) {
    this.specs = specs;
    this.spool = new Spool(limitBytes);
  }

  get onDisk(): boolean {
    return this.spool.onDisk;
  }

  append(batch: ColumnBatch): void {
    if (batch.rows === 0) return;
    this.rows += batch.rows;
    this.spool.append(encode(batch));
  }

  /** The columns are the reader's only until the next batch. */
  *batches(): Iterable<ColumnBatch> {
    for (const record of this.spool.records()) yield decode(this.specs, record);
  }

  close(): void {
    this.spool.close();
  }
}

/** Rows, then all columns of numbers, then of each column of text its lengths, its size in bytes and its bytes. */
function encode({ rows, columns }: ColumnBatch): Uint8Array {
  const numbers = columns.filter((column) => column instanceof Float64Array);
  const texts = columns.filter((column) => Array.isArray(column)).map(encodeTexts);
  const numberBytes = numbers.length * rows * 8;
  const record = new Uint8Array(HEADER_BYTES + numberBytes + texts.reduce((sum, text) => sum + text.length, 0));
  new Uint32Array(record.buffer, 0, 1)[0] = rows;
  const space = new Float64Array(record.buffer, HEADER_BYTES, numbers.length * rows);
  for (const [index, column] of numbers.entries()) space.set(column.subarray(0, rows), index * rows);
  let at = HEADER_BYTES + numberBytes;
  for (const text of texts) {
    record.set(text, at);
    at += text.length;
  }
  return record;
}

function encodeTexts(column: readonly string[]): Uint8Array {
  const text = Buffer.from(column.join(''), 'utf8');
  const encoded = new Uint8Array(column.length * 4 + 4 + text.length);
  const view = new DataView(encoded.buffer);
  for (const [row, value] of column.entries()) view.setUint32(row * 4, value.length, true);
  view.setUint32(column.length * 4, text.length, true);
  encoded.set(text, column.length * 4 + 4);
  return encoded;
}

function decode(specs: readonly ColumnSpec[], record: Uint8Array): ColumnBatch {
  const rows = new Uint32Array(record.buffer, record.byteOffset, 1)[0];
  let numberAt = record.byteOffset + HEADER_BYTES;
  let textAt = HEADER_BYTES + specs.filter((spec) => spec.kind === 'number').length * rows * 8;
  const columns = specs.map((spec): Column => {
    if (spec.kind === 'number') {
      numberAt += rows * 8;
      return new Float64Array(record.buffer, numberAt - rows * 8, rows);
    }
    const { texts, end } = decodeTexts(record, textAt, rows);
    textAt = end;
    return texts;
  });
  return { specs, rows, columns };
}

function decodeTexts(record: Uint8Array, at: number, rows: number): { texts: string[]; end: number } {
  const view = new DataView(record.buffer, record.byteOffset);
  const start = at + rows * 4 + 4;
  const end = start + view.getUint32(at + rows * 4, true);
  const all = Buffer.from(record.buffer, record.byteOffset + start, end - start).toString('utf8');
  const texts = new Array<string>(rows);
  let position = 0;
  for (let row = 0; row < rows; row++) {
    const length = view.getUint32(at + row * 4, true);
    texts[row] = all.slice(position, (position += length));
  }
  return { texts, end };
}
