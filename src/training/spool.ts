/**
 * Bytes written once and read again and again, in order: in memory up to a limit, beyond that in a temporary file.
 *
 * One run owns a spool. The file has lost its name by the time anything is in it (where the system allows that), so that
 * a killed process leaves nothing; `close` removes what is left.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internal } from '../errors.js';

export const SPOOL_LIMIT_BYTES = 64 * 2 ** 20;

export class Spool {
  sizeBytes = 0;
  private readonly limitBytes: number;
  /** Of every record, in order. */
  private readonly lengths: number[] = [];
  private held: Uint8Array[] = [];
  private file: number | undefined;
  private folder: string | undefined;

  constructor(limitBytes = SPOOL_LIMIT_BYTES) {
    this.limitBytes = limitBytes;
  }

  get onDisk(): boolean {
    return this.file !== undefined;
  }

  /** Takes the record over: its bytes must not change any more. */
  append(record: Uint8Array): void {
    this.lengths.push(record.byteLength);
    this.sizeBytes += record.byteLength;
    if (this.file === undefined && this.sizeBytes <= this.limitBytes) this.held.push(record);
    else this.write(record);
  }

  /** The records in order, each aligned to eight bytes, and the reader's only until the next one. */
  *records(): Iterable<Uint8Array> {
    if (this.file === undefined) yield* this.held;
    else yield* this.stored(this.file);
  }

  close(): void {
    this.held = [];
    if (this.file !== undefined) closeSync(this.file);
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
    this.file = undefined;
    this.folder = undefined;
    this.lengths.length = 0;
  }

  private write(record: Uint8Array): void {
    this.file ??= this.spill();
    writeAll(this.file, record);
  }

  private spill(): number {
    this.folder = mkdtempSync(join(tmpdir(), 'parley-spool-'));
    const file = openSync(join(this.folder, 'rows'), 'wx+', 0o600);
    try {
      rmSync(this.folder, { recursive: true, force: true });
    } catch {
      // Windows keeps the name of an open file; close() removes it.
    }
    for (const record of this.held) writeAll(file, record);
    this.held = [];
    return file;
  }

  private *stored(file: number): Iterable<Uint8Array> {
    const space = new Uint8Array(this.lengths.reduce((most, length) => Math.max(most, length), 0));
    let position = 0;
    for (const length of this.lengths) {
      const record = space.subarray(0, length);
      readAll(file, record, position);
      position += length;
      yield record;
    }
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function readAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw internal('a temporary file with the rows was cut off while it was read; run again');
    done += read;
  }
}
