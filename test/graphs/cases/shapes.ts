/** Scalars, nothing at all, extents that must agree or come out of values, strings, and many of everything. */
import { file, node, stored, storedFloats, storedInt, storedInts, tensorOf } from '../onnx.js';
import { type Cases, floats, INVALID, ints, texts, UNSUPPORTED } from './case.js';

const rows = tensorOf('float32', ['n', 2]);
const open = tensorOf('float32', ['n', 'm']);
const strings = tensorOf('string', ['n']);
const ML = { '': 21, 'ai.onnx.ml': 4 };

const sum = file({
  nodes: [node('Add', ['a', 'b'], ['y'])],
  inputs: [
    ['a', tensorOf('float32', ['n'])],
    ['b', tensorOf('float32', ['n'])],
  ],
  outputs: [['y', tensorOf('float32', ['n'])]],
});

/** One relu after the other; each adds one too. */
function chain(length: number): Uint8Array {
  const nodes = Array.from({ length }, (_, i) =>
    node(i % 2 === 0 ? 'Add' : 'Relu', i % 2 === 0 ? [`h${i}`, 'c'] : [`h${i}`], [
      i === length - 1 ? 'y' : `h${i + 1}`,
    ]),
  );
  return file({ nodes, constants: [storedFloats('c', 1)], inputs: [['h0', rows]], outputs: [['y', rows]] });
}

/** As many inputs and outputs, each output being twice its input. */
function wide(width: number): Uint8Array {
  const indices = Array.from({ length: width }, (_, i) => i),
    type = tensorOf('float32', [undefined]);
  return file({
    nodes: indices.map((i) => node('Add', [`x${i}`, `x${i}`], [`y${i}`])),
    inputs: indices.map((i) => [`x${i}`, type] as const),
    outputs: indices.map((i) => [`y${i}`, type] as const),
  });
}
const wideInputs = (width: number) =>
  Object.fromEntries(Array.from({ length: width }, (_, i) => [`x${i}`, floats([1], i)]));

const ofRank = (rank: number): Uint8Array => {
  const type = tensorOf('float32', new Array(rank).fill(undefined));
  return file({ nodes: [node('Neg', ['x'], ['y'])], inputs: [['x', type]], outputs: [['y', type]] });
};

const odd = ['', ' ', 'größe', '重さ 🐧', 'a\0b', 'x'.repeat(100_000)];

/** Where the runtime would end the process. */
const NOTHING = /inputs\[0\]\.shape must have no extent of 0, which the runtime's (\w+) cannot take, got \(/;

export const SHAPES: Cases = {
  'extents of one symbol': {
    graph: sum,
    asked: [{ a: floats([2], 1, 2), b: floats([2], 3, 4) }],
    refusedCalls: [{ inputs: { a: floats([2], 1, 2), b: floats([3], 1, 2, 3) }, ...INVALID(/rows|Add/) }],
  },
  'one symbol twice in an input': {
    graph: file({
      nodes: [node('Det', ['x'], ['y'])],
      inputs: [['x', tensorOf('float32', ['n', 'n'])]],
      outputs: [['y', tensorOf('float32', [])]],
    }),
    asked: [{ x: floats([2, 2], 1, 2, 3, 4) }, { x: floats([1, 1], 5) }],
    refusedCalls: [{ inputs: { x: floats([2, 1], 1, 2) }, ...INVALID(/the inputs cannot be computed with/) }],
  },
  'a scalar from rows': {
    graph: file({
      nodes: [node('ReduceSum', ['x'], ['y'], { keepdims: 0 })],
      inputs: [['x', rows]],
      outputs: [['y', tensorOf('float32', [])]],
    }),
    asked: [{ x: floats([2, 2], 1, 2, 3, 4) }, { x: floats([0, 2]) }],
  },
  'no rows, batched': {
    graph: file({ nodes: [node('Neg', ['x'], ['y'])], inputs: [['x', rows]], outputs: [['y', rows]] }),
    asked: [{ x: floats([1, 2], 1, 2) }],
    refusedCalls: [{ inputs: { x: floats([0, 2]) }, ...INVALID(/must be \(rows, 2\) with at least one row/) }],
  },
  'an extent that is fixed at nothing': {
    graph: file({
      nodes: [node('Concat', ['x', 'x'], ['y'], { axis: 0 })],
      inputs: [['x', tensorOf('float32', [0, 3])]],
      outputs: [['y', tensorOf('float32', [0, 3])]],
    }),
    asked: [{ x: floats([0, 3]) }],
    refusedCalls: [
      { inputs: { x: floats([1, 3], 1, 2, 3) }, ...INVALID(/inputs\[0\]\.shape must be \(0, 3\), got \(1, 3\)/) },
    ],
  },
  'rows of nothing': {
    graph: file({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [['x', tensorOf('float32', ['n', 0])]],
      outputs: [['y', tensorOf('float32', ['n', 0])]],
    }),
    asked: [{ x: floats([3, 0]) }, { x: floats([1, 0]) }],
  },
  'none found': {
    graph: file({
      nodes: [node('NonZero', ['x'], ['y'])],
      inputs: [['x', open]],
      outputs: [['y', tensorOf('int64', [2, 'found'])]],
    }),
    asked: [{ x: floats([2, 2], 0, 0, 0, 0) }, { x: floats([0, 5]) }, { x: floats([2, 2], 0, 1, 1, 0) }],
  },
  'a shape that is an input': {
    graph: file({
      nodes: [node('ConstantOfShape', ['shape'], ['y'])],
      inputs: [['shape', tensorOf('int64', [2])]],
      outputs: [['y', open]],
    }),
    asked: [{ shape: ints([2], 2, 3) }, { shape: ints([2], 0, 3) }],
    refusedCalls: [{ inputs: { shape: ints([2], 2, -3) }, ...INVALID(/the inputs cannot be computed with/) }],
  },
  'a reshape to what a call says': {
    graph: file({
      nodes: [node('Reshape', ['x', 'shape'], ['y'])],
      inputs: [
        ['x', tensorOf('float32', ['n'])],
        ['shape', tensorOf('int64', [2])],
      ],
      outputs: [['y', open]],
    }),
    asked: [{ x: floats([4], 1, 2, 3, 4), shape: ints([2], 2, -1) }],
    refusedCalls: [
      {
        inputs: { x: floats([4], 1, 2, 3, 4), shape: ints([2], 3, -1) },
        ...INVALID(/cannot be computed with: .*Reshape/),
      },
    ],
  },
  'inputs of nodes that are left out': {
    graph: file({
      nodes: [node('Clip', ['x', '', 'most'], ['y'])],
      inputs: [
        ['x', rows],
        ['most', tensorOf('float32', [])],
      ],
      outputs: [['y', rows]],
    }),
    asked: [{ x: floats([1, 2], -3, 8), most: floats([], 5) }],
  },
  'outputs of nodes that are left out': {
    graph: file({
      nodes: [node('LSTM', ['x', 'w', 'r'], ['', 'state'], { hidden_size: 1 })],
      constants: ['w', 'r'].map((name) =>
        stored(name, 'float32', [1, 4, 1], new Uint8Array(Float32Array.of(1, -1, 2, 0.5).buffer)),
      ),
      inputs: [['x', tensorOf('float32', ['length', 'n', 1])]],
      outputs: [['state', tensorOf('float32', [1, 'n', 1])]],
    }),
    asked: [{ x: floats([2, 2, 1], 1, 2, 4, 3) }],
  },
  'an output that is declared otherwise': {
    graph: file({
      nodes: [node('Transpose', ['x'], ['y'])],
      inputs: [['x', open]],
      outputs: [['y', tensorOf('float32', [7, 7])]],
    }),
    asked: [{ x: floats([1, 2], 1, 2) }],
  },
  'a rank of nine': { graph: ofRank(9), asked: [{ x: floats([1, 1, 2, 1, 1, 1, 1, 1, 1], 1, 2) }] },
  'a rank of seventeen': {
    graph: ofRank(17),
    asked: [],
    refused: UNSUPPORTED(/input "x" has 17 extents; a call can give 16/),
  },
  'a thousand nodes': { graph: chain(1000), asked: [{ h0: floats([2, 2], 1, -2, 3, -4) }] },
  'three hundred inputs and outputs': { graph: wide(300), asked: [wideInputs(300)] },
  'more inputs than a call may have': {
    graph: wide(1025),
    asked: [],
    refusedCalls: [{ inputs: wideInputs(1025), ...INVALID(/1025 of them in one call; send at most 1024/) }],
  },
  'strings as they are': {
    graph: file({ nodes: [node('Identity', ['x'], ['y'])], inputs: [['x', strings]], outputs: [['y', strings]] }),
    asked: [{ x: texts([odd.length], ...odd) }, { x: texts([1], '') }],
  },
  'strings joined, one by one': {
    graph: file({
      nodes: [node('StringConcat', ['x', 'end'], ['y'])],
      constants: [stored('end', 'string', [1], ['…größe'])],
      inputs: [['x', tensorOf('string', ['n', 'm'])]],
      outputs: [['y', tensorOf('string', ['n', 'm'])]],
    }),
    asked: [{ x: texts([2, 3], ...odd) }, { x: texts([0, 3]) }],
  },
  'strings split to what there is': {
    graph: file({
      nodes: [node('StringSplit', ['x'], ['y', 'parts'], { delimiter: '-' })],
      inputs: [['x', strings]],
      outputs: [
        ['y', tensorOf('string', ['n', 'most'])],
        ['parts', tensorOf('int64', ['n'])],
      ],
    }),
    asked: [{ x: texts([3], 'a-b-c', '', 'größe') }, { x: texts([1], '-') }],
  },
  'strings looked up': {
    graph: file({
      opsets: ML,
      nodes: [
        node(
          'LabelEncoder',
          ['x'],
          ['y'],
          { keys_strings: { strings: ['größe', ''] }, values_int64s: { ints: [5, 6] } },
          'ai.onnx.ml',
        ),
      ],
      inputs: [['x', strings]],
      outputs: [['y', tensorOf('int64', ['n'])]],
    }),
    asked: [{ x: texts([3], '', 'größe', 'x') }],
  },
  'a string that is a scalar': {
    graph: file({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [['x', tensorOf('string', [])]],
      outputs: [['y', tensorOf('string', [])]],
    }),
    asked: [{ x: texts([], '') }, { x: texts([], 'größe 🐧') }],
  },
  'several outputs, of several types and ranks': {
    graph: file({
      nodes: [
        node('TopK', ['x', 'k'], ['most', 'places']),
        node('Shape', ['x'], ['shape']),
        node('Size', ['x'], ['size']),
        node('Cast', ['x'], ['text'], { to: 8 }),
        node('Gather', ['shape', 'first'], ['rows']),
      ],
      constants: [storedInts('k', 1), storedInt('first', 0)],
      inputs: [['x', open]],
      outputs: [
        ['most', tensorOf('float32', ['n', 1])],
        ['places', tensorOf('int64', ['n', 1])],
        ['shape', tensorOf('int64', [2])],
        ['size', tensorOf('int64', [])],
        ['text', tensorOf('string', ['n', 'm'])],
        ['rows', tensorOf('int64', [])],
      ],
    }),
    asked: [{ x: floats([2, 2], 1, 2, 4, 3) }],
    refusedCalls: [{ inputs: { x: floats([0, 1]) }, ...INVALID(NOTHING) }],
  },
};
