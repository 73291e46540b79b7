/**
 * A SQLite file opened so that reading it needs no lock beside it and changes nothing.
 *
 * The library locks a database by making a folder `<path>.lock` and so lets one reader in at a time, needs a writable
 * folder, and stays locked after a killed process. Read through links in a folder of our own, the lock is ours alone.
 * What is lost, being warned of a writer, is checked instead: the files must be the same at the end as at the start.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite, { type Database } from 'node-sqlite3-wasm';
import { conflict, invalidInput } from '../../errors.js';

const MAGIC = 'SQLite format 3\0';

export class Snapshot {
  readonly database: Database;
  private readonly file: string;
  private readonly links: string;
  private readonly before: string;

  constructor(file: string) {
    this.file = file;
    refuseForeign(file);
    this.before = state(file);
    this.links = mkdtempSync(join(tmpdir(), 'parley-sqlite-'));
    try {
      this.database = this.open();
    } catch (cause) {
      rmSync(this.links, { recursive: true, force: true });
      throw invalidInput(`source.path: "${file}" cannot be opened as a SQLite database: ${text(cause)}`, { cause });
    }
  }

  /** @throws CONFLICT when a writer was at work since the snapshot was opened */
  assertUnchanged(): void {
    if (state(this.file) === this.before) return;
    throw conflict(
      `source.path: "${this.file}" was written while it was read; run again when nothing writes, or read a copy of it`,
    );
  }

  close(): void {
    if (this.database.isOpen) this.database.close();
    rmSync(this.links, { recursive: true, force: true });
  }

  private open(): Database {
    const link = join(this.links, 'source');
    symlinkSync(this.file, link);
    if (existsSync(`${this.file}-wal`)) symlinkSync(`${this.file}-wal`, `${link}-wal`);
    const database = new sqlite.Database(link, { readOnly: true });
    // A write-ahead log can be read without shared memory only so; temporary tables stay out of the file system.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY');
    return database;
  }
}

/** An empty file is an empty database. */
function refuseForeign(file: string): void {
  const header = Buffer.alloc(MAGIC.length);
  const handle = openSync(file, 'r');
  const length = readSync(handle, header, 0, MAGIC.length, 0);
  closeSync(handle);
  if (length > 0 && header.toString('latin1') !== MAGIC)
    throw invalidInput(
      `source.path: "${file}" is not a SQLite database; expected one. For a text file use kind csv or jsonl`,
    );
  if (existsSync(`${file}-journal`) && statSync(`${file}-journal`).size > 0)
    throw conflict(
      `source.path: "${file}" is being written, or a write to it was cut off ("${file}-journal" is there); wait for the writer, or open the file once with sqlite3, which repairs it`,
    );
}

function state(file: string): string {
  return [file, `${file}-wal`].map((name) => describe(name)).join();
}

function describe(name: string): string {
  const found = statSync(name, { bigint: true, throwIfNoEntry: false });
  return found === undefined || found.size === 0n ? '' : `${found.ino}:${found.size}:${found.mtimeNs}`;
}

const text = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
