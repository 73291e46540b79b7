/**
 * How a classifier's outputs are read.
 *
 * Hot: {@link decide} is run for each row that is served; it allocates nothing.
 */
import type { ClassifierMetadata } from './schema.js';

export const defaultOutputs = {
  /** string, shape (rows): the class of the highest probability. */
  label: 'label',
  /** float32, shape (rows, classes). */
  probabilities: 'probabilities',
} as const;

/** Answers the class index of a row. */
export type Decide = (probabilities: Float32Array | Float64Array, row: number) => number;

/**
 * How rows are decided: by the threshold where there is one, else the highest probability, and of equally high ones the
 * first. Either way -1 for a row with a probability that is not a number.
 */
export function decider({ classes, positive, threshold }: ClassifierMetadata): Decide {
  if (threshold === undefined || positive === undefined) return (matrix, row) => highest(matrix, row, classes.length);
  const index = classes.indexOf(positive);
  return (matrix, row) => {
    const probability = matrix[row * 2 + index];
    if (Number.isNaN(probability)) return -1;
    return probability >= threshold ? index : 1 - index;
  };
}

function highest(matrix: Float32Array | Float64Array, row: number, classes: number): number {
  const first = row * classes;
  let best = 0;
  for (let index = 0; index < classes; index++) {
    const probability = matrix[first + index];
    if (Number.isNaN(probability)) return -1;
    if (probability > matrix[first + best]) best = index;
  }
  return best;
}
