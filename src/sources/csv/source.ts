/**
 * `{kind: csv, path, query?, delimiter?, decimal?, nulls?, types?}`: a CSV file (RFC 4180, UTF-8) with a header line.
 *
 * A column's type is what all of the first 200,000 lines agree on; `types` overrules that where it matters, as for a
 * postal code that starts with a zero.
 */
import { statSync } from 'node:fs';
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import type { SourceKind } from '../../model/training-port.js';
import { sourceFile } from '../file-path.js';
import { identifier, literal } from '../sql.js';

const SAMPLE_ROWS = 200_000;

const configuration = z.strictObject({
  path: z.string().min(1).describe("the file; a relative path starts at the project's folder"),
  query: z.string().min(1).optional().describe('one SELECT on the table `data`, which is the file'),
  delimiter: z.string().length(1).default(',').describe('what stands between two values'),
  decimal: z.enum(['.', ',']).default('.').describe("what stands before a number's fraction"),
  nulls: z.array(z.string()).default(['']).describe('texts that mean a missing value'),
  types: z
    .record(z.string(), z.enum(['VARCHAR', 'DOUBLE', 'BIGINT', 'BOOLEAN', 'DATE', 'TIMESTAMP']))
    .default({})
    .describe('column -> type, where the type that the values suggest is wrong'),
});

type Configuration = z.infer<typeof configuration>;

export const csv: SourceKind<Configuration> = {
  kind: 'csv',
  configuration,
  async open(options, folder) {
    // Loaded when it is needed: DuckDB takes longer to load than most commands take to run.
    // Here, because DuckDB takes longer to load than most commands take to run.
    const { openFile } = await import('../file-reader.js');
    return openFile(csvRelation(sourceFile(options.path, folder, 'a CSV file'), options), options.query);
  },
};

/** The file as DuckDB reads it. */
export function csvRelation(file: string, options: Partial<Configuration> = {}): string {
  if (statSync(file).size === 0)
    throw invalidInput(`source.path: "${file}" is empty; expected a header line with the columns' names`);
  const { delimiter = ',', decimal = '.', nulls = [''], types = {} } = options;
  const typed = Object.entries(types).map(([name, type]) => `${identifier(name)}: ${literal(type)}`);
  const settings = [
    `delim = ${literal(delimiter)}, quote = '"', escape = '"', header = true, skip = 0`,
    `nullstr = [${nulls.map(literal).join(', ')}], sample_size = ${SAMPLE_ROWS}, decimal_separator = ${literal(decimal)}`,
    ...(typed.length === 0 ? [] : [`types = {${typed.join(', ')}}`]),
  ];
  return `read_csv(${literal(file)}, ${settings.join(', ')})`;
}
