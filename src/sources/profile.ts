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
  /** Of a string's UTF-8, when its values are not listed. */
  readonly longestBytes?: number;
}

/** How the file is to be read, as `source` in parley.yaml says it. */
export type CsvReading = NonNullable<Parameters<typeof csvRelation>[1]>;

/**
 * @param path a CSV file with a header line; counts are exact, and memory is bounded by DuckDB's limit
 * @param only a single column, where no more is asked
 */
export async function profileColumns(path: string, reading: CsvReading = {}, only?: string): Promise<ColumnProfile[]> {
  const reader = await FileReader.open(csvRelation(sourceFile(path, '.', 'a CSV file'), reading));
  try {
    const described = await ask(reader, 'SELECT column_name, column_type FROM (DESCRIBE data)');
    const texts = new Map((await reader.describe('SELECT * FROM data')).map((each) => [each.spec.name, each]));
    const profiles: ColumnProfile[] = [];
    for (const [name, type] of described) {
      if (only !== undefined && name !== only) continue;
      const kind = kindOf(String(type));
      const text = kind === 'string' ? texts.get(String(name))!.expression : identifier(String(name));
      profiles.push(await profile(reader, String(name), kind, text));
    }
    return profiles;
  } finally {
    reader.close();
  }
}

/** @param text the values as a source gives them, in SQL */
async function profile(
  reader: FileReader,
  name: string,
  kind: ColumnProfile['kind'],
  text: string,
): Promise<ColumnProfile> {
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
  const values = counts.distinct > LISTED_VALUES ? await longest(reader, kind, text) : await listed(reader, text);
  return { ...counts, ...(await range(reader, column, counts)), ...values };
}

async function range(reader: FileReader, column: string, { kind, distinct }: Pick<ColumnProfile, 'kind' | 'distinct'>) {
  if ((kind !== 'integer' && kind !== 'number') || distinct === 0) return {};
  const [[min, max]] = await ask(reader, `SELECT min(${column})::DOUBLE, max(${column})::DOUBLE FROM data`);
  return { min: Number(min), max: Number(max) };
}

async function listed(reader: FileReader, text: string) {
  const sql = `SELECT v::VARCHAR FROM (SELECT DISTINCT ${text} AS v FROM data WHERE ${text} IS NOT NULL) ORDER BY v`;
  return { values: (await ask(reader, sql)).map(([value]) => String(value)) };
}

async function longest(reader: FileReader, kind: ColumnProfile['kind'], text: string) {
  if (kind !== 'string') return {};
  const [[bytes]] = await ask(reader, `SELECT max(strlen(${text}))::DOUBLE FROM data`);
  return { longestBytes: Number(bytes) };
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
