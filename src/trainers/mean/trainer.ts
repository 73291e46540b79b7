/** The baseline of regression: always the mean of the targets. */
import { z } from 'zod';
import type { OnnxGraph } from '../../model/onnx-port.js';
import type { Fitted, Trainer } from '../../model/training-port.js';
import { writeLinear, writeRegressorOutput } from '../outputs.js';
import { Pace } from '../pace.js';
import { summarizeTargets } from '../targets.js';

export const parameters = z.strictObject({});

export type MeanParameters = z.infer<typeof parameters>;

export const mean: Trainer<MeanParameters> = {
  name: 'mean',
  modelType: 'tabular-regressor',
  parameters,
  async fit(examples, { signal, onProgress }) {
    const pace = new Pace(signal);
    await pace.breathe();
    const { rows, mean: value } = await summarizeTargets(examples, pace);
    onProgress?.({ fraction: 1, message: `${rows} rows, mean ${value}` });
    return new FittedMean(Math.fround(value), examples.width, { rows, mean: value });
  },
};

class FittedMean implements Fitted {
  constructor(
    private readonly value: number,
    private readonly width: number,
    readonly summary: Readonly<Record<string, number>>,
  ) {}

  predict(_features: Float32Array, rows: number): Float32Array {
    return new Float32Array(rows).fill(this.value);
  }

  /** A product with weights of 0: the graph needs the features only for how many rows there are. */
  write(graph: OnnxGraph, features: string): void {
    const weights = new Float32Array(this.width);
    writeRegressorOutput(graph, writeLinear(graph, features, weights, Float32Array.of(this.value)));
  }
}
