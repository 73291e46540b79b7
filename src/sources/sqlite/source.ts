/**
 * `{kind: sqlite, path, query}`: the rows of a SELECT on a SQLite file, opened read-only, through a cursor.
 *
 * A column's kind is what its declaration says (https://sqlite.org/datatype3.html), or, for expressions and columns
 * declared without a kind, what its first value says. SQLite holds no column to that, so each value is checked.
 */
import { setImmediate } from 'node:timers/promises';
import type { Database, SQLiteValue, Statement } from 'node-sqlite3-wasm';
import { z } from 'zod';
import { invalidInput, ParleyError } from '../../errors.js';
import type { Column, ColumnBatch, ColumnKind, ColumnSpec } from '../../model/row.js';
import type { Source, SourceKind } from '../../model/training-port.js';
import { refusedQuery, repeatedColumn, sourceFile } from '../file-path.js';
import type { Snapshot } from './snapshot.js';

const BATCH_ROWS = 2048;

const configuration = z.strictObject({
  path: z.string().min(1).describe("the database file; a relative path starts at the project's folder"),
  query: z.string().min(1).describe('one SELECT; its columns are the rows'),
});

export const sqlite: SourceKind<z.infer<typeof configuration>> = {
  kind: 'sqlite',
  configuration,
  async open({ path, query }, folder, texts) {
    // Loaded when it is needed: SQLite takes a while to be compiled.
    const { Snapshot } = await import('./snapshot.js');
    const snapshot = new Snapshot(sourceFile(path, folder, 'a SQLite database'));
    try {
      return new SqliteSource(snapshot, query.trim().replace(/[;\s]+$/, ''), texts);
    } catch (cause) {
      snapshot.close();
      throw cause;
    }
  },
};

class SqliteSource implements Source {
  readonly schema: readonly ColumnSpec[];
  private readonly snapshot: Snapshot;
  private readonly statement: Statement;

  constructor(
    snapshot: Snapshot,
    query: string,
    private readonly texts: ReadonlySet<string> = new Set(),
  ) {
    this.snapshot = snapshot;
    this.schema = asking(() => describe(snapshot.database, query, texts));
    this.statement = asking(() => snapshot.database.prepare(query));
  }

  async *batches(signal?: AbortSignal): AsyncIterable<ColumnBatch> {
    let first = 1;
    let batch = new Filling(this.schema, first, this.texts);
    for (const row of this.rows()) {
      batch.add(row);
      if (batch.rows < BATCH_ROWS) continue;
      yield batch.finish();
      batch = new Filling(this.schema, (first += BATCH_ROWS), this.texts);
      // The library never gives the event loop a turn, and a signal can only arrive in one.
      await setImmediate();
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
    this.snapshot.assertUnchanged();
    if (batch.rows > 0) yield batch.finish();
  }

  async close(): Promise<void> {
    if (!this.statement.isFinalized) this.statement.finalize();
    this.snapshot.close();
  }

  private *rows(): Iterable<Row> {
    const cursor = this.statement.iterate();
    for (;;) {
      const next = asking(() => cursor.next());
      if (next.done === true) return;
      yield next.value as Row; // not expanded: a value per column name
    }
  }
}

type Row = Readonly<Record<string, SQLiteValue | undefined>>;

/** One batch while it is being filled. */
class Filling {
  rows = 0;
  private readonly specs: readonly ColumnSpec[];
  private readonly columns: readonly Column[];
  private readonly firstRow: number;

  constructor(
    specs: readonly ColumnSpec[],
    firstRow: number,
    private readonly texts: ReadonlySet<string>,
  ) {
    this.specs = specs;
    this.firstRow = firstRow;
    this.columns = specs.map((spec) => (spec.kind === 'number' ? new Float64Array(BATCH_ROWS) : []));
  }

  add(row: Row): void {
    for (const [index, { name }] of this.specs.entries()) {
      const column = this.columns[index];
      const value = row[name];
      if (value === undefined) throw invalidInput(`source.query: column ${index + 1} needs a name: … AS ${safe(name)}`);
      if (column instanceof Float64Array) column[this.rows] = this.number(value, name);
      else column.push(this.string(value, name));
    }
    this.rows++;
  }

  finish(): ColumnBatch {
    const rows = this.rows;
    const columns = this.columns.map((column) => (column instanceof Float64Array ? column.subarray(0, rows) : column));
    return { specs: this.specs, rows, columns };
  }

  private number(value: SQLiteValue, name: string): number {
    if (value === null) return Number.NaN;
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint') return Number(value);
    throw this.mixed(value, name, 'a number', `NULL for a missing value, or CAST("${name}" AS TEXT)`);
  }

  private string(value: SQLiteValue, name: string): string {
    if (value === null) return '';
    if (typeof value === 'string') return value;
    if (this.texts.has(name))
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
    throw this.mixed(value, name, 'text', `CAST("${name}" AS TEXT), or CAST("${name}" AS REAL)`);
  }

  private mixed(value: SQLiteValue, name: string, expected: string, wayOut: string): Error {
    const row = this.firstRow + this.rows;
    const got = shown(value);
    const message = `expected ${expected} as in the rows before or the column's declaration, got ${got}`;
    return invalidInput(
      `source.query: row ${row}, column "${name}": ${message}. Correct the row, or select ${wayOut}`,
      {
        problems: [{ path: `row ${row}.${name}`, message, got }],
      },
    );
  }
}

/** Of what gives rows; a comment may stand before it, and its errors are SQLite's own. */
const STARTS_AS_ROWS = /^(select|with|values|--|\/\*)/i;

/** The query's columns. A view of it has them, with their declarations, also when there is no row. */
function describe(database: Database, query: string, texts: ReadonlySet<string>): readonly ColumnSpec[] {
  if (!STARTS_AS_ROWS.test(query))
    throw invalidInput(`source.query: expected one SELECT, which gives the rows, got "${query.slice(0, 40)}"`);
  database.run(`CREATE TEMP VIEW "parley query" AS ${query}`);
  database.prepare(`SELECT 1 FROM (${query}\n)`).finalize(); // a second statement behind a ';' is an error here
  const found = database.all('SELECT name, type FROM pragma_table_info(?)', 'parley query');
  const columns = found.map((row) => ({ name: String(row.name), declared: String(row.type) }));
  refuseRepeated(columns.map((column) => column.name));
  return columns.map(({ name, declared }) => ({
    name,
    kind: texts.has(name) ? 'string' : (declaredKind(declared) ?? valueKind(database, name)),
  }));
}

/** A view numbers repeated names: `a`, `a:1`. */
function refuseRepeated(names: readonly string[]): void {
  for (const name of names) {
    const numbered = /^(.*):\d+$/.exec(name);
    if (numbered !== null && names.includes(numbered[1])) throw repeatedColumn(numbered[1]);
  }
}

function declaredKind(declared: string): ColumnKind | undefined {
  if (/INT|REAL|FLOA|DOUB|NUM|DEC|BOOL/i.test(declared)) return 'number';
  return /CHAR|CLOB|TEXT|STRING|JSON|UUID/i.test(declared) ? 'string' : undefined;
}

function valueKind(database: Database, name: string): ColumnKind {
  const column = quoted(name);
  const row = database.get(`SELECT typeof(${column}) AS kind FROM "parley query" WHERE ${column} IS NOT NULL LIMIT 1`);
  if (row?.kind === 'blob')
    throw invalidInput(
      `source.query: column "${name}" holds bytes (BLOB); expected numbers or text. Leave it out, or select hex(${column})`,
    );
  return row === null || row.kind === 'text' ? 'string' : 'number';
}

/** Runs a step of the library; what it refuses, the query has asked for. */
function asking<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause;
    throw refusedQuery(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function shown(value: SQLiteValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes (BLOB)`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const safe = (name: string) => name.replace(/\W+/g, '_');
