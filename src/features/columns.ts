/** The columns of a batch that fitted fields read, found by name and checked. */
import { invalidInput } from '../errors.js';
import type { Column, ColumnBatch, ColumnKind } from '../model/row.js';

/** @throws ParleyError INVALID_INPUT where the column is not there or holds the other kind of values */
function columnOf(batch: ColumnBatch, name: string, kind: ColumnKind): Column {
  const index = batch.specs.findIndex((spec) => spec.name === name);
  if (index < 0) {
    const there = batch.specs.map((spec) => spec.name).join(', ');
    throw invalidInput(`the rows have no column "${name}", which is a feature; their columns are ${there}`);
  }
  const found = batch.specs[index].kind;
  if (found !== kind) throw invalidInput(`column "${name}" holds ${found}s and the contract says ${kind}`);
  return batch.columns[index];
}

export function numbersOf(batch: ColumnBatch, name: string): Float64Array {
  return columnOf(batch, name, 'number') as Float64Array;
}

export function stringsOf(batch: ColumnBatch, name: string): readonly string[] {
  return columnOf(batch, name, 'string') as string[];
}
