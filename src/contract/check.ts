/**
 * Values against the contract: what is wrong with one value, and with a batch of rows.
 *
 * `problemOf` runs once per value of every request: a value that fits allocates nothing.
 */
import type { Problem } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import type { FieldType, InputField, RequestStruct } from './contract.js';
import { didYouMean } from './nearest.js';
import { shorten } from './problems.js';
import { unitOf } from './unit.js';

/** The whole numbers that each integer type holds. Doubles hold only those of i64 up to 2^53 exactly. */
export const INTEGER_RANGES: Readonly<Partial<Record<FieldType, readonly [number, number]>>> = {
  byte: [-(2 ** 7), 2 ** 7 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i64: [-(2 ** 63), 2 ** 63],
};

/**
 * What is wrong with one field's value.
 *
 * @param value numbers (booleans as 0 and 1), strings, or an enum's label; undefined, NaN and '' are missing
 * @param path where it stands, for the problem: `penguin.bill_length_mm`
 * @returns undefined when it fits
 */
export function problemOf(field: InputField, value: number | string | undefined, path: string): Problem | undefined {
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
  if (value === undefined || value === '' || value !== value) {
    return field.missing.kind === 'refused' ? { path, message: 'is missing; a value is required' } : undefined;
  }
  const message = typeof value === 'string' ? wrongString(field, value) : wrongNumber(field, value);
  return message === undefined ? undefined : { path, message, got: shorten(String(value)) };
}

function wrongNumber(field: InputField, value: number): string | undefined {
  if (field.type === 'string') return 'must be a string';
  if (field.type === 'enum') return `must be one of ${choices(field)}`;
  if (field.type === 'bool') return value === 0 || value === 1 ? undefined : 'must be true or false';
  const range = INTEGER_RANGES[field.type];
  if (range !== undefined) {
    if (!Number.isInteger(value)) return 'must be a whole number';
    const tooBig = value > range[1] || (field.type === 'i64' && value === range[1]);
    if (value < range[0] || tooBig) return `must fit into ${field.type}`;
  } else if (!Number.isFinite(value)) return 'must be a finite number';
  if (field.min !== undefined && value < field.min) return rangeMessage(field);
  if (field.max !== undefined && value > field.max) return rangeMessage(field);
  return undefined;
}

function rangeMessage(field: InputField): string {
  const unit = unitOf(field);
  const suffix = unit === undefined ? '' : ` ${unit}`;
  if (field.max === undefined) return `must be at least ${field.min}${suffix}`;
  if (field.min === undefined) return `must be at most ${field.max}${suffix}`;
  return `must be between ${field.min} and ${field.max}${suffix}`;
}

function wrongString(field: InputField, value: string): string | undefined {
  if (field.type === 'bool') return 'must be true or false';
  if (field.type !== 'string' && field.type !== 'enum') return 'must be a number';
  if (field.maxBytes !== undefined && exceedsBytes(value, field.maxBytes)) {
    return `must be at most ${field.maxBytes} bytes of UTF-8, not ${Buffer.byteLength(value)}`;
  }
  const allowed = vocabulary(field);
  if (allowed === undefined || allowed.has(value)) return undefined;
  return `must be one of ${choices(field)}${didYouMean(value, allowed)}`;
}

/** A UTF-16 unit becomes at most three bytes, so that most strings need no counting. */
function exceedsBytes(value: string, maxBytes: number): boolean {
  return value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes;
}

const vocabularies = new WeakMap<InputField, ReadonlySet<string>>();

/** The strings that a field takes: its `values`, or its enum's labels; undefined: any. */
function vocabulary(field: InputField): ReadonlySet<string> | undefined {
  if (field.values === undefined && field.enum === undefined) return undefined;
  let set = vocabularies.get(field);
  if (set === undefined) {
    const members = field.enum?.members.filter((member) => member.value !== 0).map((member) => member.label);
    set = new Set(field.values ?? members);
    vocabularies.set(field, set);
  }
  return set;
}

const MOST_LISTED = 20;

function choices(field: InputField): string {
  const all = [...(vocabulary(field) ?? [])];
  const listed = all.slice(0, MOST_LISTED).join(', ');
  return all.length <= MOST_LISTED ? listed : `${listed} and ${all.length - MOST_LISTED} more`;
}

/** The column that holds a field's values: strings and enum labels as strings, all else as float64. */
export function fieldColumn(field: InputField): ColumnSpec {
  return { name: field.name, kind: field.type === 'string' || field.type === 'enum' ? 'string' : 'number' };
}

/** The columns that a model is fed, in the contract's order; fields with role `id` or `ignored` are left out. */
export function requestColumns(struct: RequestStruct): ColumnSpec[] {
  return struct.fields.filter((field) => field.role === 'feature').map(fieldColumn);
}

/**
 * Checks all rows of a batch against a request's struct. Columns are found by name; others are not looked at, nor are
 * `ignored` fields, and an `id` field is checked only where there is a column for it.
 *
 * @param limit how many problems are returned at most; `count` counts all
 * @returns paths such as `row 17: bill_length_mm`, rows counted from 1
 */
export function checkBatch(
  struct: RequestStruct,
  batch: ColumnBatch,
  limit: number,
): { readonly problems: readonly Problem[]; readonly count: number } {
  const problems: Problem[] = [];
  let count = 0;
  const report = (problem: Problem) => {
    if (count++ < limit) problems.push(problem);
  };
  for (const field of struct.fields) {
    if (field.role === 'ignored') continue;
    const index = batch.specs.findIndex((spec) => spec.name === field.name);
    if (index >= 0) checkColumn(field, batch.columns[index]!, batch.rows, report);
    else if (field.role === 'feature' && field.missing.kind === 'refused') {
      const names = batch.specs.map((spec) => spec.name);
      report({ path: field.name, message: `there is no such column${didYouMean(field.name, names)}` });
    }
  }
  return { problems, count };
}

function checkColumn(field: InputField, column: Column, rows: number, report: (problem: Problem) => void): void {
  const kind = fieldColumn(field).kind;
  const found = column instanceof Float64Array ? 'number' : 'string';
  if (kind !== found) {
    report({ path: field.name, message: `must be a column of ${kind}s, not of ${found}s` });
    return;
  }
  for (let row = 0; row < rows; row++) {
    const problem = problemOf(field, column[row], '');
    if (problem !== undefined) report({ ...problem, path: `row ${row + 1}: ${field.name}` });
  }
}
