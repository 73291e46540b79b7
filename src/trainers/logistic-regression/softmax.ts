/**
 * The softmax and the loss of a multinomial logistic regression.
 *
 * A model of two classes has one column of weights, with the first class's logit at 0, as scikit-learn fits it; a model of
 * more has a column a class. `weights` is (width, columns), row-major, and the intercepts follow it.
 *
 * Hot: {@link softmaxLoss} is run for each row in each pass. It allocates nothing, and steps over the zeros that one-hot
 * columns are full of.
 */
import type { Examples } from '../../model/training-port.js';
import type { Pace } from '../pace.js';

/** Columns of weights for a number of classes. */
export function columnsOf(classes: number): number {
  return classes === 2 ? 1 : classes;
}

/**
 * Turns logits into probabilities, in place. The largest is subtracted first, so that no exponential overflows.
 *
 * @param from first of `classes` logits
 * @returns log of the sum of the exponentials of the logits
 */
export function softmax(logits: Float64Array, from: number, classes: number): number {
  let highest = logits[from];
  for (let c = 1; c < classes; c++) if (logits[from + c] > highest) highest = logits[from + c];
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    const exponential = Math.exp(logits[from + c] - highest);
    logits[from + c] = exponential;
    sum += exponential;
  }
  for (let c = 0; c < classes; c++) logits[from + c] /= sum;
  return highest + Math.log(sum);
}

/**
 * Mean over the rows of `-log p(target)` plus `l2 / 2 · |weights|² / rows`; the intercepts are not penalized.
 *
 * @param gradient filled; as long as `parameters`
 */
export async function softmaxLoss(
  examples: Examples,
  classes: number,
  l2: number,
  parameters: Float64Array,
  gradient: Float64Array,
  pace: Pace,
): Promise<number> {
  const { width } = examples;
  const columns = columnsOf(classes);
  const skipped = classes - columns;
  const logits = new Float64Array(classes);
  let loss = 0;
  let seen = 0;
  gradient.fill(0);
  for (const { rows, features, targets } of examples.batches()) {
    for (let row = 0; row < rows; row++) {
      const at = row * width;
      logits[0] = 0;
      for (let c = 0; c < columns; c++) logits[c + skipped] = parameters[width * columns + c];
      for (let k = 0; k < width; k++) {
        const x = features[at + k];
        if (x === 0) continue;
        for (let c = 0; c < columns; c++) logits[c + skipped] += x * parameters[k * columns + c];
      }
      const target = targets[row];
      const targetLogit = logits[target];
      loss += softmax(logits, 0, classes) - targetLogit;
      logits[target] -= 1;
      for (let k = 0; k < width; k++) {
        const x = features[at + k];
        if (x === 0) continue;
        for (let c = 0; c < columns; c++) gradient[k * columns + c] += x * logits[c + skipped];
      }
      for (let c = 0; c < columns; c++) gradient[width * columns + c] += logits[c + skipped];
    }
    seen += rows;
    await pace.after(2 * rows * width * columns);
  }
  for (let i = 0; i < width * columns; i++) {
    loss += (l2 / 2) * parameters[i] * parameters[i];
    gradient[i] += l2 * parameters[i];
  }
  for (let i = 0; i < gradient.length; i++) gradient[i] /= seen;
  return loss / seen;
}
