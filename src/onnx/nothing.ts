/**
 * Operators that end the whole process, and not only their run, where a tensor holds nothing.
 *
 * Found by giving every operator of ai.onnx 22 and ai.onnx.ml 4 to onnxruntime 1.30 with extents of 0. These divide by
 * the extent, or release memory that they do not have; some with odd attributes only, which are not looked at. A process
 * is not to end for a caller's empty tensor.
 */
const ENDED = new Set([
  'DFT',
  'Einsum',
  'ai.onnx.ml.FeatureVectorizer',
  'GRU',
  'GatherND',
  'InstanceNormalization',
  'LSTM',
  'QuantizeLinear',
  'RoiAlign',
  'STFT',
  'Split',
  'TopK',
  'Unique',
]);

/** @param operators of a graph, as `GraphSummary` names them @returns those that must not be given nothing */
export const endedByNothing = (operators: readonly string[]): readonly string[] =>
  operators.filter((operator) => ENDED.has(operator));
