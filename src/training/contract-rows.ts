/**
 * A source's rows as the contract's: each field's column found and checked, defaults filled in, and the truth beside.
 *
 * Hot: `problemOf` is run for each value; what fits allocates nothing.
 */
import { fieldColumn, problemOf } from '../contract/check.js';
import { type InputField, labelClasses } from '../contract/contract.js';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import type { Project } from './project.js';
import type { Refusals } from './refusals.js';

/** What the truth's column is called behind the fields': no Thrift field has a space in its name. */
const TRUTH = 'the truth';

/** Names of the source's columns. */
export interface ColumnNames {
  readonly label: string;
  /** Contract field -> column, where the names differ. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface CheckedBatch {
  /** The fields' columns, and last the truth's. */
  readonly batch: ColumnBatch;
  /** Of each row, 1 when it keeps the contract. */
  readonly fits: Uint8Array;
}

export class ContractRows {
  /** The fields that the model is fed, in the contract's order. */
  readonly fields: readonly InputField[];
  /** The fields' columns, and last the truth's. */
  readonly specs: readonly ColumnSpec[];
  private readonly indices: readonly number[];
  private readonly truth: Truth;

  /** @param where what messages call the source: `source`, `fixtures` */
  constructor(project: Project, schema: readonly ColumnSpec[], names: ColumnNames, where: string) {
    this.fields = fedFields(project);
    const wanted = [...this.fields.map((field) => names.columns[field.name] ?? field.name), names.label];
    this.indices = wanted.map((column, index) => indexOf(schema, column, this.fields[index]?.name, where));
    this.truth = new Truth(project, names.label);
    this.specs = [...this.fields.map(fieldColumn), { name: TRUTH, kind: this.truth.kind }];
  }

  /** @param before rows that were read before these; @param refusals is told what does not fit */
  check(source: ColumnBatch, before: number, refusals: Refusals): CheckedBatch {
    const fits = new Uint8Array(source.rows).fill(1);
    const columns = this.indices.map((index, at) => {
      const column = source.columns[index];
      return at < this.fields.length
        ? this.field(this.fields[at], column, before, fits, refusals)
        : this.truth.check(column, source.rows, before, fits, refusals);
    });
    refusals.countRows(fits);
    return { batch: { specs: this.specs, rows: source.rows, columns }, fits };
  }

  private field(field: InputField, column: Column, before: number, fits: Uint8Array, refusals: Refusals): Column {
    for (let row = 0; row < fits.length; row++) {
      const problem = problemOf(field, column[row], '');
      if (problem === undefined) continue;
      fits[row] = 0;
      refusals.add({ ...problem, path: `row ${before + row + 1}: ${field.name}` });
    }
    return filled(converted(column, fieldColumn(field).kind), field);
  }
}

/** Fields of role `feature`, but those that parley.yaml drops. */
export function fedFields({ request, features }: Project): readonly InputField[] {
  return request.fields.filter((field) => field.role === 'feature' && !features.drop.includes(field.name));
}

/** The truth about a row: a class, or a finite number. */
class Truth {
  readonly kind: 'number' | 'string';
  private readonly label: string;
  private readonly classes: ReadonlySet<string>;

  constructor({ task, response }: Project, label: string) {
    this.kind = task === 'classification' ? 'string' : 'number';
    this.label = label;
    this.classes = new Set(labelClasses(response));
  }

  check(column: Column, rows: number, before: number, fits: Uint8Array, refusals: Refusals): Column {
    const truth = this.kind === 'string' ? labels(column) : column;
    for (let row = 0; row < rows; row++) {
      const message = this.problem(truth[row]);
      if (message === undefined) continue;
      fits[row] = 0;
      const got = String(column[row]);
      const path = `row ${before + row + 1}: ${this.label}`;
      refusals.add({ path, message, ...(isMissing(column[row]) ? {} : { got }) });
    }
    return converted(truth, this.kind);
  }

  private problem(value: number | string): string | undefined {
    if (isMissing(value)) return 'is missing; every row needs its truth';
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'must be a finite number';
    if (this.kind === 'number') return 'must be a number';
    if (this.classes.size === 0 || this.classes.has(value)) return undefined;
    return `must be one of the contract's ${[...this.classes].join(', ')}${didYouMean(value, this.classes)}`;
  }
}

const isMissing = (value: number | string) => value === '' || Number.isNaN(value);

function labels(column: Column): string[] {
  return column instanceof Float64Array
    ? Array.from(column, (value) => (Number.isNaN(value) ? '' : `${value}`))
    : column;
}

/** Values that are not of the kind have been refused already: only missing ones are left to convert. */
function converted(column: Column, kind: ColumnSpec['kind']): Column {
  if (kind === 'number')
    return column instanceof Float64Array ? column : new Float64Array(column.length).fill(Number.NaN);
  return column instanceof Float64Array ? new Array<string>(column.length).fill('') : column;
}

/** A missing value is the contract's default, as it is when a request leaves it out. */
function filled(column: Column, { missing }: InputField): Column {
  if (missing.kind !== 'default') return column;
  const { value } = missing;
  if (column instanceof Float64Array)
    return typeof value === 'number' ? column.map((each) => (Number.isNaN(each) ? value : each)) : column;
  return column.map((each) => (each === '' ? String(value) : each));
}

function indexOf(schema: readonly ColumnSpec[], column: string, field: string | undefined, where: string): number {
  const index = schema.findIndex((spec) => spec.name === column);
  if (index >= 0) return index;
  const names = schema.map((spec) => spec.name);
  const purpose = field === undefined ? 'holds the truth ("label")' : `the contract's field "${field}" comes from`;
  const wayOut =
    field === undefined ? 'Correct "label"' : `Rename one in the query (AS ${column}), or name it under "columns"`;
  throw invalidInput(
    `${where}: there is no column "${column}", which ${purpose}${didYouMean(column, names)}. The columns are ${names.join(', ')}. ${wayOut}`,
    { problems: [{ path: `${where}.${column}`, message: 'there is no such column' }] },
  );
}
