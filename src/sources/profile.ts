/** What stands in a CSV file, column by column: what `parley init` writes a first contract from. */
import { csvRelation } from './csv/source.js';
import { sourceFile } from './file-path.js';
import { FileReader } from './file-reader.js';
import { identifier } from './sql.js';

const LISTED_VALUES = 50;

export interface ColumnProfile {
  readonly name: string;
  readonly kind: 'integer' | 'number' | 'boolean' | 'string';
  /** All rows, missing ones too. */
  readonly rows: number;
  readonly missing: number;
  readonly distinct: number;
  /** Of `integer` and `number` columns with a value. */
  readonly min?: number;
  readonly max?: number;
  /** In order, as text, when there are no more than fifty. */
  readonly values?: readonly string[];
}

/** @param path a CSV file with a header line; counts are exact, and memory is bounded by DuckDB's limit */
export async function profileColumns(path: string): Promise<ColumnProfile[]> {
  const reader = await FileReader.open(csvRelation(sourceFile(path, '.', 'a CSV file')));
  try {
    const described = await ask(reader, 'SELECT column_name, column_type FROM (DESCRIBE data)');
    const profiles: ColumnProfile[] = [];
    for (const [name, type] of described) profiles.push(await profile(reader, String(name), kindOf(String(type))));
    return profiles;
  } finally {
    reader.close();
  }
}

async function profile(reader: FileReader, name: string, kind: ColumnProfile['kind']): Promise<ColumnProfile> {
  const column = identifier(name);
  const [[rows, present, distinct]] = await ask(
    reader,
    `SELECT count(*)::DOUBLE, count(${column})::DOUBLE, count(DISTINCT ${column})::DOUBLE FROM data`,
  );
  const counts = {
    name,
    kind,
    rows: Number(rows),
    missing: Number(rows) - Number(present),
    distinct: Number(distinct),
  };
  return { ...counts, ...(await range(reader, column, counts)), ...(await listed(reader, column, counts.distinct)) };
}

async function range(reader: FileReader, column: string, { kind, distinct }: Pick<ColumnProfile, 'kind' | 'distinct'>) {
  if ((kind !== 'integer' && kind !== 'number') || distinct === 0) return {};
  const [[min, max]] = await ask(reader, `SELECT min(${column})::DOUBLE, max(${column})::DOUBLE FROM data`);
  return { min: Number(min), max: Number(max) };
}

async function listed(reader: FileReader, column: string, distinct: number) {
  if (distinct > LISTED_VALUES) return {};
  const sql = `SELECT v::VARCHAR FROM (SELECT DISTINCT ${column} AS v FROM data WHERE ${column} IS NOT NULL) ORDER BY v`;
  return { values: (await ask(reader, sql)).map(([value]) => String(value)) };
}

/** A few rows: counts, names, no more than fifty values. */
async function ask(reader: FileReader, sql: string) {
  return (await reader.connection.runAndReadAll(sql)).getRows();
}

function kindOf(type: string): ColumnProfile['kind'] {
  if (type === 'BOOLEAN') return 'boolean';
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer';
  return /^(DOUBLE|FLOAT|DECIMAL)/.test(type) ? 'number' : 'string';
}
