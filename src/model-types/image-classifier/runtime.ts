/** How an image classifier's input and outputs are read. */
import { checkClassOutputs, checkInput } from '../graph-checks.js';
import type { GraphCheck } from '../model-type.js';
import { CHANNELS, type ImageClassifierMetadata } from './schema.js';

export const defaultOutputs = {
  /** string, shape (images): the class. */
  label: 'label',
  /** float32, shape (images, classes). */
  probabilities: 'probabilities',
} as const;

export const checkGraph: GraphCheck<ImageClassifierMetadata> = (signature, metadata) => [
  ...checkInput(signature, metadata.input, [metadata.dtype], [imageShape(metadata)]),
  ...checkClassOutputs(signature, metadata.classes),
];

function imageShape({ layout, height, width, channels }: ImageClassifierMetadata): readonly number[] {
  const depth = CHANNELS[channels];
  return layout === 'NHWC' ? [-1, height, width, depth] : [-1, depth, height, width];
}
