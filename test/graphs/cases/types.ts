/** Every element type of ONNX: between nodes, as a weight, as an input, as an output. */
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { ELEMENT_TYPES } from '#parley/onnx/proto.js';
import { tensorType } from '../../unit/onnx/wire.js';
import { type ElementType, file, mapOf, node, sequenceOf, sparseOf, stored, tensorOf } from '../onnx.js';
import { someValues } from '../world.js';
import { type Cases, floats, type GraphCase, UNSUPPORTED } from './case.js';

/** The newest format and operator set: they have all the types. */
const NEWEST = { irVersion: 13, opsets: { '': 26 } };

export const TYPES = Object.keys(ELEMENT_TYPES) as ElementType[];
const SERVED = Object.keys(DATA_TYPES) as DataType[];
export const isServed = (type: ElementType): type is DataType => SERVED.includes(type as DataType);

const BITS: Partial<Record<ElementType, number>> = {
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  uint2: 2,
  int2: 2,
  float6e2m3: 6,
  float6e3m2: 6,
};

/** Four values: zeros and a one of the lowest bit, whatever that is. */
function four(name: string, type: ElementType): Uint8Array {
  if (type === 'string') return stored(name, type, [4], ['1', '2', '3', '0']);
  const bits = isServed(type) ? DATA_TYPES[type].bytes * 8 : (BITS[type] ?? 8);
  const raw = new Uint8Array((bits * 4) / 8);
  raw[0] = 1;
  return stored(name, type, [4], raw);
}

const x = floats([3], 1, 0, 3);
const open = (type: ElementType) => tensorOf(type, ['n']);

/** There and back. Parley and the runtime refuse it alike, where the runtime has no such cast. */
const between = (type: ElementType): GraphCase => ({
  graph: file({
    ...NEWEST,
    nodes: [node('Cast', ['x'], ['h'], { to: ELEMENT_TYPES[type] }), node('Cast', ['h'], ['y'], { to: 1 })],
    inputs: [['x', open('float32')]],
    outputs: [['y', open('float32')]],
  }),
  asked: [{ x }],
});

const asWeight = (type: ElementType): GraphCase => ({
  graph: file({
    ...NEWEST,
    nodes: [node('Cast', ['c'], ['h'], { to: 1 }), node('Add', ['x', 'h'], ['y'])],
    constants: [four('c', type)],
    inputs: [['x', tensorOf('float32', ['n', 4])]],
    outputs: [['y', tensorOf('float32', ['n', 4])]],
  }),
  asked: [{ x: floats([2, 4], 1, 2, 3, 4, 5, 6, 7, 8) }],
});

const asInput = (type: ElementType): GraphCase => ({
  graph: file({
    ...NEWEST,
    nodes: [node('Shape', ['x'], ['y'])],
    inputs: [['x', open(type)]],
    outputs: [['y', tensorOf('int64', [1])]],
  }),
  ...(isServed(type)
    ? { asked: [{ x: someValues(type, [3]) }] }
    : { asked: [], refused: UNSUPPORTED(new RegExp(`input "x" has the element type ${type}`)) }),
});

const asOutput = (type: ElementType): GraphCase => ({
  graph: file({
    ...NEWEST,
    nodes: [node('Identity', ['c'], ['y'])],
    constants: [four('c', type)],
    outputs: [['y', tensorOf(type, [4])]],
  }),
  ...(isServed(type)
    ? { asked: [{}] }
    : { asked: [], refused: UNSUPPORTED(new RegExp(`output "y" has the element type ${type}`)) }),
});

export const typed = (type: ElementType): Cases => ({
  [`${type} between nodes`]: between(type),
  [`${type} as a weight`]: asWeight(type),
  [`${type} as an input`]: asInput(type),
  [`${type} as an output`]: asOutput(type),
});

const unserved = (what: string, type: Uint8Array): Cases => ({
  [`${what} as an input`]: {
    graph: file({ nodes: [node('Identity', ['x'], ['y'])], inputs: [['x', type]], outputs: [['y', type]] }),
    asked: [],
    refused: UNSUPPORTED(new RegExp(`input "x" is an? ${what}`)),
  },
  [`${what} as an output`]: {
    graph: file({ nodes: [node('Identity', ['x'], ['y'])], inputs: [['x', open('float32')]], outputs: [['y', type]] }),
    asked: [],
    refused: UNSUPPORTED(new RegExp(`output "y" is an? ${what}`)),
  },
});

export const CONTAINERS: Cases = {
  ...unserved('map', mapOf('int64', open('float32'))),
  ...unserved('sequence', sequenceOf(mapOf('string', tensorOf('float32', [])))),
  ...unserved('sparse tensor', sparseOf('float32', [3, 3])),
  'an element type that nobody knows': {
    graph: file({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [['x', open('float32')]],
      outputs: [['y', tensorType(99, [1])]],
    }),
    asked: [],
    refused: UNSUPPORTED(/output "y" has the element type number 99/),
  },
};
