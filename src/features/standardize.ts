/** Numbers to mean 0 and standard deviation 1. */
import type { OnnxGraph } from '../model/onnx-port.js';
import type { Moments } from './moments.js';

/** Column k becomes `(x - means[k]) / scales[k]`, in float64. */
export class Standardize {
  constructor(
    readonly means: Float64Array,
    readonly scales: Float64Array,
  ) {}

  apply(column: number, value: number): number {
    return (value - this.means[column]) / this.scales[column];
  }

  /** @param matrix a float64 value, shape (-1, columns) @returns the same type and shape */
  write(graph: OnnxGraph, matrix: string): string {
    if (this.means.every((mean) => mean === 0) && this.scales.every((scale) => scale === 1)) return matrix;
    const shape = [1, this.means.length];
    const means = graph.constant('means', { dataType: 'float64', shape, data: this.means });
    const scales = graph.constant('scales', { dataType: 'float64', shape, data: this.scales });
    return graph.node('Div', [graph.node('Sub', [matrix, means]), scales]);
  }
}

/**
 * The standard deviation, or 1 for a column that is constant up to rounding, which then becomes 0 everywhere.
 *
 * The bound on what rounding alone can make of a constant's variance is scikit-learn's (`_is_constant_feature`).
 */
export function scaleOf(moments: Moments): number {
  const { count, mean, variance } = moments;
  const rounding = count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
  return variance <= rounding ? 1 : Math.sqrt(variance);
}
