/** Values with odd names, names that are there twice, and what a file may say besides. */
import { message } from '../../unit/onnx/wire.js';
import { file, node, storedFloats, storedInts, tensorOf } from '../onnx.js';
import { BROKEN, type Cases, floats, type GraphCase, INVALID, UNSUPPORTED } from './case.js';

const NAMES: Readonly<Record<string, string>> = {
  'slashes and colons': 'serving/default:0',
  'letters of everywhere': 'größe 重さ 🐧',
  'a space': ' ',
  'line breaks': 'a\r\nb',
  quotes: '"\'`\\',
  'a number': '0',
  'the name of a prototype': '__proto__',
  'the name of a constructor': 'constructor',
  'the name of a method': 'toString',
  'ten thousand letters': 'x'.repeat(10_000),
};

const two = floats([2, 2], 1, -2, 3, -4);

/** Two inputs, two outputs, so that the names matter; `width` undefined: open, so that rows are not batched. */
function named(name: string, width: number | undefined): GraphCase {
  const type = tensorOf('float32', ['n', width]);
  return {
    graph: file({
      nodes: [node('Sub', [name, 'other'], ['difference']), node('Neg', ['difference'], [`${name}!`])],
      inputs: [
        [name, type],
        ['other', type],
      ],
      outputs: [
        ['difference', type],
        [`${name}!`, type],
      ],
    }),
    asked: [{ other: floats([2, 2], 5, 6, 7, 8), [name]: two }],
    refusedCalls: [{ inputs: { other: two }, ...INVALID(/is missing/) }],
  };
}

/** An output of that name, made of an input of another. */
function namedOutput(name: string): GraphCase {
  const type = tensorOf('float32', ['n', undefined]);
  return {
    graph: file({
      nodes: [node('Neg', ['x'], [name]), node('Abs', ['x'], ['size'])],
      inputs: [['x', type]],
      outputs: [
        [name, type],
        ['size', type],
      ],
    }),
    asked: [{ x: two }],
  };
}

const rows = tensorOf('float32', ['n', 2]);
const relu = { nodes: [node('Relu', ['x'], ['y'])], inputs: [['x', rows]], outputs: [['y', rows]] } as const;

export const NAMED: Cases = {
  ...Object.fromEntries(
    Object.entries(NAMES).flatMap(([what, name]) => [
      [`names with ${what}, batched`, named(name, 2)],
      [`names with ${what}, one by one`, named(name, undefined)],
      // The runtime's own binding for JavaScript loses an output of that name.
      ...(name === '__proto__' ? [] : [[`an output with ${what}`, namedOutput(name)] as const]),
    ]),
  ),
};

export const NAMES_AND_FIELDS: Cases = {
  'a name with a NUL inside': {
    graph: named('a\0b', 2).graph,
    asked: [],
    refused: UNSUPPORTED(/input "a\0b" has a NUL in its name/),
  },
  'an input without a name': {
    graph: file({ nodes: [node('Relu', [''], ['y'])], inputs: [['', rows]], outputs: [['y', rows]] }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*empty string/),
  },
  'an output without a name': {
    graph: file({
      ...relu,
      outputs: [
        ['y', rows],
        ['', rows],
      ],
    }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*output \(\) does not exist/),
  },
  'two inputs of one name': {
    graph: file({
      ...relu,
      inputs: [
        ['x', rows],
        ['x', rows],
      ],
    }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*Duplicate definition-site for \(x\)/),
  },
  'two outputs of one name': {
    graph: file({
      ...relu,
      outputs: [
        ['y', rows],
        ['y', rows],
      ],
    }),
    asked: [{ x: two }],
  },
  'two nodes that make one value': {
    graph: file({ ...relu, nodes: [node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'])] }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*y/),
  },
  'two constants of one name': {
    graph: file({
      nodes: [node('Add', ['x', 'c'], ['y'])],
      constants: [storedFloats('c', 1), storedFloats('c', 2)],
      inputs: [['x', rows]],
      outputs: [['y', rows]],
    }),
    asked: [{ x: two }],
  },
  'an output that is an input': { graph: file({ ...relu, nodes: [], outputs: [['x', rows]] }), asked: [{ x: two }] },
  'an output that is a constant': {
    graph: file({
      ...relu,
      constants: [storedFloats('c', 1, 2)],
      outputs: [
        ['y', rows],
        ['c', tensorOf('float32', [2])],
      ],
    }),
    asked: [{ x: two }],
  },
  'nodes in any order': {
    graph: file({ ...relu, nodes: [node('Neg', ['h'], ['y']), node('Relu', ['x'], ['h'])] }),
    asked: [{ x: two }],
  },
  'a circle of nodes': {
    graph: file({ ...relu, nodes: [node('Neg', ['h'], ['y']), node('Add', ['x', 'y'], ['h'])] }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph/),
  },
  'training information, and fields that nobody knows': {
    graph: file({
      ...relu,
      around: [
        [4, 'a producer'],
        [6, 'doc'],
        [14, message([1, 'a key'], [2, 'größe 🐧'])],
        [14, message([1, '__proto__'], [2, '{"x":1}'])],
        [20, message([1, message([2, 'initialization'])], [2, message([2, 'algorithm'])])],
        [99, 'unknown'],
        [1000, 7],
      ],
      more: [
        [10, 'doc'],
        [14, message([1, 'y'])],
        [16, message([1, 'k'], [2, 'v'])],
        [77, 'unknown'],
      ],
    }),
    asked: [{ x: two }],
  },
  'the format and operators of old, with weights among the inputs': {
    graph: file({
      irVersion: 3,
      opsets: { '': 7 },
      nodes: [node('Add', ['x', 'w'], ['y'])],
      constants: [storedFloats('w', 1, 2)],
      inputs: [
        ['x', rows],
        ['w', tensorOf('float32', [2])],
      ],
      outputs: [['y', rows]],
    }),
    asked: [{ x: two }],
    refusedCalls: [
      { inputs: { x: two, w: floats([2], 5, 6) }, ...INVALID(/inputs\[1\]\.name must be one of x, got w/) },
    ],
  },
  'a sparse weight': {
    graph: file({
      ...relu,
      nodes: [node('Add', ['x', 'w'], ['y'])],
      more: [[15, message([1, storedFloats('w', 7)], [2, storedInts('', 1)], [3, 2])]],
    }),
    asked: [{ x: two }],
  },
  'an operator that its operator set has not': {
    graph: file({ ...relu, opsets: { '': 17 }, nodes: [node('Gelu', ['x'], ['y'])] }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*Gelu/),
  },
  'types that do not go together': {
    graph: file({ ...relu, nodes: [node('Add', ['x', 'w'], ['y'])], constants: [storedInts('w', 1)] }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*Type Error/),
  },
  'weights in other files': {
    graph: file({
      ...relu,
      nodes: [node('Add', ['x', 'w'], ['y'])],
      constants: [message([1, 2], [2, 1], [8, 'w'], [13, message([1, 'location'], [2, '/etc/passwd'])], [14, 1])],
    }),
    asked: [],
    refused: UNSUPPORTED(/weights in other files/),
  },
};
