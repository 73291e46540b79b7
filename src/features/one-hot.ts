/** A string to one column a category: 1 in the category's, 0 elsewhere; a missing or unknown one is 0 everywhere. */
import type { OnnxGraph } from '../model/onnx-port.js';

export class OneHot {
  private readonly indices: ReadonlyMap<string, number>;

  /**
   * @param categories one column each, in this order; no two equal and none ''
   * @param fallback the category that '' stands for; without it '' is 0 everywhere
   */
  constructor(
    readonly categories: readonly string[],
    readonly fallback?: string,
  ) {
    const indices = new Map(categories.map((category, index) => [category, index]));
    const index = fallback === undefined ? undefined : indices.get(fallback);
    if (index !== undefined) indices.set('', index);
    this.indices = indices;
  }

  /** The column of a value, from 0; -1 where it has none. */
  column(value: string): number {
    return this.indices.get(value) ?? -1;
  }

  /** @param values a string value, shape (-1, 1) @returns a float32 value, shape (-1, categories) */
  write(graph: OnnxGraph, values: string): string {
    const width = this.categories.length;
    const filled = this.indices.has('') ? this.writeFallback(graph, values) : values;
    const attributes = { cats_strings: { strings: this.categories }, zeros: 1 };
    const encoded = graph.node('OneHotEncoder', [filled], attributes, 'ai.onnx.ml');
    const data = BigInt64Array.of(-1n, BigInt(width));
    return graph.node('Reshape', [encoded, graph.constant('shape', { dataType: 'int64', shape: [2], data })]);
  }

  private writeFallback(graph: OnnxGraph, values: string): string {
    const attributes = {
      keys_strings: { strings: ['', ...this.categories] },
      values_strings: { strings: [this.fallback ?? '', ...this.categories] },
      default_string: '',
    };
    return graph.node('LabelEncoder', [values], attributes, 'ai.onnx.ml');
  }
}
