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
/** Where lists and pictures stand in a line too. */
const MOST_LINE_BYTES = 16 << 20;

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
  async open(options, folder, texts) {
    // Loaded when it is needed: DuckDB takes longer to load than most commands take to run.
    const { FileReader, openFile } = await import('../file-reader.js');
    const file = sourceFile(options.path, folder, 'a CSV file');
    if (texts === undefined) return openFile(csvRelation(file, options), options.query);
    const reader = await FileReader.open(csvRelation(file, options, true));
    const own = await reader.types().finally(() => reader.close());
    const asText = own.filter(([name]) => texts.has(name)).map(([name]) => [name, 'VARCHAR']);
    const types = { ...(Object.fromEntries(asText) as Configuration['types']), ...options.types };
    return openFile(csvRelation(file, { ...options, types }, true), options.query, texts);
  },
};

/** The file as DuckDB reads it. */
export function csvRelation(file: string, options: Partial<Configuration> = {}, longLines = false): string {
  if (statSync(file).size === 0)
    throw invalidInput(`source.path: "${file}" is empty; expected a header line with the columns' names`);
  const { delimiter = ',', decimal = '.', nulls = [''], types = {} } = options;
  const typed = Object.entries(types).map(([name, type]) => `${identifier(name)}: ${literal(type)}`);
  const settings = [
    `delim = ${literal(delimiter)}, quote = '"', escape = '"', header = true, skip = 0`,
    `nullstr = [${nulls.map(literal).join(', ')}], sample_size = ${SAMPLE_ROWS}, decimal_separator = ${literal(decimal)}`,
    ...(longLines ? [`max_line_size = ${MOST_LINE_BYTES}, buffer_size = ${2 * MOST_LINE_BYTES}`] : []),
    ...(typed.length === 0 ? [] : [`types = {${typed.join(', ')}}`]),
  ];
  return `read_csv(${literal(file)}, ${settings.join(', ')})`;
}
