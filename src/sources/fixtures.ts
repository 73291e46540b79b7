/** A project's fixtures: rows in a CSV, JSON Lines or Parquet file whose columns are called as the contract's fields. */
import { extname } from 'node:path';
import { invalidInput } from '../errors.js';
import type { ColumnSpec } from '../model/row.js';
import type { Source } from '../model/training-port.js';
import { csv } from './csv/source.js';
import { jsonl } from './jsonl/source.js';
import { parquet } from './parquet/source.js';

export const FIXTURE_FORMATS = { '.csv': 'csv', '.jsonl': 'jsonl', '.parquet': 'parquet' } as const;

export type FixturesFormat = (typeof FIXTURE_FORMATS)[keyof typeof FIXTURE_FORMATS];

/** @throws INVALID_INPUT for a file of another kind */
export function fixturesFormat(path: string): FixturesFormat {
  const format = Object.entries(FIXTURE_FORMATS).find(([extension]) => extension === extname(path))?.[1];
  if (format !== undefined) return format;
  throw invalidInput(`fixtures: "${path}" has no known ending; expected .csv, .jsonl or .parquet`);
}

/** @param columns the contract's; those of text are read as text also where all values look like numbers */
export async function openFixtures(path: string, columns: readonly ColumnSpec[]): Promise<Source> {
  const format = fixturesFormat(path);
  if (format === 'jsonl') return jsonl.open({ path }, '.');
  if (format === 'parquet') return parquet.open({ path }, '.');
  const texts = await textColumns(path, columns);
  return csv.open(
    csv.configuration.parse({ path, types: Object.fromEntries(texts.map((name) => [name, 'VARCHAR'])) }),
    '.',
  );
}

async function textColumns(path: string, columns: readonly ColumnSpec[]): Promise<readonly string[]> {
  const source = await csv.open(csv.configuration.parse({ path }), '.');
  await source.close();
  const there = new Set(source.schema.map((spec) => spec.name));
  return columns.filter((spec) => spec.kind === 'string' && there.has(spec.name)).map((spec) => spec.name);
}
