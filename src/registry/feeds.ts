/** Rows in columns, as what a graph takes: through a contract's binding, or by name where there is none. Pure. */
import type { InputBinding } from '../contract/bind.js';
import { invalidInput } from '../errors.js';
import type { Column, ColumnBatch } from '../model/row.js';
import { allocate, type Signature, type Tensor, type TensorData } from '../model/tensor.js';
import { arrange } from '../model-types/image-classifier/pixels.js';
import type { RowValues } from './row-values.js';

/** What fields of many values hold, by field and row; see row-values.ts. */
export type ManyValues = ReadonlyMap<string, readonly RowValues[]>;

const NONE: ManyValues = new Map();

/**
 * @param bindings the contract's; undefined: each input is one column of its own name
 * @param many of fields that hold many values; of those whose length is open, all rows have as many
 * @throws ParleyError INVALID_INPUT for a column that is not there or of the other kind
 */
export function feedsOf(
  rows: ColumnBatch,
  signature: Signature,
  bindings: readonly InputBinding[] | undefined,
  many: ManyValues = NONE,
): Record<string, Tensor> {
  const shapes = signature.inputs.map(({ name, shape }) => [rows.rows, ...openedBy(shape.slice(1), many.get(name))]);
  refuseOpen(signature, shapes);
  const data = signature.inputs.map(({ dataType }, index) => allocate(dataType, productOf(shapes[index]!)));
  for (const place of placesOf(signature, bindings)) {
    const to = data[place.input]!,
      width = productOf(shapes[place.input]!.slice(1)),
      values = many.get(place.name);
    if (values !== undefined)
      for (let row = 0; row < rows.rows; row++) storeMany(to, row * width, values[row]!, place.picture);
    else {
      const from = columnFor(place.name, rows, signature.inputs[place.input]!.dataType === 'string');
      for (let row = 0; row < rows.rows; row++) store(to, row * width + place.column, from[row]!);
    }
  }
  return Object.fromEntries(
    signature.inputs.map(({ name, dataType }, index) => [
      name,
      { dataType, shape: shapes[index]!, data: data[index]! },
    ]),
  );
}

type Place = Pick<InputBinding, 'input' | 'column' | 'picture'> & { readonly name: string };

const placesOf = (signature: Signature, bindings: readonly InputBinding[] | undefined): readonly Place[] =>
  bindings?.map(({ field, ...place }) => ({ name: field.name, ...place })) ??
  signature.inputs.map(({ name }, input) => ({ name, input, column: 0 }));

/** An extent that is open is as long as the rows' lists are. */
function openedBy(shape: readonly number[], values: readonly RowValues[] | undefined): readonly number[] {
  if (values?.[0] === undefined || shape.length !== 1 || shape[0]! >= 0) return shape;
  return [values[0].length];
}

function refuseOpen({ inputs }: Signature, shapes: readonly (readonly number[])[]): void {
  const open = inputs.find(({ shape }, index) => shape.length === 0 || shapes[index]!.some((extent) => extent < 0));
  if (open === undefined) return;
  throw invalidInput(
    `the graph's input "${open.name}" has the shape (${open.shape.join(', ')}); rows can be given only where all but the first extent are fixed`,
  );
}

function columnFor(name: string, rows: ColumnBatch, isText: boolean): Column {
  const from = rows.columns[rows.specs.findIndex((spec) => spec.name === name)];
  if (from === undefined)
    throw invalidInput(
      `the rows lack the column "${name}"; they have ${rows.specs.map((spec) => spec.name).join(', ')}`,
    );
  if (isText === Array.isArray(from)) return from;
  throw invalidInput(
    `the column "${name}" holds ${isText ? 'numbers' : 'strings'}; the graph takes ${isText ? 'strings' : 'numbers'} there`,
  );
}

const productOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function storeMany(to: TensorData, at: number, values: RowValues, picture: Place['picture']): void {
  if (picture !== undefined) arrange(values as Uint8Array, picture, to, at);
  else for (let i = 0; i < values.length; i++) store(to, at + i, values[i]!);
}

function store(to: TensorData, at: number, value: number | bigint | string): void {
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) to[at] = BigInt(value);
  else (to as (number | string)[])[at] = typeof value === 'bigint' ? Number(value) : value;
}
