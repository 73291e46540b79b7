/** Cells of fields that hold many values, read: lists, maps and raw elements as values, pictures as pixels. */
import type { InputBinding } from '../contract/bind.js';
import { parseCell } from '../contract/cell.js';
import type { InputField } from '../contract/contract.js';
import { elementsOf, imageEncodingOf, rawElements } from '../contract/raw-bytes.js';
import { invalidInput, type Problem } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import { loadSharp, pixelsOf } from '../model-types/image-classifier/pixels.js';
import type { ManyValues } from './feeds.js';

/** Of one row and field, row-major. Of a picture: red, green and blue of each pixel. */
export type RowValues = ArrayLike<number | bigint | string>;

/**
 * @param before rows that stand before these, for messages
 * @throws ParleyError INVALID_INPUT for a cell that does not keep the contract, with row and field
 */
export async function rowValues(
  rows: ColumnBatch,
  bindings: readonly InputBinding[] | undefined,
  before = 0,
): Promise<ManyValues> {
  const many = new Map<string, readonly RowValues[]>();
  for (const { field } of bindings ?? []) {
    const column = rows.columns[rows.specs.findIndex((spec) => spec.name === field.name)];
    if (field.tensor === undefined || !Array.isArray(column)) continue;
    const values: RowValues[] = [];
    for (const [row, text] of column.entries())
      values.push(await cellValues(field, text, `row ${before + row + 1}: ${field.name}`));
    many.set(field.name, values);
  }
  return many;
}

async function cellValues(field: InputField, text: string, path: string): Promise<RowValues> {
  const cell = parseCell(field, text, path);
  if (!('values' in cell)) throw refused(cell);
  const { values } = cell,
    { tensor } = field;
  if (!(values instanceof Uint8Array)) return values;
  if (tensor!.encodings === undefined) return rawElements(tensor!.dataType!, values);
  // What stands for a missing picture is black.
  if (values.length === 0) return new Uint8Array(elementsOf(tensor!.shape));
  if (imageEncodingOf(tensor!, values) === 'rgb8') return values;
  const [height, width] = tensor!.shape as [number, number, number];
  try {
    return await pixelsOf(await loadSharp(), { file: values, width, height });
  } catch (cause) {
    const got = (cause as Error).message.split('\n')[0]!.slice(0, 100);
    const message = `must be a picture of ${width} x ${height} pixels that can be decoded`;
    throw refused({ path, message, ...(field.sensitive ? {} : { got }) });
  }
}

const refused = (problem: Problem): Error =>
  invalidInput(`${problem.path} ${problem.message}${problem.got === undefined ? '' : `, got ${problem.got}`}`, {
    problems: [problem],
  });
