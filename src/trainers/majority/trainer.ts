/** The baseline of classification: always the commonest class, with each class's share as its probability. */
import { z } from 'zod';
import type { OnnxGraph } from '../../model/onnx-port.js';
import type { Fitted, Trainer } from '../../model/training-port.js';
import { countClasses } from '../classes.js';
import { writeClassifierOutputs, writeLinear } from '../outputs.js';
import { Pace } from '../pace.js';

export const parameters = z.strictObject({});

export type MajorityParameters = z.infer<typeof parameters>;

export const majority: Trainer<MajorityParameters> = {
  name: 'majority',
  modelType: 'tabular-classifier',
  parameters,
  async fit(examples, { classes, signal, onProgress }) {
    const pace = new Pace(signal);
    await pace.breathe();
    const counts = await countClasses(examples, classes, pace);
    const rows = counts.reduce((sum, count) => sum + count, 0);
    onProgress?.({ fraction: 1, message: `${rows} rows` });
    return new FittedMajority(
      Float32Array.from(counts, (count) => count / rows),
      examples.width,
      classes,
      { rows },
    );
  },
};

class FittedMajority implements Fitted {
  constructor(
    private readonly shares: Float32Array,
    private readonly width: number,
    private readonly classes: readonly string[],
    readonly summary: Readonly<Record<string, number>>,
  ) {}

  predict(_features: Float32Array, rows: number): Float32Array {
    const out = new Float32Array(rows * this.shares.length);
    for (let row = 0; row < rows; row++) out.set(this.shares, row * this.shares.length);
    return out;
  }

  /** A product with weights of 0: the graph needs the features only for how many rows there are. */
  write(graph: OnnxGraph, features: string): void {
    const weights = new Float32Array(this.width * this.shares.length);
    writeClassifierOutputs(graph, writeLinear(graph, features, weights, this.shares), this.classes);
  }
}
