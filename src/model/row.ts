/**
 * Rows of a project's data, in columns.
 *
 * One representation everywhere between a source and a graph: numbers, integers and booleans as float64 with NaN for a
 * missing value; strings and enum labels as strings with '' for a missing value.
 */

export type ColumnKind = 'number' | 'string';

export interface ColumnSpec {
  readonly name: string;
  readonly kind: ColumnKind;
}

export type Column = Float64Array | string[];

/** `columns[i]` belongs to `specs[i]`; each has `rows` values. */
export interface ColumnBatch {
  readonly specs: readonly ColumnSpec[];
  readonly rows: number;
  readonly columns: readonly Column[];
}
