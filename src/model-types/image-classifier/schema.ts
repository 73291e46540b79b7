/** What a classifier of images says beside its graph: how pixels become what the graph takes. */
import { z } from 'zod';
import { classFields, POSITIVE_IS_A_CLASS, THRESHOLD_HAS_A_CLASS } from '../class-fields.js';

/** Channels of a pixel, by their order. */
export const CHANNELS = { RGB: 3, BGR: 3, RGBA: 4, grayscale: 1 } as const;

const perChannel = z.array(z.number()).min(1).max(4).optional();

export const metadata = z
  .strictObject({
    input: z.string().min(1).describe('The input that takes the images.'),
    ...classFields,
    height: z.int().min(1).describe('Of an image, pixels.'),
    width: z.int().min(1).describe('Of an image, pixels.'),
    channels: z.enum(['RGB', 'BGR', 'RGBA', 'grayscale']).describe('What a pixel is made of, in this order.'),
    layout: z.enum(['NHWC', 'NCHW']).describe('Order of the extents: images, height, width and channels.'),
    dtype: z.enum(['uint8', 'float16', 'float32', 'float64']).describe('Element type of the input.'),
    rescale: z
      .number()
      .positive()
      .optional()
      .describe('What the caller multiplies pixels of 0 to 255 with first; absent: they stay.'),
    mean: perChannel.describe('What the caller subtracts then, per channel; absent: nothing.'),
    std: perChannel.describe('What the caller divides by last, per channel; absent: by nothing.'),
  })
  .refine(...POSITIVE_IS_A_CLASS)
  .refine(...THRESHOLD_HAS_A_CLASS)
  .refine(({ channels, mean }) => mean === undefined || mean.length === CHANNELS[channels], {
    path: ['mean'],
    message: 'must have one number per channel',
  })
  .refine(({ channels, std }) => std === undefined || std.length === CHANNELS[channels], {
    path: ['std'],
    message: 'must have one number per channel',
  })
  .refine(({ std = [] }) => std.every((deviation) => deviation > 0), { path: ['std'], message: 'must be above 0' })
  .refine(({ dtype, rescale, mean, std }) => dtype !== 'uint8' || (rescale === undefined && !mean && !std), {
    path: ['dtype'],
    message: 'is uint8, which holds pixels as they are: normalize inside the graph',
  })
  .describe('Says which class an image is.');

export type ImageClassifierMetadata = z.infer<typeof metadata>;
