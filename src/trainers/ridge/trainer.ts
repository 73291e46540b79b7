/**
 * Ridge regression.
 *
 * Minimizes `sum of (target - value)² + l2 · |weights|²`; the intercept is not penalized. That is scikit-learn's
 * `Ridge(alpha=l2)`. The normal equations are summed up in float64 in one pass and solved by Cholesky's factorization:
 * memory and time a row grow with the square of the features' width.
 */
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import type { OnnxGraph } from '../../model/onnx-port.js';
import type { Examples, Fitted, Trainer } from '../../model/training-port.js';
import { writeLinear, writeRegressorOutput } from '../outputs.js';
import { Pace } from '../pace.js';
import { summarizeTargets } from '../targets.js';
import { ROUNDING, solveSymmetric } from './cholesky.js';

export const parameters = z.strictObject({
  /** Strength of the penalty; scikit-learn's `alpha`. */
  l2: z.number().nonnegative().default(1),
});

export type RidgeParameters = z.infer<typeof parameters>;

export const ridge: Trainer<RidgeParameters> = {
  name: 'ridge',
  modelType: 'tabular-regressor',
  parameters,
  async fit(examples, { parameters: { l2 }, signal, onProgress }) {
    const pace = new Pace(signal);
    await pace.breathe();
    const { rows, mean } = await summarizeTargets(examples, pace);
    onProgress?.({ fraction: 0.1, message: `${rows} rows, mean ${mean}` });
    const sums = await sumUp(examples, mean, pace);
    onProgress?.({ fraction: 0.9, message: `solving for ${examples.width} columns` });
    const { weights, intercept } = solve(sums, l2);
    if (!Number.isFinite(intercept)) throw invalidInput('a feature is not a finite number; standardize large numbers');
    onProgress?.({ fraction: 1, message: `${rows} rows` });
    return new FittedRidge(Float32Array.from(weights), Math.fround(mean + intercept), { rows });
  },
};

/** Sums over the rows, of features as they are less `shift`, and of targets less their mean. */
interface Sums {
  readonly rows: number;
  /** Of a column whose values are far from 0, the first; 0 elsewhere, so that zeros stay zeros. */
  readonly shift: Float64Array;
  /** Of x, shape (width). */
  readonly features: Float64Array;
  /** Of x · target, shape (width). */
  readonly products: Float64Array;
  /** Of x · xᵀ, shape (width, width); the lower triangle. */
  readonly squares: Float64Array;
}

/** What is far from 0: beyond it, squares would cancel in the last digits, where the spread of a column is. */
const FAR = 16;

/** Steps over zeros, which one-hot columns are full of. */
async function sumUp(examples: Examples, mean: number, pace: Pace): Promise<Sums> {
  const { width } = examples;
  const shift = new Float64Array(width);
  const features = new Float64Array(width);
  const products = new Float64Array(width);
  const squares = new Float64Array(width * width);
  const row = new Float64Array(width);
  const filled = new Int32Array(width);
  let seen = 0;
  for (const batch of examples.batches()) {
    for (let r = 0; r < batch.rows; r++) {
      const at = r * width;
      if (seen === 0) for (let k = 0; k < width; k++) shift[k] = far(batch.features[at + k]);
      seen += 1;
      const target = batch.targets[r] - mean;
      let count = 0;
      for (let k = 0; k < width; k++) {
        row[k] = batch.features[at + k] - shift[k];
        if (row[k] !== 0) filled[count++] = k;
      }
      for (let a = 0; a < count; a++) {
        const i = filled[a];
        features[i] += row[i];
        products[i] += row[i] * target;
        for (let b = 0; b <= a; b++) squares[i * width + filled[b]] += row[i] * row[filled[b]];
      }
    }
    await pace.after((batch.rows * width * width) / 2);
  }
  return { rows: seen, shift, features, products, squares };
}

const far = (value: number): number => (Math.abs(value) > FAR ? value : 0);

/** @returns the weights, and the intercept less the targets' mean */
function solve(sums: Sums, l2: number): { weights: Float64Array; intercept: number } {
  const { rows, shift, features, products, squares } = sums;
  const width = features.length;
  const matrix = squares.slice();
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) matrix[i * width + j] -= (features[i] * features[j]) / rows;
    const constant = matrix[i * width + i] <= squares[i * width + i] * ROUNDING;
    matrix[i * width + i] = l2 + (constant ? 0 : matrix[i * width + i]);
  }
  // The targets' deviations sum to 0, so that products need no centring.
  const weights = solveSymmetric(matrix, products);
  let intercept = 0;
  for (let k = 0; k < width; k++) intercept -= weights[k] * (features[k] / rows + shift[k]);
  return { weights, intercept };
}

class FittedRidge implements Fitted {
  /** @param weights shape (width), rounded to the graph's own precision, as the intercept is */
  constructor(
    private readonly weights: Float32Array,
    private readonly intercept: number,
    readonly summary: Readonly<Record<string, number>>,
  ) {}

  predict(features: Float32Array, rows: number): Float32Array {
    const width = this.weights.length;
    const out = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      let value = this.intercept;
      for (let k = 0; k < width; k++) value += features[row * width + k] * this.weights[k];
      out[row] = value;
    }
    return out;
  }

  write(graph: OnnxGraph, features: string): void {
    const column = writeLinear(graph, features, this.weights, Float32Array.of(this.intercept));
    writeRegressorOutput(graph, column);
  }
}
