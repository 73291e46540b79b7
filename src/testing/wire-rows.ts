/** Fixtures as a caller sends them: plain values by field name. Pure. */
import type { InputField, RequestStruct } from '../contract/contract.js';
import type { ColumnBatch } from '../model/row.js';
import type { PlainRow } from '../rpc/client/typed.js';

export function plainRows(rows: ColumnBatch, request: RequestStruct): PlainRow[] {
  const columns = rows.specs.map(({ name }, index) => ({
    field: request.fields.find((field) => field.name === name)!,
    column: rows.columns[index]!,
  }));
  return Array.from({ length: rows.rows }, (_, row) =>
    Object.fromEntries(columns.map(({ field, column }) => [field.name, plainValue(field, column[row]!)])),
  );
}

/** @returns undefined for a missing value */
function plainValue(field: InputField, value: number | string): unknown {
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
  if (value === '' || value !== value) return undefined;
  return field.type === 'bool' ? value === 1 : value;
}
