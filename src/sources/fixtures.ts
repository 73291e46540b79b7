/** A project's fixtures: rows of any source whose columns are called as the contract's fields. */
import { extname } from 'node:path';
import { invalidInput } from '../errors.js';
import type { ColumnSpec } from '../model/row.js';
import type { Source } from '../model/training-port.js';
import { sources } from './table.js';

export const FIXTURE_FORMATS = { '.csv': 'csv', '.jsonl': 'jsonl', '.parquet': 'parquet' } as const;

export type FixturesFormat = (typeof FIXTURE_FORMATS)[keyof typeof FIXTURE_FORMATS];

/** @throws INVALID_INPUT for a file of another kind */
export function fixturesFormat(path: string): FixturesFormat {
  const format = Object.entries(FIXTURE_FORMATS).find(([extension]) => extension === extname(path))?.[1];
  if (format !== undefined) return format;
  throw invalidInput(`fixtures: "${path}" has no known ending; expected .csv, .jsonl or .parquet`);
}

/** @param columns the contract's; those of text are read as text also where all values look like numbers */
export function openFixtures(path: string, columns: readonly ColumnSpec[]): Promise<Source> {
  const kind = sources[fixturesFormat(path)]!;
  return kind.open(kind.configuration.parse({ path }), '.', textsOf(columns));
}

/** The columns that are read as text. */
export const textsOf = (columns: readonly ColumnSpec[]): ReadonlySet<string> =>
  new Set(columns.filter(({ kind }) => kind === 'string').map(({ name }) => name));
