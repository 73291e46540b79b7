/** Every constraint of a contract, broken: the caller is told the field's path, what it must be, and what it was. */
import { expect } from 'chai';
import types from '#gen/parley_types.js';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { BYTE, I16, I64, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller } from './caller.js';
import { kinds } from './fuzzing.js';
import { callOf, double, type Fields, i32, i64, list, struct, text } from './hostile-cases.js';
import { openReply, type Writable } from './messages.js';
import { placeSmall, type Served, serve } from './served.js';
import { PROTOCOL_NAMES, type Value } from './wire-values.js';

const READ = Symbol.for('read');
const MISSING = 'is missing; a value is required';
const LONG = 'x'.repeat(21);
const NOT_UTF8 = Buffer.from('c328', 'hex');
const int = (type: typeof BYTE | typeof I16, value: number): Value => ({ type, value });

/** What is said of a value; `got` is null where there was none. */
type Told = readonly [message: string, got: string | null];

/** Of a typed row: a field, what it is in its place, and what is said. Undefined leaves it out. */
const TYPED: readonly (readonly [field: string, id: number, value: Value | undefined, ...Told])[] = [
  ['flag', 1, undefined, MISSING, null],
  ['flag', 1, i32(1), 'must be bool, as the contract says', 'i32'],
  ['tiny', 2, int(BYTE, 6), 'must be between -5 and 5', '6'],
  ['tiny', 2, int(BYTE, -6), 'must be between -5 and 5', '-6'],
  ['tiny', 2, int(I16, 1), 'must be byte, as the contract says', 'i16'],
  ['short_number', 3, int(I16, 1001), 'must be at most 1000', '1001'],
  ['number', 4, i32(-8), 'must be at least -7', '-8'],
  ['long_number', 5, i64(2e12), 'must be between -1000000000000 and 1000000000000', '2000000000000'],
  ['long_number', 5, i64(-(2 ** 60)), 'must be between -1000000000000 and 1000000000000', String(-(2 ** 60))],
  ['real', 6, double(10.5), 'must be between -10 and 10 mm', '10.5'],
  ['real', 6, double(Number.NaN), MISSING, null],
  ['real', 6, double(Infinity), 'must be a finite number', 'Infinity'],
  ['real', 6, text('1'), 'must be double, as the contract says', 'string'],
  ['text', 7, text(LONG), 'must be at most 20 bytes of UTF-8, not 21', LONG],
  ['text', 7, text(NOT_UTF8), 'must be UTF-8', '2 bytes that are not'],
  ['word', 8, text('blue'), 'must be one of red, green', 'blue'],
  ['word', 8, text(''), MISSING, null],
  ['size', 9, i32(2), 'must be one of 1 (small), 7 (large)', '2'],
  ['size', 9, i32(0), 'must be one of 1 (small), 7 (large)', '0'],
  ['size', 9, text('small'), 'must be i32, as the contract says', 'string'],
  ['key', 10, text('x'.repeat(10)), 'must be at most 9 bytes of UTF-8, not 10', 'x'.repeat(10)],
  ['key', 10, i32(4), 'must be string, as the contract says', 'i32'],
  ['note', 11, text('x'), 'must be i64, as the contract says', 'string'],
  ['spare', 12, double(-Infinity), 'must be a finite number', '-Infinity'],
];

/** Of the generic service: an input, its one value, and what is said. */
const TENSORS: readonly (readonly [input: string, value: number | string, ...Told])[] = [
  ['tiny', 6, 'must be between -5 and 5', '6'],
  ['short_number', 1001, 'must be at most 1000', '1001'],
  ['number', -8, 'must be at least -7', '-8'],
  ['long_number', 2e12, 'must be between -1000000000000 and 1000000000000', '2000000000000'],
  ['real', 10.5, 'must be between -10 and 10 mm', '10.5'],
  ['real', Number.NaN, MISSING, null],
  ['real', -Infinity, 'must be a finite number', '-Infinity'],
  ['text', LONG, 'must be at most 20 bytes of UTF-8, not 21', LONG],
  ['word', 'blue', 'must be one of red, green', 'blue'],
  ['word', '', MISSING, null],
  ['size', 'huge', 'must be one of small, large', 'huge'],
];

/** The inputs of the same model, by name. */
const INPUTS: Readonly<Record<string, readonly [DataType, number | string]>> = {
  flag: ['bool', 1],
  tiny: ['int8', 1],
  short_number: ['int16', 1],
  number: ['int32', 1],
  long_number: ['int64', 1],
  real: ['float64', 1],
  spare: ['float64', 1],
  text: ['string', 'text'],
  word: ['string', 'red'],
  size: ['string', 'small'],
};

const WRITERS: Readonly<Partial<Record<DataType, (data: Buffer, value: number) => void>>> = {
  bool: (data, value) => data.writeUInt8(value),
  int8: (data, value) => data.writeInt8(value),
  int16: (data, value) => data.writeInt16LE(value),
  int32: (data, value) => data.writeInt32LE(value),
  int64: (data, value) => data.writeBigInt64LE(BigInt(value)),
  float64: (data, value) => data.writeDoubleLE(value),
};

/** Of two rows, the second one with this value. */
function tensorOf(name: string, value: number | string): Value {
  const [type, usual] = INPUTS[name]!,
    { number, bytes } = DATA_TYPES[type];
  const values = [usual, value];
  const data = values.map((each) => {
    const part = Buffer.alloc(bytes);
    if (typeof each === 'number') WRITERS[type]!(part, each);
    return part;
  });
  return struct(
    [1, text(name)],
    [2, i32(number)],
    [3, list(I64, [i64(2), i64(1)])],
    type === 'string'
      ? [
          4,
          list(
            STRING,
            values.map((each) => text(String(each))),
          ),
        ]
      : [5, text(Buffer.concat(data))],
  );
}

describe('a value that breaks the contract', () => {
  const redis = sharedRedis();
  let world: World, served: Served, caller: Caller;
  before(async function () {
    this.timeout(60_000);
    world = new World(redis);
    await placeSmall(world.store);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  after(async () => {
    caller?.close();
    await served?.close();
    await world?.close();
  });

  /** @returns the problems of the refusal; undefined for an answer */
  async function problemsOf(frame: Buffer): Promise<object[] | undefined> {
    const { input } = openReply((await caller.send(frame).reply())!);
    input.readStructBegin();
    if (input.readFieldBegin().fid === 0) return undefined;
    const error = new types.ParleyError();
    (error as unknown as Writable)[READ]!(input);
    expect(error).to.deep.include({ code: types.ErrorCode.INVALID_INPUT, retryable: false });
    const { path, message, got } = error.problems![0]!;
    const more = error.problems!.length > 1 ? ` (and ${error.problems!.length - 1} more problems)` : '';
    expect(error.message).to.equal(`${path} ${message}${got === null ? '' : `, got ${got}`}${more}`);
    return error.problems!.map((problem) => ({ ...problem }));
  }

  const changed = (id: number, value: Value | undefined): Value => kinds([id, value] as Fields[number]);

  for (const protocol of PROTOCOL_NAMES) {
    describe(`is told with its path, the bound and what it was, ${protocol}:`, () => {
      it('nothing, of rows that keep it', async () => {
        const inputs = Object.entries(INPUTS).map(([name, [, usual]]) => tensorOf(name, usual));
        for (const frame of [
          callOf(protocol, 'Judges:judge', [1, kinds()]),
          callOf(protocol, 'Judges:judge', [1, changed(12, undefined)]),
          callOf(protocol, 'Judges:judge_many', [1, list(STRUCT, [kinds(), changed(7, undefined)])]),
          callOf(protocol, 'predict', [1, struct([2, text('kinds')], [6, list(STRUCT, inputs)])]),
        ])
          expect(await problemsOf(frame)).to.equal(undefined);
      });

      for (const [field, id, value, message, got] of TYPED) {
        it(`${field}: ${message}, got ${got}`, async () => {
          const one = callOf(protocol, 'Judges:judge', [1, changed(id, value)]);
          expect(await problemsOf(one)).to.deep.equal([{ path: `kinds.${field}`, message, got }]);
          const many = callOf(protocol, 'Judges:judge_many', [1, list(STRUCT, [kinds(), changed(id, value), kinds()])]);
          expect(await problemsOf(many)).to.deep.equal([{ path: `rows[1].${field}`, message, got }]);
        });
      }

      for (const [input, value, message, got] of TENSORS) {
        it(`the tensor ${input}: ${message}, got ${got}`, async () => {
          const inputs = Object.entries(INPUTS).map(([name, [, usual]]) =>
            tensorOf(name, name === input ? value : usual),
          );
          const frame = callOf(protocol, 'predict', [1, struct([2, text('kinds')], [6, list(STRUCT, inputs)])]);
          expect(await problemsOf(frame)).to.deep.equal([{ path: `inputs.${input}[1]`, message, got }]);
        });
      }

      it('a bool that is neither 0 nor 1', async () => {
        const inputs = Object.entries(INPUTS).map(([name, [, usual]]) => tensorOf(name, name === 'flag' ? 2 : usual));
        const frame = callOf(protocol, 'predict', [1, struct([2, text('kinds')], [6, list(STRUCT, inputs)])]);
        expect(await problemsOf(frame)).to.deep.equal([
          { path: 'inputs[0].data[1]', message: 'must be 0 or 1', got: '2' },
        ]);
      });

      it('all of them at once, in the order of the fields', async () => {
        const row = kinds([2, int(BYTE, 6)], [8, text('blue')], [12, double(Infinity)]);
        const problems = await problemsOf(callOf(protocol, 'Judges:judge', [1, row]));
        expect(problems).to.deep.equal([
          { path: 'kinds.tiny', message: 'must be between -5 and 5', got: '6' },
          { path: 'kinds.word', message: 'must be one of red, green', got: 'blue' },
          { path: 'kinds.spare', message: 'must be a finite number', got: 'Infinity' },
        ]);
      });
    });
  }
});
