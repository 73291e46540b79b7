/** What a typed call's rows are in the batch's columns: the same by whatever reader, in whatever order the fields come. */
import { expect } from 'chai';
import fc from 'fast-check';
import { Vocabulary } from '#parley/rpc/typed/vocabulary.js';
import type { TypedCodec } from '#parley/rpc/typed-codec.js';
import { BOOL, BYTE, DOUBLE, I32, I64, LIST, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { codecOf, decode } from './codecs.js';
import { PROTOCOL_NAMES, type Value } from './wire-values.js';

const WORDS = ['red', 'green', 'a', '', 'grün', 'abcd-1-wxyz', 'abcd-2-wxyz', 'abcdwxyz', 'abcdwxzz', 'bbcdwxyz'];

const row = fc.record({
  real: fc.double({ min: -10, max: 10, noNaN: true }),
  single: fc.option(fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constant(Number.NaN))),
  word: fc.constantFrom(...WORDS.filter((word) => word !== '')),
  other: fc.option(fc.constantFrom(...WORDS)),
  flag: fc.boolean(),
  whole: fc.integer({ min: 0, max: 100 }),
  long: fc.integer({ min: -1e9, max: 1e9 }),
  size: fc.constantFrom(1, 7),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

const fieldsOf = ({ real, single, word, other, flag, whole, long, size }: Row): [number, Value][] => [
  [1, { type: DOUBLE, value: real }],
  ...(single === null ? [] : [[2, { type: DOUBLE, value: single }] as [number, Value]]),
  [3, { type: STRING, value: word }],
  ...(other === null ? [] : [[4, { type: STRING, value: other }] as [number, Value]]),
  [25, { type: BOOL, value: flag }],
  [26, { type: BYTE, value: whole }],
  [27, { type: I64, value: long }],
  [28, { type: I32, value: size }],
];

describe('the columns of a typed call', () => {
  let codec: TypedCodec;
  before(async () => {
    codec = await codecOf(
      `1: optional double real (min = "-10", max = "10")
       2: optional double single (missing = "allowed")
       3: optional string word (values = "${WORDS.filter((word) => word !== '').join(',')}")
       4: optional string other (values = "${WORDS.filter((word) => word !== '').join(',')}", missing = "allowed")
      25: optional bool flag
      26: optional byte whole (min = "0", max = "100")
      27: optional i64 long_number (min = "-1000000000", max = "1000000000")
      28: optional Size size`,
      [
        ['real', 'float64'],
        ['single', 'float32'],
        ['word', 'string'],
        ['other', 'string'],
        ['flag', 'bool'],
        ['whole', 'float32'],
        ['long_number', 'int64'],
        ['size', 'string'],
      ],
    );
  });

  for (const protocol of PROTOCOL_NAMES)
    it(`are what was sent, whatever the order and whatever else is there, ${protocol}`, () => {
      const order = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 });
      const unknown: [number, Value] = [900, { type: LIST, element: I32, values: [{ type: I32, value: 3 }] }];
      const calls = fc.array(fc.tuple(row, fc.boolean()), { minLength: 1, maxLength: 30 });
      fc.assert(
        fc.property(calls, order, (rows, keys) => {
          const mixed = rows.map(([each, hasMore]): Value => {
            const fields = [...fieldsOf(each), ...(hasMore ? [unknown] : [])];
            return {
              type: STRUCT,
              fields: fields
                .map((field, i) => [keys[i]!, field] as const)
                .sort(([a], [b]) => a - b)
                .map(([, field]) => field),
            };
          });
          const all = rows.map(([each]) => each);
          expect(decode(codec, protocol, mixed)).to.deep.equal({
            real: all.map(({ real }) => real),
            single: all.map(({ single }) => single ?? Number.NaN),
            word: all.map(({ word }) => word),
            other: all.map(({ other }) => other ?? ''),
            flag: all.map(({ flag }) => Number(flag)),
            whole: all.map(({ whole }) => whole),
            long_number: all.map(({ long }) => BigInt(long)),
            size: all.map(({ size }) => (size === 1 ? 'small' : 'large')),
          });
        }),
        { numRuns: 300 },
      );
    });

  it('have a bound, whatever little a row is on the wire', async () => {
    const wide = await codecOf('1: optional list<double> many (shape = "100000")', [['many', 'float64', 100_000]]);
    const empty = (count: number) => Array.from({ length: count }, (): Value => ({ type: STRUCT, fields: [] }));
    expect(() => decode(wide, 'binary', empty(400))).to.throw(/send at most 335/);
    expect(() => decode(wide, 'binary', empty(3))).to.throw(/rows\[0\]\.many is missing/);
  });
});

describe('a vocabulary', () => {
  it('finds its members by their bytes, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 14 }), { maxLength: 40 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 14 }),
        (members, asked) => {
          const vocabulary = new Vocabulary(members);
          for (const word of [...members, asked]) {
            const bytes = Buffer.from(`xx${word}yy`),
              length = Buffer.byteLength(word),
              view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
            expect(vocabulary.find(bytes, 2, length)).to.equal(members.indexOf(word));
            expect(vocabulary.findBy(view, bytes, 2, length)).to.equal(members.indexOf(word));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('tells words apart that differ in one byte, wherever it is', () => {
    for (let length = 1; length <= 12; length++) {
      const words = Array.from({ length: 1 << Math.min(length, 9) }, (_, i) =>
        i.toString(2).padStart(length, '0').replaceAll('0', 'a').replaceAll('1', 'b'),
      ).flatMap((word) => [word, [...word].reverse().join('')]);
      const members = [...new Set(words)].filter((_, i) => i % 2 === 0),
        vocabulary = new Vocabulary(members);
      for (const word of words) expect(vocabulary.find(Buffer.from(word), 0, length)).to.equal(members.indexOf(word));
    }
  });
});
