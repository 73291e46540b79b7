/** Pixels, three bytes each, as a row of a graph's input. Hot path for pictures: one pass over them. */
import { arrange, isAsSent } from '../../model-types/image-classifier/pixels.js';
import { type Columns, put, type TypedField } from './fields.js';

/** @param pixels row by row, red, green, blue */
export function storePixels(field: TypedField, { columns }: Columns, row: number, pixels: Uint8Array): void {
  const { input, rowWidth, column, picture } = field;
  if (input < 0) return;
  const to = columns[input]!,
    at = row * rowWidth + column;
  const isNumeric = to instanceof Float32Array || to instanceof Uint8Array || to instanceof Float64Array;
  if (isNumeric && (picture === undefined || isAsSent(picture))) to.set(pixels, at);
  else if (picture !== undefined) arrange(pixels, picture, to, at);
  else for (let i = 0; i < pixels.length; i++) put(to, at + i, pixels[i]!);
}
