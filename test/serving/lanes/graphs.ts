/** Graphs that take long, never end, or end their process. */

import type { DataType, TensorData } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { ELEMENT_TYPES } from '#parley/onnx/proto.js';
import { type Feeds, feedsOf, runtimeTensor } from '#parley/onnx/session.js';
import { file, graph, node, stored, tensorOf } from '../../graphs/onnx.js';
import { graphOf, type Made } from '../models.js';

const FLOAT32 = ELEMENT_TYPES.float32;

/** `value` is the sum of the fields, for which matrices are multiplied: tens of milliseconds, in a graph of some hundred bytes. */
export function laborious(fields: readonly string[] = ['x'], size = 512, times = 6): Made {
  return graphOf(
    Object.fromEntries(fields.map((name) => [name, 'float64' as const])),
    (built) => {
      const shape = built.constant('shape', {
        dataType: 'int64',
        shape: [2],
        data: BigInt64Array.of(BigInt(size), BigInt(size)),
      });
      const scalar = (name: string, value: number) =>
        built.constant(name, { dataType: 'float64', shape: [1], data: Float64Array.of(value) });
      const sum = built.node('Sum', fields),
        scale = scalar('scale', 1 / size);
      const scaled = built.node('Mul', [built.node('ReduceMax', [sum], { keepdims: 0 }), scale]);
      let matrix = built.node('Expand', [scaled, shape]);
      for (let i = 0; i < times; i++) matrix = built.node('MatMul', [matrix, matrix]);
      const nothing = built.node('Mul', [built.node('ReduceMax', [matrix], { keepdims: 0 }), scalar('zero', 0)]);
      const value = built.node('Add', [sum, nothing]);
      built.output('value', built.node('Cast', [value], { to: FLOAT32 }), 'float32', [-1, 1]);
    },
    [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
  );
}

const rows = (type: 'float32' | 'float64' | 'int32') => tensorOf(type, ['rows', 1]);

/** `value` is x, at once where no x is positive, and never otherwise. */
export const endlessFor: Made = {
  graph: file({
    nodes: [
      node('ReduceMax', ['x'], ['most'], { keepdims: 0 }),
      node('Greater', ['most', 'zero'], ['go']),
      node('Loop', ['', 'go', 'x'], ['same'], {
        body: {
          graph: graph({
            nodes: [node('Identity', ['on'], ['further']), node('Identity', ['before'], ['after'])],
            inputs: [
              ['turn', tensorOf('int64', [])],
              ['on', tensorOf('bool', [])],
              ['before', rows('float64')],
            ],
            outputs: [
              ['further', tensorOf('bool', [])],
              ['after', rows('float64')],
            ],
          }),
        },
      }),
      node('Cast', ['same'], ['value'], { to: FLOAT32 }),
    ],
    constants: [stored('zero', 'float64', [], new Uint8Array(8))],
    inputs: [['x', rows('float64')]],
    outputs: [['value', rows('float32')]],
  }),
  inputs: [{ name: 'x', dataType: 'float64', shape: [-1, 1] }],
  outputs: [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
};

/** `value` is a / (b + more) in a branch, where the lowest int32 by -1 ends the process. */
export const dividing = (more: number): Made => ({
  graph: file({
    nodes: [
      node('Add', ['b', 'one'], ['divisor']),
      node('If', ['yes'], ['quotient'], {
        then_branch: {
          graph: graph({ nodes: [node('Div', ['a', 'divisor'], ['q'])], outputs: [['q', rows('int32')]] }),
        },
        else_branch: { graph: graph({ nodes: [node('Neg', ['a'], ['q'])], outputs: [['q', rows('int32')]] }) },
      }),
      node('Cast', ['quotient'], ['value'], { to: FLOAT32 }),
    ],
    constants: [
      stored('one', 'int32', [1], new Uint8Array(Int32Array.of(more).buffer)),
      stored('yes', 'bool', [], Uint8Array.of(1)),
    ],
    inputs: [
      ['a', rows('int32')],
      ['b', rows('int32')],
    ],
    outputs: [['value', rows('float32')]],
  }),
  inputs: ['a', 'b'].map((name) => ({ name, dataType: 'int32', shape: [-1, 1] })),
  outputs: [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
});

export const deadly = dividing(1);

/** Every element type, of any shape, as it is. */
export const EVERY_TYPE: readonly DataType[] = [
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'float16',
  'string',
];
export const everyType = file({
  nodes: EVERY_TYPE.map((type) => node('Identity', [type], [`same ${type}`])),
  inputs: EVERY_TYPE.map((type) => [type, tensorOf(type)]),
  outputs: EVERY_TYPE.map((type) => [`same ${type}`, tensorOf(type)]),
});

/** A Gather from a table: light, in a file of so many bytes. */
export function wide(bytes: number): Uint8Array {
  const built = new GraphBuilder();
  built.input('at', 'int64', [-1, 1]);
  const table = built.constant('table', { dataType: 'float32', shape: [bytes / 4], data: new Float32Array(bytes / 4) });
  built.output('value', built.node('Gather', [table, 'at']), 'float32', [-1, 1]);
  return built.serialize();
}

export const feeds = (values: Readonly<Record<string, readonly [DataType, TensorData, readonly number[]]>>): Feeds =>
  feedsOf(
    Object.entries(values).map(([name, [type, data, shape]]) => [name, runtimeTensor(type, data, shape)] as const),
  );

export const x = (value: number): Feeds => feeds({ x: ['float64', Float64Array.of(value), [1, 1]] });
export const ab = (a: number, b: number): Feeds =>
  feeds({ a: ['int32', Int32Array.of(a), [1, 1]], b: ['int32', Int32Array.of(b), [1, 1]] });
