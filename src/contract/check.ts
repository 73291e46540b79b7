/**
 * Values against the contract: what is wrong with one field's value, and with a batch of rows.
 *
 * `problemOf` runs once per value of every request: a value that fits allocates nothing.
 */
import type { Problem } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import { parseCell } from './cell.js';
import { type InputField, isWithin, type RequestStruct, type UnionGroup, unionOf } from './contract.js';
import { didYouMean } from './nearest.js';
import { isMissing, valueProblem } from './value.js';

export { INTEGER_RANGES } from './value.js';

/**
 * What is wrong with one field's value.
 *
 * @param value numbers (booleans as 0 and 1), strings, an enum's label, or a cell of a field with many values; undefined,
 *   NaN and '' are missing
 * @param path where it stands, for the problem: `penguin.bill_length_mm`
 * @returns undefined when it fits; never what was there when the field is sensitive
 */
export function problemOf(field: InputField, value: number | string | undefined, path: string): Problem | undefined {
  if (field.tensor === undefined) return valueProblem(field, value, path);
  if (typeof value === 'number') return { path, message: 'must be a cell of text' };
  const cell = parseCell(field, value ?? '', path);
  return 'values' in cell ? undefined : cell;
}

/** The column that holds a field's values: strings, enum labels and cells of many values as strings, all else as float64. */
export function fieldColumn(field: InputField): ColumnSpec {
  const text = field.type === 'string' || field.type === 'enum' || field.tensor !== undefined;
  return { name: field.name, kind: text ? 'string' : 'number' };
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
  const chosen = chosenMembers(struct, batch, report);
  for (const field of struct.fields) {
    if (field.role === 'ignored') continue;
    const index = batch.specs.findIndex((spec) => spec.name === field.name);
    const group = unionOf(struct, field);
    if (index >= 0) {
      const rows = group && rowsOf(group, field, chosen.get(group)!);
      checkColumn(field, batch.columns[index]!, batch.rows, rows, report);
    } else if (field.role === 'feature' && field.missing.kind === 'refused' && group === undefined) {
      const names = batch.specs.map((spec) => spec.name);
      report({ path: field.name, message: `there is no such column${didYouMean(field.name, names)}` });
    }
  }
  return { problems, count };
}

type Report = (problem: Problem) => void;

/** @param rows which to look at, where not all: of 1 a value is asked for as the field says */
function checkColumn(
  field: InputField,
  column: Column,
  count: number,
  rows: ((row: number) => boolean) | undefined,
  report: Report,
): void {
  const kind = fieldColumn(field).kind;
  const found = column instanceof Float64Array ? 'number' : 'string';
  if (kind !== found) {
    report({ path: field.name, message: `must be a column of ${kind}s, not of ${found}s` });
    return;
  }
  for (let row = 0; row < count; row++) {
    if (rows?.(row) === false) continue;
    const problem = problemOf(field, column[row], '');
    if (problem !== undefined) report({ ...problem, path: `row ${row + 1}: ${field.name}${problem.path}` });
  }
}

/** Of each union and row, the id of the member that has a value; 0: none, or more than one, which is reported. */
function chosenMembers(struct: RequestStruct, batch: ColumnBatch, report: Report): ReadonlyMap<UnionGroup, Int32Array> {
  return new Map((struct.unions ?? []).map((union) => [union, chosenOf(union, struct, batch, report)]));
}

function chosenOf(union: UnionGroup, struct: RequestStruct, batch: ColumnBatch, report: Report): Int32Array {
  const columns = batch.specs.flatMap(({ name }, index) => {
    const field = struct.fields.find((candidate) => candidate.name === name);
    if (field === undefined || !isWithin(field, union.path)) return [];
    return [{ member: field.path[union.path.length]!, values: batch.columns[index]! }];
  });
  const chosen = new Int32Array(batch.rows);
  for (let row = 0; row < batch.rows; row++) {
    const members = new Set(columns.filter(({ values }) => !isMissing(values[row])).map(({ member }) => member));
    const path = `row ${row + 1}: ${union.name}`;
    if (members.size === 1) chosen[row] = [...members][0]!;
    else if (members.size > 1) report({ path, message: `must have one of ${memberNames(union)}, not several` });
    else if (union.missing === 'refused')
      report({ path, message: `must have one of ${memberNames(union)}; it has none` });
  }
  return chosen;
}

const memberNames = ({ members }: UnionGroup): string => members.map(({ name }) => name).join(', ');

/** The rows in which the field's own member was chosen. */
function rowsOf({ path }: UnionGroup, field: InputField, chosen: Int32Array): (row: number) => boolean {
  const member = field.path[path.length]!;
  return (row) => chosen[row] === member;
}
