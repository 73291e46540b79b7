/** Parts of the fixtures' rows. */
import { sliceText } from '../../contract/bound-text.js';
import type { RequestStruct, SliceTerm } from '../../contract/contract.js';
import { sliceValue } from '../../contract/read-slice.js';
import { invalidInput } from '../../errors.js';
import type { Column, ColumnBatch } from '../../model/row.js';

/** These rows, in their order. */
export function rowsAt({ specs, columns }: ColumnBatch, rows: readonly number[]): ColumnBatch {
  return {
    specs,
    rows: rows.length,
    columns: columns.map((column) => {
      if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row]!);
      return rows.map((row) => column[row]!);
    }),
  };
}

export function columnOf({ specs, columns }: ColumnBatch, name: string): Column | undefined {
  return columns[specs.findIndex((spec) => spec.name === name)];
}

/** @throws ParleyError INVALID_INPUT where the fixtures have no column for a term */
export function rowsIn(rows: ColumnBatch, request: RequestStruct, slice: readonly SliceTerm[]): number[] {
  const terms = slice.map(({ field: name, value }) => {
    const field = request.fields.find((candidate) => candidate.name === name);
    const column = columnOf(rows, name);
    if (field === undefined || column === undefined)
      throw invalidInput(`the fixtures lack the column "${name}", which the slice [${sliceText(slice)}] is of`);
    return { column, value: sliceValue(field, value) };
  });
  return Array.from({ length: rows.rows }, (_, row) => row).filter((row) =>
    terms.every(({ column, value }) => Object.is(column[row], value)),
  );
}
