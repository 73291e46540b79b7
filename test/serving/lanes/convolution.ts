/** A convolution of one image of 602,112 bytes, which answers as many. */
import { GraphBuilder } from '#parley/onnx/graph.js';
import { type Feeds, feedsOf, runtimeTensor } from '#parley/onnx/session.js';

const SHAPE = [3, 224, 224];

export function convolution(): { readonly graph: Uint8Array; readonly image: Feeds } {
  const graph = new GraphBuilder();
  graph.input('image', 'float32', [-1, ...SHAPE]);
  const data = Float32Array.from({ length: 3 * 3 * 7 * 7 }, (_, i) => Math.sin(i));
  const weights = graph.constant('w', { dataType: 'float32', shape: [3, 3, 7, 7], data });
  let at = 'image';
  for (let i = 0; i < 3; i++) at = graph.node('Conv', [at, weights], { pads: { ints: [3, 3, 3, 3] } });
  graph.output('scores', at, 'float32', [-1, ...SHAPE]);
  const values = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.cos(i));
  return { graph: graph.serialize(), image: feedsOf([['image', runtimeTensor('float32', values, [1, ...SHAPE])]]) };
}
