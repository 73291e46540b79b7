/** Rows in columns, as what a graph takes: through a contract's binding, or by name where there is none. Pure. */
import type { InputBinding } from '../contract/bind.js';
import { invalidInput } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import { allocate, type Signature, type Tensor, type TensorData } from '../model/tensor.js';

/**
 * @param bindings the contract's; undefined: each input is one column of its own name
 * @throws ParleyError INVALID_INPUT for a column that is not there or of the other kind
 */
export function feedsOf(
  rows: ColumnBatch,
  signature: Signature,
  bindings: readonly InputBinding[] | undefined,
): Record<string, Tensor> {
  const places =
    bindings?.map(({ field, input, column }) => ({ name: field.name, input, column })) ??
    signature.inputs.map(({ name }, input) => ({ name, input, column: 0 }));
  const shapeless = signature.inputs.find(
    ({ shape }) => shape.length === 0 || shape.slice(1).some((extent) => extent < 0),
  );
  if (shapeless !== undefined)
    throw invalidInput(
      `the graph's input "${shapeless.name}" has the shape (${shapeless.shape.join(', ')}); rows can be given only where all but the first extent are fixed`,
    );
  const data = signature.inputs.map(({ dataType, shape }) => allocate(dataType, rows.rows * widthOf(shape)));
  for (const { name, input, column } of places) {
    const from = rows.columns[rows.specs.findIndex((spec) => spec.name === name)];
    if (from === undefined)
      throw invalidInput(
        `the rows lack the column "${name}"; they have ${rows.specs.map((spec) => spec.name).join(', ')}`,
      );
    const isText = signature.inputs[input]!.dataType === 'string';
    if (isText !== Array.isArray(from))
      throw invalidInput(
        `the column "${name}" holds ${isText ? 'numbers' : 'strings'}; the graph takes ${isText ? 'strings' : 'numbers'} there`,
      );
    const width = widthOf(signature.inputs[input]!.shape),
      to = data[input]!;
    for (let row = 0; row < rows.rows; row++) store(to, row * width + column, from[row]!);
  }
  return Object.fromEntries(
    signature.inputs.map(({ name, dataType, shape }, index) => [
      name,
      { dataType, shape: [rows.rows, ...shape.slice(1)], data: data[index]! },
    ]),
  );
}

const widthOf = (shape: readonly number[]): number => shape.slice(1).reduce((a, b) => a * b, 1);

function store(to: TensorData, at: number, value: number | string): void {
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) to[at] = BigInt(value);
  else (to as (number | string)[])[at] = value;
}
