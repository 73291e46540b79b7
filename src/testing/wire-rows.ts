/** Fixtures as a caller sends them: plain values by field name, structs within structs. Pure. */
import type { InputField, RequestStruct } from '../contract/contract.js';
import type { ColumnBatch } from '../model/row.js';
import type { PlainRow } from '../rpc/client/typed.js';

export function plainRows(rows: ColumnBatch, request: RequestStruct): PlainRow[] {
  const columns = rows.specs.map(({ name }, index) => ({
    field: request.fields.find((field) => field.name === name)!,
    column: rows.columns[index]!,
  }));
  return Array.from({ length: rows.rows }, (_, row) => {
    const plain: Record<string, unknown> = {};
    for (const { field, column } of columns) put(plain, field.name.split('.'), plainValue(field, column[row]!));
    return plain;
  });
}

/** A struct of which nothing is there is not there either. */
function put(struct: Record<string, unknown>, [name, ...inner]: readonly string[], value: unknown): void {
  if (value === undefined) return;
  if (inner.length === 0) struct[name!] = value;
  else put((struct[name!] ??= {}) as Record<string, unknown>, inner, value);
}

/** @returns undefined for a missing value */
function plainValue(field: InputField, value: number | string): unknown {
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
  if (value === '' || value !== value) return undefined;
  if (field.tensor !== undefined) return field.tensor.from === 'binary' ? value : JSON.parse(String(value));
  return field.type === 'bool' ? value === 1 : value;
}
