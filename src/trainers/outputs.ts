/** The last nodes of a graph, which every trainer of a model type writes in the same way. */
import type { OnnxGraph } from '../model/onnx-port.js';

/**
 * Names a classifier's outputs: `probabilities` (float32, shape (-1, classes)) and `label` (string, shape (-1)), the
 * class of the highest probability, and of equally high ones the first.
 *
 * @param probabilities a float32 value, shape (-1, classes)
 */
export function writeClassifierOutputs(graph: OnnxGraph, probabilities: string, classes: readonly string[]): void {
  const index = graph.node('ArgMax', [probabilities], { axis: 1, keepdims: 0 });
  const names = graph.constant('classes', { dataType: 'string', shape: [classes.length], data: [...classes] });
  const label = graph.node('Gather', [names, index], { axis: 0 });
  graph.output('label', label, 'string', [-1]);
  graph.output('probabilities', probabilities, 'float32', [-1, classes.length]);
}

/**
 * Writes `features · weights + bias`.
 *
 * @param features a float32 value, shape (-1, width)
 * @param weights shape (width, outputs), row-major
 * @param bias shape (outputs)
 * @returns a float32 value, shape (-1, outputs)
 */
export function writeLinear(graph: OnnxGraph, features: string, weights: Float32Array, bias: Float32Array): string {
  const width = weights.length / bias.length;
  const matrix = graph.constant('weights', { dataType: 'float32', shape: [width, bias.length], data: weights });
  const vector = graph.constant('bias', { dataType: 'float32', shape: [bias.length], data: bias });
  return graph.node('Gemm', [features, matrix, vector]);
}

/** Names a regressor's output: `value` (float32, shape (-1)). @param column a float32 value, shape (-1, 1) */
export function writeRegressorOutput(graph: OnnxGraph, column: string): void {
  const shape = graph.constant('shape', { dataType: 'int64', shape: [1], data: BigInt64Array.of(-1n) });
  graph.output('value', graph.node('Reshape', [column, shape]), 'float32', [-1]);
}
