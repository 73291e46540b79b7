/** A logistic model of 30 numbers, what tabular services are usually compared by: its weights, its graph, its own answer. */

import { serialize } from '../dist/model-types/tabular-classifier/serializer.js';
import { GraphBuilder } from '../dist/onnx/graph.js';

export const NAME = 'logistic';
export const INPUT = 'features';
export const OUTPUT = 'probabilities';
export const FEATURES = 30;

const WEIGHTS = Float32Array.from({ length: FEATURES }, (_, i) => Math.sin(i + 1) / 4);
const BIAS = 0.125;

/** @returns the probability of the second class */
export function probability(row, bias = BIAS) {
  const sum = row.reduce((total, value, i) => total + value * WEIGHTS[i], bias);
  return 1 / (1 + Math.exp(-sum));
}

/** A matrix product and a softmax over (0, w·x + b), as an ONNX file. */
export function graph(bias = BIAS) {
  const builder = new GraphBuilder();
  const weights = new Float32Array(FEATURES * 2);
  for (let i = 0; i < FEATURES; i++) weights[i * 2 + 1] = WEIGHTS[i];
  const input = builder.input(INPUT, 'float32', [-1, FEATURES]);
  const matrix = builder.constant('weights', { dataType: 'float32', shape: [FEATURES, 2], data: weights });
  const biases = builder.constant('bias', { dataType: 'float32', shape: [2], data: Float32Array.of(0, bias) });
  const sums = builder.node('Gemm', [input, matrix, biases]);
  builder.output(OUTPUT, builder.node('Softmax', [sums], { axis: 1 }), 'float32', [-1, 2]);
  return builder.serialize();
}

/** The version's envelope. */
export function envelope(bias = BIAS) {
  return serialize({
    modelType: 'tabular-classifier',
    graph: graph(bias),
    signature: {
      inputs: [{ name: INPUT, dataType: 'float32', shape: [-1, FEATURES] }],
      outputs: [{ name: OUTPUT, dataType: 'float32', shape: [-1, 2] }],
    },
    metadata: { classes: ['no', 'yes'] },
  });
}
