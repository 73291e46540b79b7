/** How a text classifier's input and outputs are read. */
import { checkClassOutputs, checkInput } from '../graph-checks.js';
import type { GraphCheck } from '../model-type.js';
import type { TextClassifierMetadata } from './schema.js';

export const defaultOutputs = {
  /** string, shape (rows): the class. */
  label: 'label',
  /** float32, shape (rows, classes). */
  probabilities: 'probabilities',
} as const;

export const checkGraph: GraphCheck<TextClassifierMetadata> = (signature, { input, classes }) => [
  ...checkInput(signature, input, ['string'], [[-1], [-1, 1]]),
  ...checkClassOutputs(signature, classes),
];
