/** Pictures: files become RGB pixels, and pixels a row of a graph's input. */
import type { PictureBinding } from '../../contract/bind.js';
import { unsupported } from '../../errors.js';
import type { TensorData } from '../../model/tensor.js';

export type Sharp = typeof import('sharp')['default'];

/** One picture; sharp counts whole seconds. */
const MOST_SECONDS = 5;

/** @throws ParleyError UNSUPPORTED */
export async function loadSharp(): Promise<Sharp> {
  const { default: sharp } = await import('sharp').catch((cause: unknown) => {
    throw unsupported('sharp cannot be loaded on this machine, so pictures are taken as raw pixels only', { cause });
  });
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}

/**
 * Transparency is dropped, greys become three equal channels, deeper channels eight bits; orientation marks are not
 * followed. A file that claims to be larger is not decoded.
 *
 * @returns width × height × 3, row by row
 * @throws Error in sharp's words, or saying how large it is
 */
export async function pixelsOf(
  sharp: Sharp,
  { file, width, height }: { readonly file: Uint8Array; readonly width: number; readonly height: number },
): Promise<Uint8Array> {
  const { data, info } = await sharp(file, { limitInputPixels: width * height, failOn: 'error', pages: 1 })
    .timeout({ seconds: MOST_SECONDS })
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height !== height || info.channels !== 3)
    throw new Error(`it decodes to ${info.width} x ${info.height} pixels of ${info.channels} channels`);
  return data;
}

/** Whether pixels need only be copied. */
export const isAsSent = ({ layout, channels, scale, offset }: PictureBinding): boolean =>
  layout === 'NHWC' && channels === 'RGB' && scale.every((each) => each === 1) && offset.every((each) => each === 0);

/** Channel by channel: element = pixel * scale + offset. Hot path for pictures: one pass over them. */
export function arrange(pixels: Uint8Array, picture: PictureBinding, to: TensorData, at: number): void {
  const { layout, channels, scale, offset } = picture,
    count = pixels.length / 3,
    step = layout === 'NHWC' ? 3 : 1;
  for (let channel = 0; channel < 3; channel++) {
    const from = channels === 'RGB' ? channel : 2 - channel,
      first = at + (layout === 'NHWC' ? channel : channel * count),
      by = scale[channel]!,
      plus = offset[channel]!;
    // One loop a kind of array, so that each is quick.
    if (to instanceof Float32Array)
      for (let i = 0; i < count; i++) to[first + i * step] = pixels[i * 3 + from]! * by + plus;
    else for (let i = 0; i < count; i++) (to as Float64Array)[first + i * step] = pixels[i * 3 + from]! * by + plus;
  }
}
