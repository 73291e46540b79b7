/** What breaks a contract of nested rows, lists, maps, bytes and unions: told with its path, all of it at once. */
import { expect } from 'chai';
import { pino } from 'pino';
import types from '#gen/parley_types.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { DOUBLE, I32, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { sharedRedis } from '../store/redis-server.js';
import { callOf, double, type Fields, i32, list, struct, type TensorParts, tensor, text } from './hostile-cases.js';
import { HEIGHT, PIXELS, WIDTH } from './nested-model.js';
import { bytes, doubles, floats, map, row } from './nested-rows.js';
import { errorOf, type NestedServed, serveNested } from './nested-served.js';
import { PROTOCOL_NAMES, type Value } from './wire-values.js';

const MISSING = 'is missing; a value is required';
const PICTURE = `must be a picture of ${WIDTH} x ${HEIGHT} pixels (rgb8: ${PIXELS} bytes, png, jpeg)`;
const bill = (...fields: Fields): Value => struct(...fields);
const PRINT = [3, struct([1, i32(7)])] as const;
const NOT_UTF8 = Buffer.from('c328', 'hex');

/** PNG's signature and first chunk, claiming so many pixels. */
function pngClaiming(width: number, height: number): Buffer {
  const head = Buffer.from('89504e470d0a1a0a0000000d494844520000000000000000080200000000000000', 'hex');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}

type Told = readonly [path: string, message: string, got: string | null];
/** What of it is wrong, which field, its value, and all that is told. */
const CASES: readonly (readonly [string, number, Value | undefined, ...Told[]])[] = [
  [
    'a number in a struct out of range',
    1,
    bill([1, double(101)], PRINT),
    ['bill.length_mm', 'must be between 0 and 100 mm', '101'],
  ],
  ['a number that is missing in a struct', 1, bill([2, double(3)], PRINT), ['bill.length_mm', MISSING, null]],
  [
    'a wrong enum number, two structs down',
    1,
    bill([1, double(1)], [3, struct([1, i32(4)])]),
    ['bill.print.size', 'must be one of 1 (small), 7 (large)', '4'],
  ],
  ['a struct that is missing', 1, undefined, ['bill.length_mm', MISSING, null], ['bill.print.size', MISSING, null]],
  ['a number where a struct is', 1, double(3), ['bill', 'must be struct, as the contract says', 'double']],
  [
    'a struct where a number is',
    1,
    bill([1, struct()], PRINT),
    ['bill.length_mm', 'must be double, as the contract says', 'struct'],
  ],
  ['a union that is missing', 2, undefined, ['fuel', 'is missing; one of litres, battery is required', null]],
  ['an empty union', 2, struct(), ['fuel', 'is missing; one of litres, battery is required', null]],
  [
    'a member that nobody knows',
    2,
    struct([9, i32(1)]),
    ['fuel', 'is missing; one of litres, battery is required', null],
  ],
  [
    'two members of a union',
    2,
    struct([1, double(1)], [20, struct([1, double(1)])]),
    ['fuel', 'must have only one of litres, battery', 'litres and battery'],
  ],
  [
    "a chosen member's field that is missing",
    2,
    struct([20, struct([2, i32(3)])]),
    ['fuel.battery.capacity', MISSING, null],
  ],
  [
    "a member's number out of range",
    2,
    struct([20, struct([1, double(201)])]),
    ['fuel.battery.capacity', 'must be between 0 and 200', '201'],
  ],
  ['a short list', 3, doubles(1, 2), ['spectrum', 'must have 6 elements, as its shape (2, 3) says', '2']],
  ['a long list', 3, doubles(1, 2, 3, 4, 5, 6, 7), ['spectrum', 'must have 6 elements, as its shape (2, 3) says', '7']],
  [
    'several elements of a list',
    3,
    doubles(1, 11, Number.NaN, 4, Infinity, 6),
    ['spectrum[1]', 'must be between -10 and 10', '11'],
    ['spectrum[2]', MISSING, null],
    ['spectrum[4]', 'must be a finite number', 'Infinity'],
  ],
  [
    'a list of another type',
    3,
    list(I32, [i32(1)]),
    ['spectrum', 'must be list<double>, as the contract says', 'list<i32>'],
  ],
  ['text where a list is', 3, text('1,2,3'), ['spectrum', 'must be list, as the contract says', 'string']],
  ['a list that is missing', 6, undefined, ['flags', MISSING, null]],
  [
    'words of a list',
    5,
    list(STRING, [text('blue'), text(NOT_UTF8)]),
    ['words[0]', 'must be one of red, green', 'blue'],
    ['words[1]', 'must be UTF-8', '2 bytes that are not'],
  ],
  [
    'a whole number of a list',
    4,
    list(I32, [i32(1), i32(1001), i32(3)]),
    ['counts[1]', 'must be between 0 and 1000', '1001'],
  ],
  [
    'a key that is none of an enum',
    7,
    map(I32, DOUBLE, [i32(3), double(1)]),
    ['shares', 'must have no other keys than 1 (small), 7 (large)', '3'],
  ],
  [
    "a map's value out of range",
    7,
    map(I32, DOUBLE, [i32(7), double(2)]),
    ['shares[large]', 'must be between 0 and 1', '2'],
  ],
  [
    'a key that nobody knows, and one that is missing',
    8,
    map(STRING, I32, [text('nut'), i32(1)], [text('screw'), i32(1)]),
    ['stock', 'must have no other keys than nut, bolt', 'screw'],
    ['stock[bolt]', MISSING, null],
  ],
  [
    'a map of other types',
    8,
    map(I32, I32, [i32(1), i32(1)]),
    ['stock', 'must be map<string, i32>, as the contract says', 'map<i32, i32>'],
  ],
  ['raw numbers of the wrong count', 9, floats(1, 2), ['samples', 'must be 16 bytes, as float32 of shape (4) is', '8']],
  [
    'raw numbers out of range',
    9,
    floats(0, 2, Number.NaN, 0),
    ['samples[1]', 'must be between -1 and 1', '2'],
    ['samples[2]', MISSING, null],
  ],
  ['what is no picture', 10, text('GIF89a'), ['photo', PICTURE, '6 bytes of something else']],
  ['a picture of no bytes', 10, text(''), ['photo', MISSING, null]],
  [
    'raw pixels, some too few',
    10,
    text(Buffer.alloc(PIXELS - 1)),
    ['photo', PICTURE, `${PIXELS - 1} bytes of something else`],
  ],
  ['a picture of another size', 10, text(pngClaiming(5, 5)), ['photo', PICTURE, '5 x 5 pixels']],
  [
    'a decompression bomb, by what it claims',
    10,
    text(pngClaiming(60_000, 60_000)),
    ['photo', PICTURE, '60000 x 60000 pixels'],
  ],
  ['text that must match a pattern', 12, text('ab12'), ['code', 'must match the pattern [A-Z]{2}[0-9]+', 'ab12']],
  ['text that is too long', 12, text('AB1234567'), ['code', 'must be at most 8 bytes of UTF-8, not 9', 'AB1234567']],
  ['text that is not UTF-8', 12, text(NOT_UTF8), ['code', 'must be UTF-8', '2 bytes that are not']],
  ['a sensitive word, which is not repeated', 11, text('alphb'), ['secret', 'must be one of alpha, beta', null]],
  ['a sensitive number, which is not repeated', 14, bytes(77, 1), ['hidden[0]', 'must be at most 9', null]],
];

const float64 = DATA_TYPES.float64.number,
  int32 = DATA_TYPES.int32.number,
  uint8 = DATA_TYPES.uint8.number,
  strings = DATA_TYPES.string.number;
const doublesOf = (values: readonly number[]) => Buffer.from(Float64Array.from(values).buffer);
const real = (...values: number[]): TensorParts => ({
  dataType: float64,
  shape: [1, values.length],
  data: doublesOf(values),
});
const word = (...values: string[]): TensorParts => ({ dataType: strings, shape: [1, values.length], strings: values });
const small = (...values: number[]): TensorParts => ({
  dataType: uint8,
  shape: [1, values.length],
  data: Buffer.from(values),
});
/** The same row as tensors. */
const TENSORS: Readonly<Record<string, TensorParts>> = {
  'bill.length_mm': real(40),
  'bill.depth_mm': real(Number.NaN),
  'bill.print.size': word('small'),
  'fuel.litres': real(3),
  'fuel.battery.capacity': real(Number.NaN),
  'fuel.battery.cells': real(Number.NaN),
  spectrum: { ...real(1, 2, 3, 4, 5, 6), shape: [1, 2, 3] },
  counts: { dataType: DATA_TYPES.float32.number, shape: [1, 3], data: Buffer.from(Float32Array.of(1, 2, 3).buffer) },
  words: word('red', 'green'),
  flags: { dataType: DATA_TYPES.bool.number, shape: [1, 2], data: Buffer.from([1, 0]) },
  shares: real(0.25, Number.NaN),
  stock: { dataType: int32, shape: [1, 2], data: Buffer.from(Int32Array.of(1, 2).buffer) },
  samples: { dataType: DATA_TYPES.float32.number, shape: [1, 4], data: Buffer.alloc(16) },
  photo: { dataType: uint8, shape: [1, HEIGHT, WIDTH, 3], data: Buffer.alloc(PIXELS) },
  secret: word('alpha'),
  stamps: { dataType: DATA_TYPES.int64.number, shape: [1, 2], data: Buffer.alloc(16) },
  hidden: small(1, 9),
};
const BROKEN: Readonly<Record<string, TensorParts>> = {
  'bill.length_mm': real(-1),
  spectrum: { ...real(1, 2, 3, 4, 11, 6), shape: [1, 2, 3] },
  words: word('red', 'blue'),
  stock: { dataType: int32, shape: [1, 2], data: Buffer.from(Int32Array.of(100, 2).buffer) },
  secret: word('gamma'),
  hidden: small(1, 10),
};

describe('a nested value that breaks the contract', () => {
  const redis = sharedRedis();
  const lines: string[] = [];
  let nested: NestedServed;
  before(async function () {
    this.timeout(60_000);
    nested = await serveNested(redis, pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }));
  });
  after(() => nested?.close());

  const problemsOf = async (frame: Buffer) => {
    const error = errorOf(await nested.ask(frame));
    if (error !== undefined) expect(error).to.include({ code: types.ErrorCode.INVALID_INPUT, retryable: false });
    return error?.problems?.map(({ path, message, got }) => [path, message, got]);
  };

  for (const protocol of PROTOCOL_NAMES) {
    it(`is told nothing of where it keeps it, ${protocol}`, async () => {
      for (const each of [
        row(),
        row([4, undefined]),
        row([7, map(I32, DOUBLE)]),
        row([2, struct([20, struct([1, double(1)])])]),
      ])
        expect(await problemsOf(callOf(protocol, 'Echoes:echo', [1, each]))).to.equal(undefined);
    });

    for (const [what, id, value, ...told] of CASES)
      it(`is told ${what}, ${protocol}`, async () => {
        const broken = row([id, value]);
        const one = await problemsOf(callOf(protocol, 'Echoes:echo', [1, broken]));
        expect(one).to.deep.equal(told.map(([path, ...rest]) => [`nested.${path}`, ...rest]));
        const rows = list(STRUCT, [row(), broken, row(), broken]);
        const many = await problemsOf(callOf(protocol, 'Echoes:echo_many', [1, rows]));
        expect(many).to.deep.equal(
          [1, 3].flatMap((index) => told.map(([path, ...rest]) => [`rows[${index}].${path}`, ...rest])),
        );
      });

    it(`is told all of it at once, ${protocol}`, async () => {
      const wrong = CASES.filter(
        ([, id, value], i) =>
          value !== undefined && CASES.findIndex((each) => each[1] === id && each[2] !== undefined) === i,
      );
      const broken = row(...wrong.map(([, id, value]) => [id, value] as const));
      const told = await problemsOf(callOf(protocol, 'Echoes:echo', [1, broken]));
      const expected = wrong.flatMap(([, , , ...each]) => each).map(([path, ...rest]) => [`nested.${path}`, ...rest]);
      expect(told).to.have.deep.members(expected);
      expect(expected.length).to.be.greaterThan(10);
    });

    it(`of a list of any length is told too, ${protocol}`, async () => {
      const series = (values: Value, ...more: Fields) => struct([1, values], ...more);
      const ask = (each: Value) => problemsOf(callOf(protocol, 'Sums:sum', [1, each]));
      expect(await ask(series(doubles(1, 101), [2, double(1)]))).to.deep.equal([
        ['series.values[1]', 'must be between -100 and 100', '101'],
      ]);
      expect(await ask(series(doubles()))).to.deep.equal([
        ['series.values', 'must have at least one element', '0'],
        ['series.weight', MISSING, null],
      ]);
    });
  }

  for (const protocol of PROTOCOL_NAMES) {
    it(`is told to a caller of Prediction.predict too, ${protocol}`, async () => {
      const tensors = Object.entries(TENSORS).map(([name, parts]) => tensor({ name, ...parts }));
      const ask = (inputs: readonly Value[], model = 'nested') =>
        problemsOf(callOf(protocol, 'predict', [1, struct([2, text(model)], [6, list(STRUCT, inputs)])]));
      expect(await ask(tensors)).to.equal(undefined);
      const broken = Object.entries({ ...TENSORS, ...BROKEN }).map(([name, parts]) => tensor({ name, ...parts }));
      expect(await ask(broken)).to.have.deep.members([
        ['inputs.bill.length_mm[0]', 'must be between 0 and 100 mm', '-1'],
        ['inputs.spectrum[0][4]', 'must be between -10 and 10', '11'],
        ['inputs.words[0][1]', 'must be one of red, green', 'blue'],
        ['inputs.stock[0][0]', 'must be between 0 and 99', '100'],
        ['inputs.secret[0]', 'must be one of alpha, beta', null],
        ['inputs.hidden[0][1]', 'must be at most 9', null],
      ]);
      const series = (...values: number[]) => [
        tensor({ name: 'values', dataType: float64, shape: [1, values.length], data: doublesOf(values) }),
        tensor({ name: 'weight', dataType: float64, shape: [1, 1], data: doublesOf([1]) }),
      ];
      expect(await ask(series(1, 2, 3), 'open')).to.equal(undefined);
      expect(await ask(series(1, 2, -101), 'open')).to.deep.equal([
        ['inputs.values[0][2]', 'must be between -100 and 100', '-101'],
      ]);
    });
  }

  it('is in no line of the log where it is sensitive', async () => {
    for (const [id, value] of [
      [11, text('hush-hush')],
      [14, bytes(201, 202)],
    ] as const)
      expect(errorOf(await nested.ask(callOf('binary', 'Echoes:echo', [1, row([id, value])])))!.message)
        .to.include('nested.')
        .and.not.match(/hush|201|202/);
    expect(lines.join('')).to.not.include('hush-hush');
  });
});
