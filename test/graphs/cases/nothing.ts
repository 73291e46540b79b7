/** Operators with which an empty tensor would end the process that runs them: the runtime is never asked for that here. */
import { file, node, stored, storedFloats, storedInts, tensorOf } from '../onnx.js';
import type { Tensors } from '../world.js';
import { type Cases, floats, type GraphCase, INVALID, ints } from './case.js';

/** What the operator is named in the refusal, whichever of the inputs is empty. */
function refusing(operator: string, graph: Uint8Array, good: Tensors, ...empty: readonly Tensors[]): GraphCase {
  const says = new RegExp(
    `inputs\\[\\d\\]\\.shape must have no extent of 0, which the runtime's ${operator} cannot take, got \\(`,
  );
  return { graph, asked: [good], refusedCalls: empty.map((inputs) => ({ inputs, ...INVALID(says) })) };
}

const ofRank = (rank: number) => tensorOf('float32', new Array(rank).fill(undefined));
const ones = (...shape: readonly number[]) =>
  floats(shape, ...new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1));

/** One input, one output that is looked at. */
const unary = (
  operator: string,
  rank: number,
  attributes = {},
  more: readonly string[] = [],
  constants: readonly Uint8Array[] = [],
  outputs = ['y'],
  outRank = rank,
) =>
  file({
    nodes: [node(operator, ['x', ...more], outputs, attributes)],
    constants,
    inputs: [['x', ofRank(rank)]],
    outputs: [['y', ofRank(outRank)]],
  });

function recurrent(operator: 'GRU' | 'LSTM', gates: number): GraphCase {
  const weights = ['w', 'r'].map((name) =>
    stored(name, 'float32', [1, gates, 1], new Uint8Array(new Float32Array(gates).fill(0.5).buffer)),
  );
  const graph = unary(operator, 3, { hidden_size: 1 }, ['w', 'r'], weights, ['', 'y'], 3);
  return refusing(operator, graph, { x: ones(2, 3, 1) }, { x: floats([2, 0, 1]) }, { x: floats([0, 2, 1]) });
}

export const NOTHING: Cases = {
  'TopK of no rows': refusing(
    'TopK',
    unary('TopK', 2, {}, ['k'], [storedInts('k', 1)], ['y', 'places']),
    { x: ones(2, 3) },
    { x: floats([0, 3]) },
  ),
  'Unique of empty rows': refusing('Unique', unary('Unique', 2, { axis: 0 }), { x: ones(3, 2) }, { x: floats([3, 0]) }),
  'an LSTM of no rows, or of no steps': recurrent('LSTM', 4),
  'a GRU of no rows, or of no steps': recurrent('GRU', 3),
  'Einsum over nothing': refusing(
    'Einsum',
    file({
      nodes: [node('Einsum', ['x', 'z'], ['y'], { equation: 'ij,kj->ik' })],
      inputs: [
        ['x', ofRank(2)],
        ['z', ofRank(2)],
      ],
      outputs: [['y', ofRank(2)]],
    }),
    { x: ones(2, 3), z: ones(1, 3) },
    { x: floats([2, 0]), z: floats([1, 0]) },
    { z: floats([1, 0]), x: ones(2, 1) },
  ),
  'InstanceNormalization of no height': refusing(
    'InstanceNormalization',
    unary('InstanceNormalization', 4, {}, ['one', 'one'], [storedFloats('one', 1)]),
    { x: ones(1, 1, 2, 2) },
    { x: floats([1, 1, 0, 4]) },
  ),
  'QuantizeLinear of empty rows': refusing(
    'QuantizeLinear',
    file({
      nodes: [node('QuantizeLinear', ['x', 'scale'], ['y'], { block_size: 1 })],
      inputs: [
        ['x', ofRank(2)],
        ['scale', ofRank(2)],
      ],
      outputs: [['y', tensorOf('uint8', [undefined, undefined])]],
    }),
    { x: ones(2, 2), scale: ones(2, 2) },
    { x: floats([2, 0]), scale: floats([2, 0]) },
  ),
  'DFT of no samples': refusing('DFT', unary('DFT', 3), { x: ones(1, 4, 1) }, { x: floats([1, 0, 1]) }),
  'STFT with no window': refusing(
    'STFT',
    file({
      nodes: [node('STFT', ['signal', 'step', 'window'], ['y'])],
      inputs: [
        ['signal', ofRank(3)],
        ['step', tensorOf('int64', [])],
        ['window', ofRank(1)],
      ],
      outputs: [['y', ofRank(4)]],
    }),
    { signal: ones(1, 8, 1), step: ints([], 2), window: ones(4) },
    { signal: ones(1, 8, 1), step: ints([], 2), window: floats([0]) },
  ),
  'RoiAlign of no image': refusing(
    'RoiAlign',
    file({
      nodes: [node('RoiAlign', ['x', 'regions', 'images'], ['y'])],
      inputs: [
        ['x', ofRank(4)],
        ['regions', tensorOf('float32', [undefined, 4])],
        ['images', tensorOf('int64', [undefined])],
      ],
      outputs: [['y', ofRank(4)]],
    }),
    { x: ones(1, 1, 2, 2), regions: floats([1, 4], 0, 0, 1, 1), images: ints([1], 0) },
    { x: floats([1, 1, 0, 0]), regions: floats([1, 4], 0, 0, 1, 1), images: ints([1], 0) },
  ),
};
