/**
 * Fixtures in the one form in which they are published: JSON Lines, a member for each of the contract's fields that has a
 * value, in the contract's order, and last what is right.
 *
 * So the fingerprint, which is the digest of these bytes, is one of meaning: the kind of file, the order and number of
 * its columns and the spelling of numbers do not change it. The order of the rows does.
 */
import type { InputField, RequestStruct } from '../contract/contract.js';
import type { Column } from '../model/row.js';
import type { FixtureTable } from './fixture-table.js';

export const FIXTURE_BYTES_FORMAT = 'jsonl';

export function fixtureBytes({ rows, truth, answer }: FixtureTable, request: RequestStruct): Buffer {
  const columns = rows.specs.map(({ name }, index) => ({
    name,
    field: request.fields.find((field) => field.name === name),
    column: rows.columns[index]!,
  }));
  const lines: string[] = [];
  for (let row = 0; row < rows.rows; row++) {
    const members = columns.map(({ name, field, column }) => [name, valueAt(column, row, field)] as const);
    lines.push(`${JSON.stringify(Object.fromEntries([...members, [answer.name, truth[row]]]))}\n`);
  }
  return Buffer.from(lines.join(''));
}

/** A list or map as JSON of its own, a map's keys in the contract's order. The cell has been checked. */
function cellMeaning({ tensor }: InputField, text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (tensor!.from === 'list') return parsed;
  const entries = parsed as Readonly<Record<string, unknown>>;
  return Object.fromEntries(tensor!.keys!.filter((key) => key in entries).map((key) => [key, entries[key]]));
}

/** @returns undefined, which JSON leaves out, for a missing value */
function valueAt(column: Column, row: number, field: InputField | undefined): unknown {
  const value = column[row]!;
  if (typeof value === 'string') {
    if (value === '') return undefined;
    return field?.tensor === undefined || field.tensor.from === 'binary' ? value : cellMeaning(field, value);
  }
  if (Number.isNaN(value)) return undefined;
  return field?.type === 'bool' ? value === 1 : value;
}
