/**
 * What a hostile or broken caller may send in one write, and what must become of it: one line a case.
 *
 * An outcome is `closed`, `answer`, a ParleyError's code, or `exception` and a TApplicationException's type.
 */
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import {
  BOOL,
  BYTE,
  CALL,
  DOUBLE,
  EXCEPTION,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  ONEWAY,
  REPLY,
  SET,
  STRING,
  STRUCT,
} from '#parley/rpc/wire/protocol.js';
import { framed } from './caller.js';
import { encode, type ProtocolName, packageWriter, type Value } from './wire-values.js';

export interface HostileCase {
  readonly name: string;
  readonly bytes: Buffer;
  readonly outcome: string;
}

// ---------------------------------------------------------------- values, in short

export type Fields = readonly (readonly [id: number, value: Value])[];
export const struct = (...fields: Fields): Value => ({ type: STRUCT, fields });
export const list = (element: number, values: readonly Value[]): Value => ({ type: LIST, element, values });
export const text = (value: string | Buffer): Value => ({ type: STRING, value });
export const i32 = (value: number): Value => ({ type: I32, value });
export const i64 = (value: number): Value => ({ type: I64, value });
export const double = (value: number): Value => ({ type: DOUBLE, value });
export const bool = (value: boolean): Value => ({ type: BOOL, value });
const map = (key: number, element: number, entries: readonly (readonly [Value, Value])[]): Value => ({
  type: MAP,
  key,
  element,
  entries,
});

const NOT_UTF8 = Buffer.from('c328a0ff', 'hex');

// ---------------------------------------------------------------- messages

export function header(protocol: ProtocolName, name: string | Buffer, type = CALL, sequenceId = 7): Buffer {
  const { output, bytes } = packageWriter(protocol);
  output.writeMessageBegin(name as string, type, sequenceId);
  return Buffer.from(bytes());
}

/** A whole frame: a call whose arguments are these fields. */
export function callOf(protocol: ProtocolName, name: string | Buffer, ...fields: Fields): Buffer {
  return framed(Buffer.concat([header(protocol, name), encode(protocol, struct(...fields))]));
}

const doubles = (...values: number[]): Buffer => {
  const data = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => {
    data.writeDoubleLE(value, i * 8);
  });
  return data;
};

export interface TensorParts {
  readonly name?: string;
  readonly dataType?: number;
  readonly shape?: readonly number[];
  readonly strings?: readonly (string | Buffer)[];
  readonly data?: Buffer;
}

export function tensor({ name, dataType, shape, strings, data: bytes }: TensorParts): Value {
  const fields: (readonly [number, Value])[] = [];
  if (name !== undefined) fields.push([1, text(name)]);
  if (dataType !== undefined) fields.push([2, i32(dataType)]);
  if (shape !== undefined) fields.push([3, list(I64, shape.map(i64))]);
  if (strings !== undefined) fields.push([4, list(STRING, strings.map(text))]);
  if (bytes !== undefined) fields.push([5, text(bytes)]);
  return struct(...fields);
}

const NUMBERS = {
  bill_length_mm: 40,
  bill_depth_mm: 18,
  flipper_length_mm: 180,
  body_mass_g: 4000,
} as const;

const { float64, string } = DATA_TYPES;
const number = (name: string, values: readonly number[]): TensorParts => ({
  name,
  dataType: float64.number,
  shape: [values.length, 1],
  data: doubles(...values),
});
const words = (name: string, strings: readonly (string | Buffer)[]): TensorParts => ({
  name,
  dataType: string.number,
  shape: [strings.length, 1],
  strings,
});

/** The tensors of one penguin, some of them otherwise. */
export function penguinTensors(changes: Readonly<Record<string, TensorParts>> = {}): Value[] {
  const parts: TensorParts[] = [
    ...Object.entries(NUMBERS).map(([name, value]) => number(name, [value])),
    words('island', ['Dream']),
    words('sex', ['MALE']),
  ];
  return parts.map((part) => tensor({ ...part, ...changes[part.name ?? ''] }));
}

export const predictFields = (inputs: readonly Value[], ...more: Fields): Value =>
  struct([2, text('penguins')], [6, list(STRUCT, inputs)], ...more);

const PENGUIN: Fields = [
  [1, double(40)],
  [2, double(18)],
  [3, double(180)],
  [4, double(4000)],
  [5, text('Dream')],
  [6, text('MALE')],
];
export const penguin = (...changes: Fields): Value =>
  struct(...PENGUIN.map((field) => changes.find(([id]) => id === field[0]) ?? field));
const without = (id: number): Value => struct(...PENGUIN.filter(([each]) => each !== id));

const SCALARS: Fields = [
  [1, bool(true)],
  [2, { type: BYTE, value: 1 }],
  [4, i32(1)],
  [5, i64(1)],
  [6, double(1)],
  [7, text('text')],
  [40, { type: I16, value: 1 }],
  [300, i32(1)],
];
export const scalars = (...changes: Fields): Value =>
  struct(...SCALARS.map((field) => changes.find(([id]) => id === field[0]) ?? field));

// ---------------------------------------------------------------- the table

const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

/** Not of either protocol. */
export function rawCases(): HostileCase[] {
  const closed = (name: string, bytes: Buffer): HostileCase => ({ name, bytes, outcome: 'closed' });
  return [
    closed('a frame of -1 bytes', hex('ffffffff')),
    closed('a frame of -2^31 bytes', hex('80000000')),
    closed('a frame of 0 bytes', hex('00000000')),
    closed('a frame of 2^31 - 1 bytes', hex('7fffffff 00')),
    closed('a frame of one byte more than the limit', hex('04000001 80')),
    closed('HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
    closed('a TLS hello', hex('16030100c8 010000c4 0303')),
    closed('the JSON protocol', framed(Buffer.from('[1,"ping",1,0,{}]'))),
    closed('a frame of one zero', framed(hex('00'))),
    closed('a frame of one byte, binary', framed(hex('80'))),
    closed('a frame of one byte, compact', framed(hex('82'))),
    closed('binary of version 2', framed(hex('80020001 00000004 70696e67 00000001 00'))),
    closed('compact of version 2', framed(hex('82 22 01 04 70696e67 00'))),
    closed('the header without a version', framed(hex('00000004 70696e67 01 00000001 00'))),
    closed('a name of -1 bytes, binary', framed(hex('80010001 ffffffff 00000001 00'))),
    closed('a name of 2^31 - 1 bytes, binary', framed(hex('80010001 7fffffff 00000001 00'))),
    closed('a name longer than the frame, compact', framed(hex('82 21 01 ffff7f 00'))),
    closed('a name of 2^32 + 4 bytes, compact', framed(hex('82 21 01 8480808010 70696e67 00'))),
    closed('a sequence id of eleven bytes, compact', framed(hex('82 21 8080808080808080808000 04 70696e67 00'))),
  ];
}

const METHODS = ['predict', 'Penguins:identify', 'Penguins:identify_many', 'Registry:list_versions', 'ping'];

export function hostileCases(protocol: ProtocolName): HostileCase[] {
  const cases: HostileCase[] = [];
  const add = (name: string, outcome: string, bytes: Buffer) =>
    cases.push({ name: `${name}, ${protocol}`, bytes, outcome });
  const call = (name: string, outcome: string, method: string | Buffer, ...fields: Fields) =>
    add(name, outcome, callOf(protocol, method, ...fields));
  const raw = (name: string, outcome: string, method: string, body: Buffer) =>
    add(name, outcome, framed(Buffer.concat([header(protocol, method), body])));
  const isBinary = protocol === 'binary';
  const either = (binary: string, compact: string): Buffer => hex(isBinary ? binary : compact);
  /** A field's header, its id counted from 0. */
  const fieldHeader = (type: number, id: number): Buffer => {
    const probe = encode(protocol, struct([id, type === STRUCT ? struct() : list(BYTE, [])]));
    return probe.subarray(0, isBinary ? 3 : id < 16 ? 1 : 3);
  };

  messageCases();
  bodyCases();
  bombCases();
  tensorCases();
  requestCases();
  typedCases();
  genericCases();
  return cases;

  function messageCases(): void {
    const ping = encode(protocol, struct([1, struct()]));
    const ofType = (name: string, type: number) =>
      add(name, 'closed', framed(Buffer.concat([header(protocol, 'ping', type), ping])));
    ofType('a REPLY', REPLY);
    ofType('an EXCEPTION', EXCEPTION);
    ofType('a ONEWAY', ONEWAY);
    ofType('a message of type 0', 0);
    ofType('a message of type 5', 5);
    ofType('a message of type 7', 7);
    for (const name of [
      'nothing',
      '',
      ':',
      ':ping',
      'Operations:',
      'Operations:nothing',
      'Nobody:ping',
      'a:b:c',
      '__proto__',
      'constructor',
      'toString:x',
      '__proto__:ping',
      'Operations:__proto__',
      'Operations:constructor',
      'Penguins:nothing',
    ])
      call(`the method "${name}"`, 'exception 1', name, [1, struct()]);
    call('a method of 10,000 characters', 'exception 1', 'x'.repeat(10_000), [1, struct()]);
    call('a method of bytes that are not UTF-8', 'exception 1', NOT_UTF8, [1, struct()]);
    add('a negative sequence id', 'answer', framed(Buffer.concat([header(protocol, 'ping', CALL, -(2 ** 31)), ping])));
    raw('an unknown method with a body that is cut off', 'closed', 'nothing', ping.subarray(0, -1));
    raw('an unknown method with bytes behind its body', 'closed', 'nothing', Buffer.concat([ping, hex('00')]));
  }

  function bodyCases(): void {
    const deepBinary = Buffer.alloc(3_000_000, hex('0c0001')),
      deepCompact = Buffer.alloc(1_000_000, hex('1c'));
    for (const method of METHODS) {
      const at = (name: string, outcome: string, body: Buffer) => raw(`${method}: ${name}`, outcome, method, body);
      at('no body', 'closed', hex(''));
      at('a request that is cut off', 'closed', fieldHeader(STRUCT, 1));
      // A row that is refused is not read to the frame's end.
      const behind = method === 'Penguins:identify' ? 'INVALID_INPUT' : 'closed';
      at('bytes behind the message', behind, Buffer.concat([encode(protocol, struct([1, struct()])), hex('0000')]));
      at('a field of type 14 or 5', 'closed', either('05 0001 00 00', '1e 00 00'));
      at('a string of -1 bytes', 'closed', either('0b 0063 ffffffff 00', '08 c601 ffffffff0f 00'));
      at('a string of 2^31 - 1 bytes', 'closed', either('0b 0063 7fffffff 00', '08 c601 ffffffff07 00'));
      at('a list of -1 elements', 'closed', either('0f 0063 08 ffffffff 00', '09 c601 f5 ffffffff0f 00'));
      at('a list of 2^31 - 1 elements', 'closed', either('0f 0063 03 7fffffff 00', '09 c601 f3 ffffffff07 00'));
      at('a set of 2^31 - 1 structs', 'closed', either('0e 0063 0c 7fffffff 00', '0a c601 fc ffffffff07 00'));
      at('a map of 2^31 - 1 entries', 'closed', either('0d 0063 0303 7fffffff 00', '0b c601 ffffffff07 33 00'));
      at('a map of -2^31 entries', 'closed', either('0d 0063 0303 80000000 00', '0b c601 8080808008 33 00'));
      at('a list of STOP', 'closed', either('0f 0063 00 00000003 000000 00', '09 c601 30 000000 00'));
      at('a list of void', 'closed', either('0f 0063 01 00000003 000000 00', '09 c601 3e 000000 00'));
      at('a million structs nested in an unknown field', 'closed', isBinary ? deepBinary : deepCompact);
      at(
        'a million structs nested in the request',
        'closed',
        Buffer.concat([fieldHeader(STRUCT, 1), isBinary ? deepBinary : deepCompact]),
      );
      if (!isBinary) {
        at('an i32 of eleven bytes', 'closed', hex(`05 c601 ${'80'.repeat(10)}00 00`));
        at('an i64 of eleven bytes', 'closed', hex(`06 c601 ${'80'.repeat(10)}00 00`));
        at('a varint without an end', 'closed', hex(`06 c601 ${'80'.repeat(5)}`));
        at('a list of 2^32 elements', 'closed', hex('09 c601 fc 8080808010 00'));
      }
      call(
        `${method}: every type in unknown fields`,
        method === 'ping' ? 'answer' : 'any',
        method,
        [1, struct()],
        [
          99,
          struct(
            [1, bool(true)],
            [2, { type: BYTE, value: -1 }],
            [3, { type: I16, value: -1 }],
            [4, i32(-1)],
            [5, i64(-1)],
            [6, double(-1)],
            [7, text('x')],
            [8, list(BOOL, [bool(true)])],
            [9, { type: SET, element: STRUCT, values: [struct()] }],
            [10, map(STRING, LIST, [[text('a'), list(BYTE, [])]])],
            [32767, struct()],
            [-5, struct()],
          ),
        ],
      );
    }
    call('predict without arguments', 'INVALID_INPUT', 'predict');
    call('identify without arguments', 'INVALID_INPUT', 'Penguins:identify');
    call('list_versions without arguments', 'INVALID_INPUT', 'list_versions');
    call('predict with a request that is a string', 'INVALID_INPUT', 'predict', [1, text('request')]);
    call('list_versions with a request that is an i32', 'INVALID_INPUT', 'list_versions', [1, i32(4)]);
  }

  function bombCases(): void {
    const EIGHT_MIB = 8 << 20;
    /** A list of this many empty structs, all zeros. */
    const zeros = (...ids: number[]): Buffer => {
      const around = ids.map((id, depth) => fieldHeader(depth === ids.length - 1 ? LIST : STRUCT, id));
      const count = EIGHT_MIB - 64;
      const begin = isBinary ? Buffer.concat([hex('0c'), sizeOf(count)]) : Buffer.concat([hex('fc'), varint(count)]);
      return Buffer.concat([...around, begin, Buffer.alloc(count), Buffer.alloc(ids.length)]);
    };
    raw('8 MiB of empty tensors', 'INVALID_INPUT', 'predict', zeros(1, 6));
    raw('8 MiB of empty structs in an unknown field of predict', 'INVALID_INPUT', 'predict', zeros(1, 99));
    raw('8 MiB of empty structs as outputs', 'closed', 'predict', zeros(1, 5));
    raw('8 MiB of empty rows', 'INVALID_INPUT', 'Penguins:identify_many', zeros(1));
    raw('8 MiB of empty structs beside a row', 'INVALID_INPUT', 'Penguins:identify', zeros(99));
    raw('8 MiB of empty labels', 'INVALID_INPUT', 'record_labels', zeros(1, 3));
    raw('8 MiB of empty structs in an unknown field of list_versions', 'INVALID_INPUT', 'list_versions', zeros(1, 99));
    const emptyTexts = list(
      STRING,
      Array.from({ length: 1 << 20 }, () => text('')),
    );
    call('a million empty outputs', 'INVALID_INPUT', 'predict', [1, predictFields(penguinTensors(), [5, emptyTexts])]);
    const trace = map(
      STRING,
      STRING,
      Array.from({ length: 400_000 }, (_, i) => [text(i.toString(36)), text('')] as const),
    );
    call('400,000 entries in the trace', 'INVALID_INPUT', 'ping', [1, struct([1, struct([4, trace])])]);
    call('400,000 entries in the trace of predict', 'answer', 'predict', [
      1,
      predictFields(penguinTensors(), [1, struct([4, trace])]),
    ]);
    // The generated code does not look at element types: what was walked through as one string may be read as structs.
    const inner = isBinary
      ? Buffer.concat([fieldHeader(LIST, 3), hex('0c'), sizeOf(0x01f00000), Buffer.alloc(0x01f00000)])
      : Buffer.concat([hex('39'), hex('fc'), varint(0x00f00000), Buffer.alloc(0x00f00000)]);
    if (isBinary) {
      const length = 0x02000000 | 0x00010001;
      const body = Buffer.alloc(length);
      inner.copy(body);
      const labels = Buffer.concat([fieldHeader(STRUCT, 1), fieldHeader(LIST, 3), hex('0b 00000001'), sizeOf(length)]);
      raw(
        'labels that are one long string of structs',
        'closed',
        'record_labels',
        Buffer.concat([labels, body, hex('0000')]),
      );
    } else {
      const labels = Buffer.concat([fieldHeader(STRUCT, 1), fieldHeader(LIST, 3), hex('18'), varint(inner.length)]);
      raw(
        'labels that are one long string of structs',
        'closed',
        'record_labels',
        Buffer.concat([labels, inner, hex('0000')]),
      );
    }
  }

  function tensorCases(): void {
    const predict = (name: string, outcome: string, inputs: readonly Value[], ...more: Fields) =>
      call(`tensors: ${name}`, outcome, 'predict', [1, predictFields(inputs, ...more)]);
    const changed = (name: string, change: TensorParts, outcome = 'INVALID_INPUT') =>
      predict(name, outcome, penguinTensors({ body_mass_g: change }));
    predict('as they should be', 'answer', penguinTensors());
    changed('fewer bytes than the shape says', { data: doubles(4000).subarray(1) });
    changed('more bytes than the shape says', { data: doubles(4000, 4000) });
    changed('no bytes', { data: hex('') });
    changed('a shape of twice the rows', { shape: [2, 1] });
    changed('a shape of zero rows', { shape: [0, 1], data: hex('') });
    changed('a negative extent', { shape: [-1, 1] });
    changed('two negative extents', { shape: [-1, -1] });
    changed('the least extent', { shape: [-(2 ** 53), 1] });
    changed('2^53 rows', { shape: [2 ** 53, 1] });
    changed('2^62 rows', { shape: [2 ** 62, 1] });
    changed('a product past 2^53', { shape: [2 ** 40, 2 ** 40] });
    changed('a product past 2^64 that wraps around to one', { shape: [2 ** 62, 4] });
    changed('rank 0', { shape: [] });
    changed('rank 1', { shape: [1] });
    changed('rank 3', { shape: [1, 1, 1] });
    changed('a million dimensions', { shape: new Array(1_000_000).fill(1) });
    changed('an open extent', { shape: [1, -1] });
    changed('a zero extent', { shape: [1, 0], data: hex('') });
    for (const type of [0, 14, 99, -1, 2 ** 31 - 1, -(2 ** 31)]) changed(`type ${type}`, { dataType: type });
    for (const [type, { number: each }] of Object.entries(DATA_TYPES) as [DataType, { number: number }][])
      if (type !== 'float64') changed(`type ${type}`, { dataType: each });
    changed('strings where numbers are', { dataType: string.number, strings: ['4000'] });
    changed('100,001 rows', { shape: [100_001, 1] });
    predict('one without anything', 'INVALID_INPUT', [struct(), ...penguinTensors()]);
    predict('one without a shape', 'INVALID_INPUT', [
      ...penguinTensors().slice(1),
      tensor({ name: 'bill_length_mm', dataType: float64.number, data: doubles(40) }),
    ]);
    predict('one without data', 'INVALID_INPUT', [
      ...penguinTensors().slice(1),
      tensor({ name: 'bill_length_mm', dataType: float64.number, shape: [1, 1] }),
    ]);
    predict('one without a type', 'INVALID_INPUT', [
      ...penguinTensors().slice(1),
      tensor({ name: 'bill_length_mm', shape: [1, 1], data: doubles(40) }),
    ]);
    predict('one missing', 'INVALID_INPUT', penguinTensors().slice(1));
    predict('one twice', 'INVALID_INPUT', [...penguinTensors(), ...penguinTensors().slice(0, 1)]);
    predict('one that is unknown', 'INVALID_INPUT', [...penguinTensors(), tensor(number('weight', [1]))]);
    for (const name of ['__proto__', 'constructor', 'x'.repeat(10_000), '\0'])
      predict(`one that is called ${name.slice(0, 20)}`, 'INVALID_INPUT', [
        tensor(number(name, [1])),
        ...penguinTensors(),
      ]);
    predict(
      '2,000 of them',
      'INVALID_INPUT',
      Array.from({ length: 2_000 }, () => tensor(number('sex', [1]))),
    );
    predict('none', 'INVALID_INPUT', []);
    predict(
      'rows that disagree',
      'INVALID_INPUT',
      penguinTensors({ body_mass_g: number('body_mass_g', [4000, 4000]) }),
    );
    for (const [name, bytes] of [
      ['NaN', '000000000000f87f'],
      ['infinity', '000000000000f07f'],
      ['minus infinity', '000000000000f0ff'],
      ['out of range', '0000000000000040'],
    ] as const) {
      changed(name, { data: hex(bytes) });
    }
    for (const [name, strings] of [
      ['no strings', []],
      ['two strings for one row', ['Dream', 'Dream']],
      ['a string that is not in the contract', ['Elba']],
      ['an empty string where one is needed', ['']],
      ['a string of a million characters', ['x'.repeat(1_000_000)]],
    ] as const)
      predict(name, 'INVALID_INPUT', penguinTensors({ island: { strings } }));
    predict('bytes where strings are', 'INVALID_INPUT', [
      ...penguinTensors().filter((_, i) => i !== 4),
      tensor({ name: 'island', dataType: string.number, shape: [1, 1], data: hex('7f') }),
    ]);
    const open = (value: string | Buffer): Fields => [
      [
        1,
        struct(
          [2, text('scalars')],
          [
            6,
            list(STRUCT, [
              tensor({ name: 'flag', dataType: DATA_TYPES.bool.number, shape: [1, 1], data: hex('01') }),
              tensor({ name: 'tiny', dataType: DATA_TYPES.int8.number, shape: [1, 1], data: hex('01') }),
              tensor({ name: 'short_number', dataType: DATA_TYPES.int16.number, shape: [1, 1], data: hex('0100') }),
              tensor({ name: 'number', dataType: DATA_TYPES.int32.number, shape: [1, 1], data: hex('01000000') }),
              tensor({
                name: 'long_number',
                dataType: DATA_TYPES.int64.number,
                shape: [1, 1],
                data: hex('0100000000000000'),
              }),
              tensor(number('real', [2])),
              tensor(words('text', [value])),
              tensor(words('size', ['small'])),
            ]),
          ],
        ),
      ],
    ];
    call('tensors: a replacement character that was meant', 'answer', 'predict', ...open('a\ufffd'));
    call('tensors: strings that are not UTF-8', 'INVALID_INPUT', 'predict', ...open(NOT_UTF8));
    const elements = (name: string, field: readonly [number, Value]) =>
      predict(name, 'closed', [struct([1, text('sex')], field)]);
    elements('a shape of i32', [3, list(I32, [i32(1), i32(1)])]);
    elements('a shape of strings', [3, list(STRING, [text('1')])]);
    elements('strings that are i64', [4, list(I64, [i64(1)])]);
    call('tensors: inputs that are strings', 'closed', 'predict', [
      1,
      struct([2, text('penguins')], [6, list(STRING, [text('x')])]),
    ]);
    for (const [name, field] of [
      ['a name that is a number', [1, i32(4)]],
      ['a type that is a string', [2, text('2')]],
      ['a shape that is a number', [3, i64(1)]],
      ['data that is a list', [5, list(DOUBLE, [double(1)])]],
    ] as const)
      predict(name, 'INVALID_INPUT', [struct(field), ...penguinTensors()]);
  }

  function requestCases(): void {
    const predict = (name: string, outcome: string, ...fields: Fields) =>
      call(`request: ${name}`, outcome, 'predict', [1, struct(...fields)]);
    const inputs: readonly [number, Value] = [6, list(STRUCT, penguinTensors())];
    predict('empty', 'INVALID_INPUT');
    predict('without a model', 'INVALID_INPUT', inputs);
    predict('without inputs', 'INVALID_INPUT', [2, text('penguins')]);
    predict('a model that is a number', 'INVALID_INPUT', [2, i32(4)], inputs);
    predict('a model twice', 'answer', [2, text('nobody')], [2, text('penguins')], inputs);
    predict('inputs twice', 'answer', [2, text('penguins')], [6, list(STRUCT, [struct()])], inputs);
    call('request: twice', 'answer', 'predict', [1, struct([2, text('nobody')])], [1, predictFields(penguinTensors())]);
    call(
      'request: twice, for a version that is looked for',
      'NOT_FOUND',
      'predict',
      [1, struct([2, text('penguins')])],
      [1, struct([2, text('penguins')], [3, text('nowhere')], inputs)],
    );
    for (const name of ['nobody', '__proto__', 'constructor', 'toString', '\0', ' ', '../x', 'x'.repeat(10_000)]) {
      predict(`the model ${name.slice(0, 20)}`, 'NOT_FOUND', [2, text(name)], inputs);
      predict(`the alias ${name.slice(0, 20)}`, 'NOT_FOUND', [2, text('penguins')], [3, text(name)], inputs);
      call(`describe: the model ${name.slice(0, 20)}`, 'NOT_FOUND', 'describe', [1, struct([2, text(name)])]);
    }
    predict('the model ""', 'INVALID_INPUT', [2, text('')], inputs);
    predict('the alias ""', 'answer', [2, text('penguins')], [3, text('')], inputs);
    predict('a version that is not there', 'NOT_FOUND', [2, text('penguins')], [3, text('0123456789')], inputs);
    predict('a version of a model that is none', 'any', [2, text('../x')], [3, text('0123456789')], inputs);
    predict('a model that is not UTF-8', 'NOT_FOUND', [2, text(NOT_UTF8)], inputs);
    const outputs = (name: string, outcome: string, value: Value) =>
      predict(name, outcome, [2, text('penguins')], [5, value], inputs);
    outputs('an output that is unknown', 'INVALID_INPUT', list(STRING, [text('nothing')]));
    outputs('an output that is called __proto__', 'INVALID_INPUT', list(STRING, [text('__proto__')]));
    outputs('an output of 10,000 characters', 'INVALID_INPUT', list(STRING, [text('x'.repeat(10_000))]));
    outputs('an output twice', 'INVALID_INPUT', list(STRING, [text('label'), text('label')]));
    outputs('no outputs', 'answer', list(STRING, []));
    outputs('2,000 outputs', 'INVALID_INPUT', list(STRING, new Array(2_000).fill(text('label'))));
    outputs('outputs that are numbers', 'closed', list(I32, [i32(1)]));
    outputs('outputs that are a string', 'answer', text('label'));
    const context = (name: string, outcome: string, value: Value) =>
      predict(name, outcome, [1, value], [2, text('penguins')], inputs);
    context('a context that is a string', 'answer', text('x'));
    context('a request_id of a million characters', 'answer', struct([1, text('x'.repeat(1_000_000))]));
    context('a timeout of -1', 'answer', struct([2, i32(-1)]));
    context('a timeout of -2^31', 'answer', struct([2, i32(-(2 ** 31))]));
    context('a timeout that is a string', 'answer', struct([2, text('1')]));
    context('a trace that is a list', 'answer', struct([4, list(BYTE, [])]));
    const spoilt: readonly [number, Value] = [1, struct([1, text(NOT_UTF8)])];
    predict('an id that is not UTF-8, in an error', 'NOT_FOUND', spoilt, [2, text('nobody')], inputs);
  }

  function typedCases(): void {
    const one = (name: string, outcome: string, row: Value) =>
      call(`row: ${name}`, outcome, 'Penguins:identify', [1, row]);
    const rows = (name: string, outcome: string, value: Value) =>
      call(`rows: ${name}`, outcome, 'Penguins:identify_many', [1, value]);
    const scalar = (name: string, outcome: string, row: Value) => call(`row: ${name}`, outcome, 'Scales:add', [7, row]);
    one('as it should be', 'answer', penguin());
    one('empty', 'INVALID_INPUT', struct());
    for (const [id] of PENGUIN) one(`without field ${id}`, id === 6 ? 'answer' : 'INVALID_INPUT', without(id));
    for (const wrong of [
      bool(true),
      { type: BYTE, value: 1 },
      { type: I16, value: 1 },
      i32(1),
      i64(1),
      text('40'),
      struct(),
      list(DOUBLE, [double(40)]),
      map(BYTE, BYTE, []),
    ] as Value[])
      one(`a double as type ${wrong.type}`, 'INVALID_INPUT', penguin([1, wrong]));
    for (const wrong of [bool(true), i32(1), i64(1), double(1), struct(), list(STRING, [text('Dream')])])
      one(`a string as type ${wrong.type}`, 'INVALID_INPUT', penguin([5, wrong]));
    for (const value of [19, 81, -1, 0, 1e300, Number.NaN, Infinity, -Infinity, 2 ** 53, -Number.MAX_VALUE])
      one(`a bill of ${value} mm`, 'INVALID_INPUT', penguin([1, double(value)]));
    for (const value of ['', 'dream', 'Elba', '__proto__', 'constructor', 'x'.repeat(100_000), 'Dream\0'])
      one(`the island ${JSON.stringify(value.slice(0, 20))}`, 'INVALID_INPUT', penguin([5, text(value)]));
    one('an island that is not UTF-8', 'INVALID_INPUT', penguin([5, text(NOT_UTF8)]));
    one('a field twice, the last one right', 'answer', struct([1, double(40)], ...PENGUIN));
    one('a field twice, the last one wrong', 'INVALID_INPUT', struct(...PENGUIN, [1, double(-4)]));
    one('a field twice, the first one of the wrong type', 'INVALID_INPUT', struct([1, text('40')], ...PENGUIN));
    one('unknown fields', 'answer', struct(...PENGUIN, [99, struct()], [-1, i32(4)], [32767, text('x')]));
    raw(
      'row: right, and bytes behind the message',
      'closed',
      'Penguins:identify',
      Buffer.concat([encode(protocol, struct([1, penguin()])), hex('00')]),
    );
    call('row: twice', 'answer', 'Penguins:identify', [1, penguin()], [1, penguin()]);
    call('row: twice, the first one wrong', 'INVALID_INPUT', 'Penguins:identify', [1, struct()], [1, penguin()]);
    call('row: a list', 'INVALID_INPUT', 'Penguins:identify', [1, list(STRUCT, [penguin()])]);
    call('row: with a context of the wrong type', 'answer', 'Penguins:identify', [1, penguin()], [2, i32(4)]);
    call('row: wrong, with a body that is cut off behind it', 'INVALID_INPUT', 'Penguins:identify', [1, struct()]);
    raw(
      'row: wrong, and malformed behind it',
      'INVALID_INPUT',
      'Penguins:identify',
      Buffer.concat([fieldHeader(STRUCT, 1), hex('00'), either('05 0002 00 00', '1e 00 00')]),
    );
    rows('as they should be', 'answer', list(STRUCT, [penguin(), penguin()]));
    rows('none', 'INVALID_INPUT', list(STRUCT, []));
    rows('none, of no type', 'INVALID_INPUT', list(BYTE, []));
    rows('strings', 'closed', list(STRING, [text('x')]));
    rows('a struct', 'INVALID_INPUT', penguin());
    rows('100,001 of them', 'INVALID_INPUT', list(STRUCT, new Array(100_001).fill(struct())));
    rows('100,000 empty ones', 'INVALID_INPUT', list(STRUCT, new Array(100_000).fill(struct())));
    rows('2,000 of them', 'answer', list(STRUCT, new Array(2_000).fill(penguin())));
    rows('the last one wrong', 'INVALID_INPUT', list(STRUCT, [penguin(), penguin(), penguin([1, double(0)])]));
    scalar('every type', 'answer', scalars());
    const typeOf: Readonly<Record<number, Value>> = {
      1: i32(1),
      2: i32(1),
      4: i64(1),
      5: i32(1),
      40: i32(1),
      300: text('small'),
    };
    for (const [id, wrong] of Object.entries(typeOf))
      scalar(`field ${id} as type ${wrong.type}`, 'INVALID_INPUT', scalars([Number(id), wrong]));
    for (const value of [0, 2, 8, -1, 2 ** 31 - 1, -(2 ** 31)])
      scalar(`the enum value ${value}`, 'INVALID_INPUT', scalars([300, i32(value)]));
    scalar('an i16 above its range', 'INVALID_INPUT', scalars([40, { type: I16, value: 1001 }]));
    scalar('an i16 below its range', 'INVALID_INPUT', scalars([40, { type: I16, value: -1001 }]));
    scalar('an i64 above its range', 'INVALID_INPUT', scalars([5, i64(2 ** 53)]));
    scalar('an i64 far above its range', 'INVALID_INPUT', scalars([5, i64(2 ** 62)]));
    scalar('a double that may be missing, as NaN', 'answer', scalars([6, double(Number.NaN)]));
    scalar('a double that may be missing, as infinity', 'INVALID_INPUT', scalars([6, double(Infinity)]));
    scalar('a text of 21 bytes', 'INVALID_INPUT', scalars([7, text('x'.repeat(21))]));
    scalar('a text of 21 bytes in eleven characters', 'INVALID_INPUT', scalars([7, text(`${'é'.repeat(10)}x`)]));
    scalar('a free text that is not UTF-8', 'INVALID_INPUT', scalars([7, text(NOT_UTF8)]));
    call('rows: wrong, where no error is declared', 'exception 6', 'Scales:add_many', [1, list(STRUCT, [struct()])]);
  }

  function genericCases(): void {
    const ask = (method: string, outcome: string, name: string, ...fields: Fields) =>
      call(`${method}: ${name}`, outcome, method, [1, struct(...fields)]);
    const penguins: readonly [number, Value] = [2, text('penguins')];
    for (const method of [
      'describe',
      'begin_upload',
      'upload_part',
      'publish',
      'publish_contract',
      'accept',
      'promote',
      'rollback',
      'hold',
      'release',
      'retire',
      'prune',
      'aliases',
      'history',
    ])
      ask(method, 'INVALID_INPUT', 'an empty request');
    for (const method of [
      'register_project',
      'train',
      'get_run',
      'watch_run',
      'cancel_run',
      'list_runs',
      'record_labels',
      'live_metrics',
    ])
      ask(method, 'UNSUPPORTED', 'an empty request');
    for (const name of ['nobody', '__proto__', 'constructor', '../x', '\0', 'x'.repeat(10_000)]) {
      const named = name.slice(0, 20);
      ask('aliases', 'any', `the model ${named}`, [2, text(name)]);
      for (const method of ['list_versions', 'history']) ask(method, 'refused', `the model ${named}`, [2, text(name)]);
      for (const method of ['accept', 'promote'])
        ask(method, 'refused', `the model ${named}`, [2, text(name)], [3, text('0123456789')]);
      ask('rollback', 'refused', `the model ${named}`, [2, text(name)]);
      ask('rollback', 'refused', `the alias ${named}`, penguins, [3, text(name)]);
      for (const method of ['hold', 'release']) {
        ask(method, 'refused', `the model ${named}`, [2, text(name)]);
        ask(method, 'refused', `the alias ${named}`, penguins, [3, text(name)]);
      }
      ask('retire', 'refused', `the version ${named}`, penguins, [3, text(name)]);
      ask('prune', 'refused', `the model ${named}`, [2, text(name)], [3, i32(0)]);
      ask('contract', 'NOT_FOUND', `the service ${named}`, [2, text(name)]);
      ask('accept', 'refused', `the version ${named}`, penguins, [3, text(name)]);
      ask('promote', 'refused', `the version ${named}`, penguins, [3, text(name)]);
      ask('upload_part', 'refused', `the upload ${named}`, [2, text(name)], [3, i64(0)], [4, text('x')]);
      ask('publish', 'refused', `the upload ${named}`, penguins, [3, text(name)]);
      ask('publish_contract', 'refused', `the text ${named}`, [2, text(name)]);
      ask('publish_contract', 'refused', `the fixtures ${named}`, [2, text('service X {}')], [3, text(name)]);
      ask('list_versions', 'refused', `the page ${named}`, penguins, [4, text(name)]);
    }
    for (const size of [-1, 0, 2 ** 62, -(2 ** 62), 2 ** 31 + 1])
      ask('begin_upload', 'INVALID_INPUT', `of ${size} bytes`, penguins, [3, i64(size)]);
    ask('begin_upload', 'refused', 'for __proto__', [2, text('__proto__')], [3, i64(10)]);
    for (const limit of [-1, -(2 ** 31), 0]) {
      ask('list_versions', 'INVALID_INPUT', `a limit of ${limit}`, penguins, [3, i32(limit)]);
      ask('history', 'INVALID_INPUT', `a limit of ${limit}`, penguins, [5, i32(limit)]);
    }
    for (const weight of [-0.1, 1.1, Number.NaN, Infinity, -Infinity])
      ask('promote', 'INVALID_INPUT', `a weight of ${weight}`, penguins, [3, text('0123456789')], [7, double(weight)]);
    for (const keep of [-1, -(2 ** 31)]) ask('prune', 'INVALID_INPUT', `keeping ${keep}`, penguins, [3, i32(keep)]);
    ask('list_versions', 'answer', 'a limit of 2^31 - 1', penguins, [3, i32(2 ** 31 - 1)]);
    ask('history', 'answer', 'a limit of 2^31 - 1', penguins, [5, i32(2 ** 31 - 1)]);
    for (const at of [-1, 2 ** 62]) ask('history', 'answer', `at ${at}`, penguins, [4, i64(at)]);
    for (const page of ['-1', '1.5', 'NaN', '1e400', '9007199254740993'])
      ask('list_versions', 'any', `the page ${page}`, penguins, [4, text(page)]);
    ask('publish_contract', 'INVALID_INPUT', 'a megabyte of braces', [2, text('{'.repeat(1 << 20))]);
    ask(
      'publish_contract',
      'refused',
      'an include called __proto__',
      [2, text('include "__proto__"')],
      [6, map(STRING, STRING, [[text('__proto__'), text('x')]])],
    );
    ask(
      'publish',
      'refused',
      'metrics with keys that are numbers',
      penguins,
      [3, text('x')],
      [7, map(I32, I32, [[i32(1), i32(1)]])],
    );
    ask('publish', 'refused', 'metrics that are a list', penguins, [3, text('x')], [7, list(DOUBLE, [double(1)])]);
    ask('record_labels', 'refused', 'labels that are strings', penguins, [3, list(STRING, [text('a'), text('b')])]);
    ask('record_labels', 'refused', 'labels that are numbers', penguins, [3, list(I64, [i64(1), i64(-1)])]);
  }
}

function sizeOf(size: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(size);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
