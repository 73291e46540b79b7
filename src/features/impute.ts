/** A number for each missing one. */
import type { OnnxGraph } from '../model/onnx-port.js';

/** `fills[k]` stands for a missing value (NaN) of column k. */
export class Impute {
  constructor(readonly fills: Float64Array) {}

  apply(column: number, value: number): number {
    return Number.isNaN(value) ? this.fills[column] : value;
  }

  /**
   * @param matrix a float64 value, shape (-1, columns)
   * @param missing its IsNaN, bool, the same shape
   * @returns a float64 value, the same shape
   */
  write(graph: OnnxGraph, matrix: string, missing: string): string {
    const shape = [1, this.fills.length];
    const fills = graph.constant('fills', { dataType: 'float64', shape, data: this.fills });
    return graph.node('Where', [missing, fills, matrix]);
  }
}
