/** From a CSV file to what a project says of it: contract, parley.yaml's keys, and the fields for people to read. */
import { resolve } from 'node:path';
import type { InputField } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import { proposeContract } from '../contract/propose.js';
import { invalidInput, ParleyError } from '../errors.js';
import { type CsvDialect, csvDialect } from '../sources/csv/dialect.js';
import { type ColumnProfile, profileColumns } from '../sources/profile.js';
import { identifier } from '../sources/sql.js';
import { asClasses, checkLabel, findLabel, hasGaps } from './init-label.js';

export interface ProposedColumn {
  readonly column: string;
  readonly missing: number;
  readonly distinct: number;
  readonly field: InputField;
}

export interface Proposal {
  readonly name: string;
  /** The CSV file, absolute. */
  readonly file: string;
  readonly contract: string;
  readonly task: 'classification' | 'regression';
  readonly label: { readonly column: string; readonly field: string; readonly classes?: readonly string[] };
  readonly columns: readonly ProposedColumn[];
  /** Rows of the file, and those of them that have a label. */
  readonly rows: number;
  readonly labelledRows: number;
  /** What parley.yaml says of the source beside kind and path. */
  readonly source: Readonly<Record<string, unknown>>;
}

/** @throws NOT_FOUND, INVALID_INPUT for a file or label that no project can be made of */
export async function propose(name: string, csv: string, labelName: string | undefined): Promise<Proposal> {
  const file = resolve(csv);
  const { dialect, columns } = await read(file, csv);
  const found = findLabel(columns, labelName);
  const isBoolean = found.kind === 'boolean';
  // As text, a boolean keeps the file's own spelling, and is the same in the source as among the contract's classes.
  const types = isBoolean ? { [found.name]: 'VARCHAR' as const } : {};
  const label = isBoolean ? (await profileColumns(file, { ...dialect, types }, found.name))[0]! : asClasses(found);
  checkLabel(label);
  const all = columns.map((column) => (column === found ? label : column));
  const { text, identifiers } = proposeContract({ name, label: label.name, columns: all });
  const service = parseContract({ file: `${name}.thrift`, idl: text }).services[0]!;
  const { request, response } = service.methods[0]!;
  const answer = response.fields.find(({ role }) => role === 'label' || role === 'value')!;
  const classes = answer.enum?.members.filter(({ value }) => value !== 0).map((member) => member.label);
  const fields = new Map(request.fields.map((field) => [field.name, field]));
  return {
    name,
    file,
    contract: text,
    task: answer.role === 'label' ? 'classification' : 'regression',
    label: { column: label.name, field: answer.name, ...(classes === undefined ? {} : { classes }) },
    columns: all
      .filter((column) => column !== label)
      .map(({ name: column, missing, distinct }) => {
        return { column, missing, distinct, field: fields.get(identifiers.get(column)!)! };
      }),
    rows: label.rows,
    labelledRows: label.rows - label.missing,
    source: { ...sourceKeys(dialect), ...(isBoolean ? { types } : {}), ...queryFor(label) },
  };
}

async function read(file: string, csv: string): Promise<{ dialect: CsvDialect; columns: readonly ColumnProfile[] }> {
  try {
    const dialect = await csvDialect(file);
    return { dialect, columns: await profileColumns(file, dialect) };
  } catch (cause) {
    // The sources speak of parley.yaml's keys, and there is none yet.
    if (!(cause instanceof ParleyError)) throw invalidInput(`${csv} cannot be read: ${String(cause)}`, { cause });
    const message = cause.message
      .replace(/^source(?:\.path)?: /, '')
      .replace(/; expected a CSV file\..*$/, '')
      .replace(' or by what source.delimiter says', ', as many as the header line has')
      .replace(/This file is not utf-8 encoded\.$/, 'The file is not UTF-8; convert it: iconv -f LATIN1 -t UTF-8');
    throw new ParleyError(cause.code, `--csv: ${message}`, { cause });
  }
}

/** What differs from the source's defaults. */
function sourceKeys({ delimiter, decimal, nulls }: CsvDialect): Readonly<Record<string, unknown>> {
  return {
    ...(delimiter === ',' ? {} : { delimiter }),
    ...(decimal === '.' ? {} : { decimal }),
    ...(nulls.length === 1 ? {} : { nulls }),
  };
}

/** Rows without a label teach nothing, and a run refuses them. */
function queryFor(label: ColumnProfile): { readonly query?: string } {
  if (!hasGaps(label)) return {};
  const column = identifier(label.name);
  const isThere = label.kind === 'string' ? `trim(CAST(${column} AS VARCHAR)) <> ''` : `${column} IS NOT NULL`;
  return { query: `SELECT * FROM data WHERE ${isThere}` };
}
