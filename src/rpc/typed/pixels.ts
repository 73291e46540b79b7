/** Pixels, three bytes each, as a row of a graph's input. Hot path for pictures: one pass over them. */
import type { PictureBinding } from '../../contract/bind.js';
import type { TensorData } from '../../model/tensor.js';
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

const isAsSent = ({ layout, channels, scale, offset }: PictureBinding): boolean =>
  layout === 'NHWC' && channels === 'RGB' && scale.every((each) => each === 1) && offset.every((each) => each === 0);

/** Channel by channel: element = pixel * scale + offset. */
function arrange(pixels: Uint8Array, picture: PictureBinding, to: TensorData, at: number): void {
  const { layout, channels, scale, offset } = picture,
    count = pixels.length / 3,
    step = layout === 'NHWC' ? 3 : 1;
  for (let channel = 0; channel < 3; channel++) {
    const from = channels === 'RGB' ? channel : 2 - channel,
      first = at + (layout === 'NHWC' ? channel : channel * count),
      by = scale[channel]!,
      plus = offset[channel]!;
    if (to instanceof Float32Array)
      for (let i = 0; i < count; i++) to[first + i * step] = pixels[i * 3 + from]! * by + plus;
    else for (let i = 0; i < count; i++) put(to, first + i * step, pixels[i * 3 + from]! * by + plus);
  }
}
