/** How a CSV file is written, found out: what stands between its values and in its numbers, and what means a missing one. */
import { closeSync, openSync, readSync } from 'node:fs';
import { invalidInput } from '../../errors.js';
import { sourceFile } from '../file-path.js';
import { FileReader } from '../file-reader.js';
import { identifier, literal } from '../sql.js';
import { csvRelation } from './source.js';

export interface CsvDialect {
  readonly delimiter: string;
  readonly decimal: '.' | ',';
  /** The empty text first. */
  readonly nulls: string[];
}

const DELIMITERS = [',', ';', '\t', '|'];
const HEAD_BYTES = 1 << 18;
const HEAD_LINES = 200;

/** What programs write for a value that is not there. */
const MISSING_TEXTS = ['NA', 'N/A', 'n/a', '#N/A', 'NULL', 'null', 'None', 'NaN', 'nan', 'NAN', '?', '-', '.'];

const NOT_A_NUMBER = ['NaN', 'nan', 'NAN'];

/**
 * A text other than the empty one means a missing value only where a column would hold numbers but for it, so that a word
 * such as "NA" stays one in a file that has no such column.
 *
 * @throws INVALID_INPUT for a file that is no CSV file in UTF-8, NOT_FOUND for none
 */
export async function csvDialect(path: string): Promise<CsvDialect> {
  const file = sourceFile(path, '.', 'a CSV file');
  const head = headOf(file);
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
    throw invalidInput(`"${path}" is UTF-16; expected UTF-8. Convert it: iconv -f UTF-16 -t UTF-8`);
  if (head.includes(0)) throw invalidInput(`"${path}" holds zero bytes, so it is no CSV file; expected text in UTF-8`);
  const delimiter = delimiterOf(head.toString('utf8'));
  return { delimiter, ...(await numberForms(file, delimiter)) };
}

function headOf(file: string): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const opened = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(opened, bytes, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(opened);
  }
}

/**
 * The separator that splits the header line and the most lines after it into as many values as each other.
 *
 * @param head the first part of the file; its last line may be cut
 * @returns a comma when nothing separates
 */
export function delimiterOf(head: string): string {
  let best = ',';
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const counts = valueCounts(head, delimiter);
    if (counts[0] === undefined || counts[0] < 2) continue;
    const agreeing = counts.filter((count) => count === counts[0]).length / counts.length;
    const score = agreeing + counts[0] / 10_000;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** Of each whole line: how many values it has. */
function valueCounts(head: string, delimiter: string): number[] {
  const counts: number[] = [];
  let values = 1;
  let isQuoted = false;
  for (const character of head) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === delimiter) values++;
    else if (character === '\n') {
      counts.push(values);
      values = 1;
      if (counts.length === HEAD_LINES) break;
    }
  }
  return counts.length === 0 ? [values] : counts;
}

async function numberForms(file: string, delimiter: string): Promise<Omit<CsvDialect, 'delimiter'>> {
  const reader = await FileReader.open(csvRelation(file, { delimiter }));
  try {
    const found = new Set<string>();
    let decimal: CsvDialect['decimal'] = '.';
    for (const [name, type] of await ask(reader, 'DESCRIBE data')) {
      const column = identifier(String(name));
      const form = type === 'VARCHAR' ? await formOfTexts(reader, column, delimiter) : undefined;
      if (form?.hasCommas) decimal = ',';
      for (const text of form?.missing ?? []) found.add(text);
      if (type === 'DOUBLE' && (await hasNaN(reader, column))) for (const text of NOT_A_NUMBER) found.add(text);
    }
    return { decimal, nulls: ['', ...MISSING_TEXTS.filter((text) => found.has(text))] };
  } finally {
    reader.close();
  }
}

async function hasNaN(reader: FileReader, column: string): Promise<boolean> {
  return (await ask(reader, `SELECT 1 FROM data WHERE isnan(${column}) LIMIT 1`)).length > 0;
}

/** @returns undefined for a column that holds other texts than numbers and missing ones */
async function formOfTexts(reader: FileReader, column: string, delimiter: string) {
  const texts = `(${MISSING_TEXTS.map(literal).join(', ')})`;
  const point = delimiter === ',' ? column : `replace(${column}, ',', '.')`;
  const isNumber = `TRY_CAST(${point} AS DOUBLE) IS NOT NULL`;
  const [[words, numbers, commas]] = await ask(
    reader,
    `SELECT count(*) FILTER (NOT ${isNumber}), count(*) FILTER (${isNumber}), count(*) FILTER (contains(${column}, ','))
     FROM data WHERE ${column} NOT IN ${texts}`,
  );
  if (Number(words) > 0 || Number(numbers) === 0) return undefined;
  const missing = await ask(reader, `SELECT DISTINCT ${column} FROM data WHERE ${column} IN ${texts}`);
  return { hasCommas: Number(commas) > 0, missing: missing.map(([text]) => String(text)) };
}

/** A few rows. */
async function ask(reader: FileReader, sql: string) {
  return (await reader.connection.runAndReadAll(sql)).getRows();
}
