/** Tensors of every wrong shape and type for a model that takes any shape, and what models without a contract take as it is. */
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { LIST, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { callOf, type HostileCase, i64, list, struct, type TensorParts, tensor, text } from './hostile-cases.js';
import { SHAPED, TENSOR_TYPES, TENSORS } from './served.js';
import type { ProtocolName, Value } from './wire-values.js';

const CHANGED = 'int32_in';
const NOT_UTF8 = Buffer.from('c328', 'hex');

function usual(type: DataType): TensorParts {
  const { number, bytes } = DATA_TYPES[type];
  const values = type === 'string' ? { strings: ['a', 'b'] } : { data: Buffer.alloc(2 * bytes) };
  return { name: `${type}_in`, dataType: number, shape: [1, 2], ...values };
}

const inputs = (name: string, change: TensorParts): Value[] =>
  TENSOR_TYPES.map((type) => tensor(`${type}_in` === name ? { ...usual(type), ...change } : usual(type)));

/** What is changed in one tensor; `batched` where another model refuses what this one takes. */
type Change = readonly [what: string, change: TensorParts, outcome: string, batched?: string, name?: string];

const BAD = 'INVALID_INPUT';
const bytes = (count: number) => Buffer.alloc(count);
const float32 = (value: number) => {
  const data = Buffer.alloc(8);
  data.writeFloatLE(value, 4);
  return data;
};

const CHANGES: readonly Change[] = [
  ['nothing', {}, 'answer'],
  ['another shape than the others', { shape: [3, 4], data: bytes(48) }, 'answer', BAD],
  ['no rows', { shape: [0, 2], data: bytes(0) }, 'answer', BAD],
  ['fewer bytes', { data: bytes(7) }, BAD],
  ['more bytes', { data: bytes(9) }, BAD],
  ['no bytes', { data: bytes(0) }, BAD],
  ['no data', { data: undefined as never, strings: [] }, BAD],
  ['a negative extent', { shape: [-1, 2] }, BAD],
  ['two negative extents whose product fits', { shape: [-1, -2] }, BAD],
  ['the least extent', { shape: [-(2 ** 62), 2] }, BAD],
  ['2^53 rows', { shape: [2 ** 53, 2] }, BAD],
  ['2^62 rows', { shape: [2 ** 62, 2] }, BAD],
  ['a product past 2^53', { shape: [2 ** 40, 2 ** 40] }, BAD],
  ['a product past 2^64 that wraps around to two', { shape: [2 ** 62, 4] }, BAD],
  ['a product past 2^53 times zero', { shape: [2 ** 60, 0], data: bytes(0) }, BAD],
  ['rank 0', { shape: [], data: bytes(4) }, BAD],
  ['rank 1', { shape: [2] }, BAD],
  ['rank 3', { shape: [1, 1, 2] }, BAD],
  ['a million dimensions', { shape: new Array(1_000_000).fill(1) }, BAD],
  ...[0, 14, 99, -1, 2 ** 31 - 1].map((dataType): Change => [`type ${dataType}`, { dataType }, BAD]),
  ...TENSOR_TYPES.filter((type) => type !== 'int32').map(
    (type): Change => [`type ${type}`, { dataType: DATA_TYPES[type].number }, BAD],
  ),
  ['strings where numbers are', { ...usual('string'), name: CHANGED }, BAD],
  ['NaN', { data: float32(Number.NaN) }, 'answer', 'answer', 'float32_in'],
  ['infinity', { data: float32(-Infinity) }, 'answer', 'answer', 'float32_in'],
  ['a bool of 2', { data: Buffer.of(1, 2) }, BAD, BAD, 'bool_in'],
  ['fewer strings', { strings: ['a'] }, BAD, BAD, 'string_in'],
  ['more strings', { strings: ['a', 'b', 'c'] }, BAD, BAD, 'string_in'],
  ['strings that are not UTF-8', { strings: ['a', NOT_UTF8] }, BAD, BAD, 'string_in'],
  ['bytes where strings are', { strings: undefined as never, data: bytes(2) }, BAD, BAD, 'string_in'],
];

/** Of the model that is answered request by request, and of the one whose rows are batched; neither has a contract. */
export function shapeCases(protocol: ProtocolName): HostileCase[] {
  const cases: HostileCase[] = [];
  const add = (name: string, outcome: string, model: string, values: readonly Value[]) =>
    cases.push({
      name: `${name}, ${protocol}`,
      outcome,
      bytes: callOf(protocol, 'predict', [1, struct([2, text(model)], [6, list(STRUCT, values)])]),
    });
  for (const [what, change, outcome, batched = outcome, name = CHANGED] of CHANGES) {
    add(`${SHAPED}: ${what}`, outcome, SHAPED, inputs(name, change));
    add(`${TENSORS}: ${what}`, batched, TENSORS, inputs(name, change));
  }
  const all = inputs(CHANGED, {});
  add(`${SHAPED}: one missing`, BAD, SHAPED, all.slice(1));
  add(`${SHAPED}: one twice`, BAD, SHAPED, [...all, all[0]!]);
  add(`${SHAPED}: one that is unknown`, BAD, SHAPED, [...all, tensor({ ...usual('int8'), name: '__proto__' })]);
  add(`${SHAPED}: one without anything`, BAD, SHAPED, [...all, struct()]);
  add(`${SHAPED}: none`, BAD, SHAPED, []);
  add(`${SHAPED}: a shape of strings`, 'closed', SHAPED, [struct([1, text(CHANGED)], [3, list(STRING, [text('1')])])]);
  add(`${SHAPED}: a list of lists as a shape`, 'closed', SHAPED, [
    struct([1, text(CHANGED)], [3, { type: LIST, element: LIST, values: [list(STRING, [])] }]),
  ]);
  add(`${SHAPED}: a name that is a number`, BAD, SHAPED, [struct([1, i64(4)]), ...all]);
  return cases;
}
