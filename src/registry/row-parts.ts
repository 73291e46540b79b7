/** Rows in parts that can be run at once, and the parts' outputs as those of all rows. Pure. */
import { modelBroken } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import { allocate, type Tensor, type TensorData } from '../model/tensor.js';
import { rowsAt } from './acceptance/rows.js';
import type { ManyValues } from './feeds.js';

/** Pictures of a few megabytes each fit into memory so. */
const ROWS_AT_ONCE = 32;

export function* partsOf(rows: ColumnBatch): Generator<{ readonly rows: ColumnBatch; readonly before: number }> {
  if (rows.rows <= ROWS_AT_ONCE) yield { rows, before: 0 };
  else
    for (let before = 0; before < rows.rows; before += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, rows.rows - before);
      yield {
        rows: rowsAt(
          rows,
          Array.from({ length: count }, (_, row) => before + row),
        ),
        before,
      };
    }
}

/** Runs of rows whose lists are as long as each other's: from the first to behind the last. */
export function equallyLong(rows: number, many: ManyValues): (readonly [number, number])[] {
  const runs: [number, number][] = [];
  const lengths = (row: number) => [...many.values()].map((values) => values[row]!.length).join();
  for (let row = 0; row < rows; row++) {
    const last = runs.at(-1);
    if (last !== undefined && lengths(last[0]) === lengths(row)) last[1] = row + 1;
    else runs.push([row, row + 1]);
  }
  return runs;
}

/** @throws ParleyError MODEL_BROKEN where an output has another shape for some rows */
export function joinedRows(parts: readonly Readonly<Record<string, Tensor>>[]): Record<string, Tensor> {
  const names = Object.keys(parts[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      joined(
        name,
        parts.map((part) => part[name]!),
      ),
    ]),
  );
}

function joined(name: string, tensors: readonly Tensor[]): Tensor {
  const [first] = tensors as [Tensor];
  if (tensors.length === 1) return first;
  const inner = first.shape.slice(1);
  const other = tensors.find(({ shape }) => shape.slice(1).join() !== inner.join());
  if (other !== undefined)
    throw modelBroken(
      `the output "${name}" has the shape (${first.shape.join(', ')}) for some rows and (${other.shape.join(', ')}) for others`,
    );
  const data = allocate(
    first.dataType,
    tensors.reduce((sum, tensor) => sum + tensor.data.length, 0),
  );
  let at = 0;
  for (const tensor of tensors) {
    put(data, tensor.data, at);
    at += tensor.data.length;
  }
  return { dataType: first.dataType, shape: [tensors.reduce((sum, { shape }) => sum + shape[0]!, 0), ...inner], data };
}

function put(to: TensorData, from: TensorData, at: number): void {
  if (Array.isArray(to)) for (const [index, value] of (from as string[]).entries()) to[at + index] = value;
  else (to as Float64Array).set(from as Float64Array, at);
}
