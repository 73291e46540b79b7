/** A column of 0 and 1 that says where a number was missing, for the fields that may be. */
import type { OnnxGraph } from '../model/onnx-port.js';

export class MissingIndicator {
  /** @param columns which columns of the number matrix have an indicator, ascending */
  constructor(readonly columns: readonly number[]) {}

  apply(value: number): number {
    return Number.isNaN(value) ? 1 : 0;
  }

  /**
   * @param missing a bool value, shape (-1, width)
   * @param width columns of the number matrix
   * @returns a float32 value, shape (-1, indicators)
   */
  write(graph: OnnxGraph, missing: string, width: number): string {
    const indicators = graph.node('Cast', [missing], { to: FLOAT });
    if (this.columns.length === width) return indicators;
    const data = BigInt64Array.from(this.columns, BigInt);
    const columns = graph.constant('indicated', { dataType: 'int64', shape: [data.length], data });
    return graph.node('Gather', [indicators, columns], { axis: 1 });
  }
}

/** TensorProto.DataType.FLOAT, as the operator Cast wants it. */
export const FLOAT = 1;
