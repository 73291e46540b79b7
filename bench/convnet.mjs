/** A convolutional net as an image classifier has: one row is 3 x 224 x 224 float32, 602,112 bytes. */
import { GraphBuilder } from '../dist/onnx/graph.js';

export const IMAGE = [3, 224, 224];
const CLASSES = 1000;

/** @param blocks of 64 channels on 56 x 56; each costs about 231 million multiplications, two each @returns the graph's bytes */
export function convnet(blocks) {
  const graph = new GraphBuilder();
  let seed = 1;
  const weights = (name, ...shape) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      data[i] = (seed / 2 ** 32 - 0.5) * 0.1;
    }
    return graph.constant(name, { dataType: 'float32', shape, data });
  };
  graph.input('image', 'float32', [-1, ...IMAGE]);
  let at = graph.node('Conv', ['image', weights('w', 64, 3, 7, 7)], {
    strides: { ints: [4, 4] },
    pads: { ints: [3, 3, 3, 3] },
  });
  for (let i = 0; i < blocks; i++) {
    at = graph.node('Relu', [at]);
    at = graph.node('Conv', [at, weights(`w${i}`, 64, 64, 3, 3)], { pads: { ints: [1, 1, 1, 1] } });
  }
  at = graph.node('Flatten', [graph.node('GlobalAveragePool', [at])]);
  graph.output('scores', graph.node('MatMul', [at, weights('head', 64, CLASSES)]), 'float32', [-1, CLASSES]);
  return graph.serialize();
}

/** @returns the graph's bytes: 30 float64 inputs, summed with weights; a few microseconds a row */
export function light() {
  const graph = new GraphBuilder();
  const names = Array.from({ length: 30 }, (_, i) => `x${i}`);
  for (const name of names) graph.input(name, 'float64', [-1, 1]);
  const row = graph.node('Concat', names, { axis: 1 });
  const data = Float64Array.from(names, (_, i) => i / 100 - 0.15);
  const sum = graph.node('MatMul', [row, graph.constant('w', { dataType: 'float64', shape: [30, 1], data })]);
  graph.output('p', graph.node('Sigmoid', [sum]), 'float64', [-1, 1]);
  return graph.serialize();
}
