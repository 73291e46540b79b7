/** Networks with weights of a seed, at the sizes that the measurements need; written by Parley's own graph writer. */
import { chanceOf } from '../dist/load/made-up.js';
import { GraphBuilder } from '../dist/onnx/graph.js';

/** Weights that keep the size of what passes through (He 2015). */
function weightsOf(chance, shape, fanIn) {
  const width = Math.sqrt(6 / fanIn);
  const length = shape.reduce((product, extent) => product * extent, 1);
  return { dataType: 'float32', shape, data: Float32Array.from({ length }, () => (2 * chance() - 1) * width) };
}

/**
 * A residual network (He et al. 2015) of 18 layers, its normalization folded into the weights: 3 × 224 × 224 float32, which
 * are 602,112 bytes, to 1,000 logits. About 35 ms on one core.
 */
export function convnet() {
  const graph = new GraphBuilder(),
    chance = chanceOf(18);
  const conv = (x, from, to, size, stride) =>
    graph.node('Conv', [x, graph.constant('w', weightsOf(chance, [to, from, size, size], from * size * size))], {
      kernel_shape: { ints: [size, size] },
      strides: { ints: [stride, stride] },
      pads: { ints: Array(4).fill((size - 1) >> 1) },
    });
  const relu = (x) => graph.node('Relu', [x]);
  const half = graph.constant('half', { dataType: 'float32', shape: [1], data: Float32Array.of(0.5) });
  const block = (x, from, to, stride) => {
    const inner = conv(relu(conv(x, from, to, 3, stride)), to, to, 3, 1);
    const beside = from === to ? x : conv(x, from, to, 1, stride);
    return relu(graph.node('Mul', [graph.node('Add', [inner, beside]), half]));
  };
  let x = relu(conv(graph.input('image', 'float32', [-1, 3, 224, 224]), 3, 64, 7, 2));
  x = graph.node('MaxPool', [x], {
    kernel_shape: { ints: [3, 3] },
    strides: { ints: [2, 2] },
    pads: { ints: [1, 1, 1, 1] },
  });
  let width = 64;
  for (const [to, stride] of [
    [64, 1],
    [128, 2],
    [256, 2],
    [512, 2],
  ]) {
    x = block(block(x, width, to, stride), to, to, 1);
    width = to;
  }
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [x])]);
  const last = graph.constant('last', weightsOf(chance, [512, 1000], 512));
  graph.output('logits', graph.node('MatMul', [pooled, last]), 'float32', [-1, 1000]);
  return graph.serialize();
}

/** 30 numbers through two layers of 1,024: heavy enough that one generator can ask for twice what a core bears. */
export function dense() {
  const graph = new GraphBuilder(),
    chance = chanceOf(3);
  let x = graph.input('features', 'float32', [-1, 30]),
    from = 30;
  for (const to of [1024, 1024, 2]) {
    x = graph.node('MatMul', [x, graph.constant('w', weightsOf(chance, [from, to], from))]);
    if (to > 2) x = graph.node('Relu', [x]);
    from = to;
  }
  graph.output('scores', x, 'float32', [-1, 2]);
  return graph.serialize();
}
