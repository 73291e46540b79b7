/**
 * Rows of a file that DuckDB reads (CSV, JSON Lines, Parquet), as a cursor: `fetchChunk`, never the whole result.
 *
 * The file is a view called `data`; the query, if there is one, is asked of it. Every column is cast in SQL to what a
 * row may hold: numbers, decimals and booleans to DOUBLE, dates and times to ISO 8601 text, the rest to text.
 *
 * Nothing is downloaded (extensions are neither installed nor loaded), and one thread reads, so that a query without
 * ORDER BY gives the same order each time.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance, StatementType } from '@duckdb/node-api';
import { internal, invalidInput, ParleyError } from '../errors.js';
import type { ColumnBatch, ColumnSpec } from '../model/row.js';
import type { Source } from '../model/training-port.js';
import { type CastColumn, cast, columnOf } from './file-columns.js';
import { refusedQuery, repeatedColumn } from './file-path.js';
import { identifier } from './sql.js';

const MEMORY_LIMIT = '512MB';

/**
 * @param relation the file as a table function of DuckDB: `read_csv('…', header = true)`
 * @param texts columns that are text whatever they hold
 */
export async function openFile(
  relation: string,
  query = 'SELECT * FROM data',
  texts?: ReadonlySet<string>,
): Promise<Source> {
  const reader = await FileReader.open(relation);
  try {
    return new FileSource(reader, await reader.describe(query, texts), query);
  } catch (cause) {
    reader.close();
    throw cause;
  }
}

/** One database in memory, in which `data` is the file. */
export class FileReader {
  readonly connection: DuckDBConnection;
  private readonly instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  static async open(relation: string): Promise<FileReader> {
    const instance = await DuckDBInstance.create(':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      memory_limit: MEMORY_LIMIT,
      temp_directory: join(tmpdir(), `parley-duckdb-${randomUUID()}`), // made only when needed, removed on close
      threads: '1',
    });
    const reader = new FileReader(instance, await instance.connect());
    try {
      await reader.connection.run(`CREATE VIEW data AS SELECT * FROM ${relation}`);
    } catch (cause) {
      reader.close();
      throw refusedFile(cause);
    }
    return reader;
  }

  /** What the query's columns are called, what they become, and by which expression. */
  async describe(query: string, texts?: ReadonlySet<string>): Promise<readonly CastColumn[]> {
    const statements = await this.connection.extractStatements(query).catch(refuse);
    if (statements.count !== 1) throw refusedQuery('expected one SELECT, got several statements', undefined);
    const prepared = await statements.prepare(0).catch(refuse);
    try {
      if (prepared.statementType !== StatementType.SELECT) throw refusedQuery('expected a SELECT', undefined);
      const columns: CastColumn[] = [];
      for (let index = 0; index < prepared.columnCount; index++) {
        const name = prepared.columnName(index);
        if (columns.some((column) => column.spec.name === name)) throw repeatedColumn(name);
        columns.push(cast(name, prepared.columnType(index), texts?.has(name)));
      }
      return columns;
    } finally {
      prepared.destroySync();
    }
  }

  /** The file's own columns with their types, as SQL spells them; all of the file is looked at. */
  async types(): Promise<readonly (readonly [name: string, type: string])[]> {
    const found = await this.connection.runAndReadAll('SELECT column_name, column_type FROM (DESCRIBE data)');
    return found.getRows().map(([name, type]) => [String(name), String(type)]);
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

class FileSource implements Source {
  readonly schema: readonly ColumnSpec[];
  private readonly reader: FileReader;
  /** The cast rows. */
  private readonly rows: string;

  constructor(reader: FileReader, columns: readonly CastColumn[], query: string) {
    this.reader = reader;
    this.schema = columns.map((column) => column.spec);
    const list = columns.map((column) => `${column.expression} AS ${identifier(column.spec.name)}`).join(', ');
    this.rows = `SELECT ${list} FROM (${query.replace(/[;\s]+$/, '')}\n)`;
  }

  async *batches(signal?: AbortSignal): AsyncIterable<ColumnBatch> {
    signal?.throwIfAborted();
    const interrupt = () => this.reader.connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      yield* this.chunks(signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause instanceof ParleyError ? cause : refusedRow(cause);
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
    signal?.throwIfAborted();
  }

  async close(): Promise<void> {
    this.reader.close();
  }

  /**
   * A stream that fails on the way ends, for this library, like one that is complete. So a last row of ours follows
   * the query's, and where it does not come, the rows are computed again without a stream to learn what was wrong.
   */
  private async *chunks(signal?: AbortSignal): AsyncIterable<ColumnBatch> {
    const nothing = this.schema.map(() => 'NULL').join(', ');
    const statement = `SELECT *, 0::DOUBLE FROM (${this.rows}) UNION ALL SELECT ${nothing}, 1::DOUBLE`;
    const result = await this.reader.connection.stream(statement);
    let complete = false;
    for (;;) {
      const chunk = await result.fetchChunk();
      signal?.throwIfAborted();
      if (chunk === null || chunk.rowCount === 0) break;
      complete = chunk.getColumnVector(this.schema.length).getItem(chunk.rowCount - 1) === 1;
      const rows = complete ? chunk.rowCount - 1 : chunk.rowCount;
      if (rows > 0) yield this.batch(chunk, rows);
    }
    if (!complete) await this.failAgain();
  }

  private async failAgain(): Promise<never> {
    const names = this.schema.map((spec) => identifier(spec.name)).join(', ');
    await this.reader.connection.run(`SELECT max(hash(${names})) FROM (${this.rows})`);
    throw internal('source: reading stopped before the last row, and no reason was given; run again');
  }

  private batch(chunk: DuckDBDataChunk, rows: number): ColumnBatch {
    const columns = this.schema.map((_, index) => columnOf(chunk.getColumnVector(index), rows));
    return { specs: this.schema, rows, columns };
  }
}

function refusedFile(cause: unknown): Error {
  const dialect = /parsing dialect/.test(String(cause))
    ? ". Every line must have one value per column, separated by ',' or by what source.delimiter says"
    : '';
  return invalidInput(`source.path: ${problemOf(cause)}${dialect}`, { cause });
}

function refuse(cause: unknown): never {
  throw refusedQuery(problemOf(cause), cause);
}

function refusedRow(cause: unknown): Error {
  const types = /This type was auto-detected/.test(String(cause))
    ? '. Correct the line, or say what the column holds: source.types: {column: DOUBLE} or {column: VARCHAR}'
    : '';
  return invalidInput(`source: ${problemOf(cause)}${types}`, { cause });
}

/** DuckDB's own words, without the advice on its own options, its place in our statement and its name for the kind. */
function problemOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const [problem] = text.split(/\n+(?:LINE \d|Possible |Column .* is being|The search space|\s+file = )/);
  return problem
    .replace(/^(?:Failed to extract statements: )?(?:[A-Z][\w ]*Error: )+/, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
}
