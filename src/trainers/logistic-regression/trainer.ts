/**
 * Multinomial logistic regression.
 *
 * Minimizes `sum of -log p(target) + l2 / 2 · |weights|²`; the intercepts are not penalized. That is scikit-learn's
 * `LogisticRegression(C=1 / l2)`, for two classes and for more. Full-batch L-BFGS in float64; the rows are read once or a
 * little more an iteration, and never held.
 */
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import type { OnnxGraph } from '../../model/onnx-port.js';
import type { Fitted, Trainer } from '../../model/training-port.js';
import { countClasses } from '../classes.js';
import { minimize } from '../lbfgs.js';
import { writeClassifierOutputs, writeLinear } from '../outputs.js';
import { Pace } from '../pace.js';
import { columnsOf, softmax, softmaxLoss } from './softmax.js';

export const parameters = z.strictObject({
  max_iterations: z.int().min(1).max(100_000).default(100),
  /** Stops where the largest component of the mean loss's gradient is at most this. */
  tolerance: z.number().positive().default(1e-6),
  /** Strength of the penalty; scikit-learn's `1 / C`. */
  l2: z.number().nonnegative().default(1),
});

export type LogisticRegressionParameters = z.infer<typeof parameters>;

export const logisticRegression: Trainer<LogisticRegressionParameters> = {
  name: 'logistic-regression',
  modelType: 'tabular-classifier',
  parameters,
  async fit(examples, options) {
    const { max_iterations: maxIterations, tolerance, l2 } = options.parameters;
    const { classes, onProgress } = options;
    const pace = new Pace(options.signal);
    await pace.breathe();
    await countClasses(examples, classes, pace);
    const length = (examples.width + 1) * columnsOf(classes.length);
    const minimum = await minimize(
      async (point, gradient) => {
        const loss = await softmaxLoss(examples, classes.length, l2, point, gradient, pace);
        if (Number.isNaN(loss)) throw invalidInput('a feature is not a finite number; standardize large numbers');
        return loss;
      },
      new Float64Array(length),
      {
        maxIterations,
        tolerance,
        async onIteration(iteration, loss) {
          onProgress?.({
            fraction: iteration / maxIterations,
            message: `iteration ${iteration}, loss ${loss.toFixed(6)}`,
          });
          await pace.breathe();
        },
      },
    );
    const { iterations, value, gradient, converged } = minimum;
    onProgress?.({ fraction: 1, message: `${iterations} iterations, loss ${value.toFixed(6)}` });
    const summary = { iterations, loss: value, gradient, converged: converged ? 1 : 0 };
    return new FittedLogisticRegression(minimum.point, examples.width, classes, summary);
  },
};

/** Weights and intercepts are rounded to float32, the graph's own precision, before anything is answered from them. */
class FittedLogisticRegression implements Fitted {
  /** Shape (width, classes). */
  private readonly weights: Float32Array;
  private readonly intercepts: Float32Array;

  constructor(
    point: Float64Array,
    private readonly width: number,
    private readonly classes: readonly string[],
    readonly summary: Readonly<Record<string, number>>,
  ) {
    const expanded = expand(point, width, classes.length);
    this.weights = expanded.subarray(0, width * classes.length);
    this.intercepts = expanded.subarray(width * classes.length);
  }

  predict(features: Float32Array, rows: number): Float32Array {
    const classes = this.classes.length;
    const out = new Float32Array(rows * classes);
    const logits = new Float64Array(classes);
    for (let row = 0; row < rows; row++) {
      logits.set(this.intercepts);
      for (let k = 0; k < this.width; k++) {
        const x = features[row * this.width + k];
        for (let c = 0; c < classes; c++) logits[c] += x * this.weights[k * classes + c];
      }
      softmax(logits, 0, classes);
      out.set(logits, row * classes);
    }
    return out;
  }

  write(graph: OnnxGraph, features: string): void {
    const logits = writeLinear(graph, features, this.weights, this.intercepts);
    writeClassifierOutputs(graph, graph.node('Softmax', [logits], { axis: 1 }), this.classes);
  }
}

/** One column a class; two classes get minus and plus half of the one column, which gives the same probabilities. */
function expand(point: Float64Array, width: number, classes: number): Float32Array {
  if (classes > 2) return Float32Array.from(point);
  const expanded = new Float32Array((width + 1) * 2);
  for (let k = 0; k <= width; k++) {
    expanded[2 * k] = -point[k] / 2;
    expanded[2 * k + 1] = point[k] / 2;
  }
  return expanded;
}
