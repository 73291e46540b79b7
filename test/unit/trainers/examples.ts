/** Examples in memory, in batches, for tests. */
import type { Examples } from '#parley/model/training-port.js';

/** @param features rows of numbers of one length */
export function examplesOf(features: readonly (readonly number[])[], targets: readonly number[], batch = 7): Examples {
  const width = features[0]?.length ?? 1;
  return {
    rows: features.length,
    width,
    *batches() {
      // One buffer for all batches: a trainer that keeps a batch's arrays for later reads the wrong numbers.
      const matrix = new Float32Array(batch * width);
      const values = new Float64Array(batch);
      for (let from = 0; from < features.length; from += batch) {
        const rows = Math.min(batch, features.length - from);
        for (let row = 0; row < rows; row++) {
          matrix.set(features[from + row], row * width);
          values[row] = targets[from + row];
        }
        yield { rows, features: matrix, targets: values };
        matrix.fill(Number.NaN);
        values.fill(Number.NaN);
      }
    },
  };
}

export const matrixOf = (features: readonly (readonly number[])[]): Float32Array => Float32Array.from(features.flat());

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
