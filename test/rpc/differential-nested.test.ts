/** Typed methods whose rows hold structs, unions, lists, maps and bytes, against code that the Thrift compiler made. */
import { expect } from 'chai';
import fc from 'fast-check';
import { REPLY } from '#parley/rpc/wire/protocol.js';
import { skip } from '../skip.js';
import { sharedRedis } from '../store/redis-server.js';
import { framed } from './caller.js';
import { field, readStructs, rewritten, writeStructs } from './generated-replies.js';
import { call, message, openReply } from './messages.js';
import { CODES, NESTED_IDL, OPEN_IDL, PIXELS } from './nested-model.js';
import { type NestedServed, serveNested, stubsOf } from './nested-served.js';
import { PROTOCOL_NAMES } from './wire-values.js';

const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((v) => (Math.abs(v) < 1e-300 ? 0 : v));
const list = <T>(of: fc.Arbitrary<T>, length: number) => fc.array(of, { minLength: length, maxLength: length });

const row = fc.record({
  length: real(0, 100),
  depth: fc.option(real(0, 50)),
  size: fc.constantFrom('small', 'large'),
  fuel: fc.oneof(
    fc.record({ litres: real(0, 100) }),
    fc.record({ capacity: real(0, 200), cells: fc.option(fc.integer({ min: 1, max: 900 })) }),
  ),
  spectrum: list(real(-10, 10), 6),
  counts: fc.option(list(fc.integer({ min: 0, max: 1000 }), 3)),
  words: fc.option(list(fc.constantFrom('red', 'green', ''), 2)),
  flags: list(fc.boolean(), 2),
  shares: fc.record({ small: real(0, 1), large: real(0, 1) }, { requiredKeys: [] }),
  stock: fc.record({ nut: fc.integer({ min: 0, max: 99 }), bolt: fc.integer({ min: 0, max: 99 }) }),
  samples: list(fc.float({ min: -1, max: 1, noNaN: true }), 4),
  photo: list(fc.integer({ min: 0, max: 255 }), PIXELS),
  secret: fc.constantFrom('alpha', 'beta'),
  code: fc.option(fc.constantFrom('AB1', 'XY123456')),
  stamps: list(fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }), 2),
  hidden: list(fc.integer({ min: 0, max: 9 }), 2),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

/** As generated code takes it. */
// biome-ignore lint/suspicious/noExplicitAny: of stubs that are made while the test runs
function asStruct(stubs: any, asked: Row): object {
  const { Nested, Bill, Print, Fuel, Battery, Size } = stubs;
  const sizes = Object.entries(asked.shares).filter(([, value]) => value !== undefined);
  const bytes = (array: Float32Array | BigInt64Array) => Buffer.from(array.buffer);
  return new Nested({
    bill: new Bill({
      length_mm: asked.length,
      depth_mm: asked.depth,
      print: new Print({ size: Size[asked.size.toUpperCase()] }),
    }),
    fuel: new Fuel('litres' in asked.fuel ? { litres: asked.fuel.litres } : { battery: new Battery(asked.fuel) }),
    spectrum: asked.spectrum,
    counts: asked.counts,
    words: asked.words,
    flags: asked.flags,
    shares: Object.fromEntries(sizes.map(([key, value]) => [Size[key.toUpperCase()], value])),
    stock: { ...asked.stock },
    samples: bytes(Float32Array.from(asked.samples)),
    photo: Buffer.from(asked.photo),
    secret: asked.secret,
    code: asked.code,
    stamps: bytes(BigInt64Array.from(asked.stamps)),
    hidden: Buffer.from(asked.hidden),
  });
}

/** What the graph is fed, in its order. */
function fedOf(asked: Row): number[] {
  const { fuel, shares, stock } = asked;
  const battery = 'litres' in fuel ? undefined : fuel;
  return [
    asked.length,
    asked.depth ?? Number.NaN,
    'litres' in fuel ? fuel.litres : Number.NaN,
    battery?.capacity ?? Number.NaN,
    battery?.cells ?? Number.NaN,
    ...asked.spectrum,
    ...(asked.counts ?? [-1, -1, -1]),
    ...asked.flags.map(Number),
    shares.small ?? Number.NaN,
    shares.large ?? Number.NaN,
    stock.nut,
    stock.bolt,
    ...asked.samples,
    ...asked.photo,
    ...asked.stamps.map(Number),
    ...asked.hidden,
    CODES[asked.size]!,
    ...(asked.words ?? ['', '']).map((word) => CODES[word]!),
    CODES[asked.secret]!,
  ];
}

interface Echo {
  readonly fed: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly provenance: object;
}

function expectEcho(echo: Echo, asked: Row): void {
  const fed = fedOf(asked);
  // The package writes -0 as 0.
  const plain = (values: readonly number[]) => values.map((value) => value + 0);
  expect(plain(echo.fed)).to.deep.equal(plain(fed));
  expect(plain(echo.low)).to.deep.equal(plain(fed.map((value) => value / 2)));
  expect(plain(echo.high)).to.deep.equal(plain(fed.map((value) => value * 2)));
  expect(echo.provenance).to.include({ model: 'nested', alias_name: 'production' });
}

describe('a contract whose rows hold more than single values', () => {
  const redis = sharedRedis();
  let nested: NestedServed;
  // biome-ignore lint/suspicious/noExplicitAny: made while the test runs
  let stubs: any, open: any;
  before(async function () {
    this.timeout(60_000);
    stubs = stubsOf('nested', NESTED_IDL);
    open = stubsOf('open', OPEN_IDL);
    if (stubs === undefined) skip(this, 'no Thrift compiler on PATH');
    nested = await serveNested(redis);
  });
  after(() => nested?.close());

  for (const protocol of PROTOCOL_NAMES) {
    it(`feeds one row as generated code wrote it, and answers as it reads, ${protocol}`, async () => {
      await fc.assert(
        fc.asyncProperty(row, fc.integer(), async (asked, sequenceId) => {
          const reply = await nested.answer(call(protocol, 'Echoes:echo', asStruct(stubs, asked), sequenceId));
          const { header, struct } = field<Echo>(reply, 0, stubs.Echo);
          expect(header).to.deep.equal({ name: 'echo', type: REPLY, sequenceId });
          expectEcho(struct, asked);
        }),
        { numRuns: 60 },
      );
    });

    it(`feeds many rows, ${protocol}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 9 }), async (asked) => {
          const frame = message(protocol, 'Echoes:echo_many', (output) => {
            output.writeStructBegin('arguments');
            writeStructs(
              output,
              1,
              asked.map((each) => asStruct(stubs, each)),
            );
            output.writeFieldStop();
            output.writeStructEnd();
          });
          const echoes = readStructs<Echo>(openReply(await nested.answer(framed(frame))).input, stubs.Echo);
          expect(echoes).to.have.length(asked.length);
          echoes.forEach((each, i) => {
            expectEcho(each, asked[i] as Row);
          });
        }),
        { numRuns: 30 },
      );
    });

    it(`writes what generated code would write, ${protocol}`, async () => {
      const [asked] = fc.sample(row, { numRuns: 1, seed: 5 }) as [Row];
      const reply = await nested.answer(
        call(protocol, 'Echoes:echo', asStruct(stubs, { ...asked, depth: 3, fuel: { litres: 3 } })),
      );
      const { header, struct } = field<Echo>(reply, 0, stubs.Echo);
      // NaN has more than one spelling.
      if (struct.fed.some(Number.isNaN))
        expect(reply.length).to.equal(rewritten(protocol, header, 0, struct).length / 2);
      else expect(rewritten(protocol, header, 0, struct)).to.equal(reply.toString('hex'));
    });

    it(`answers rows of lists of different lengths as each would be alone, ${protocol}`, async () => {
      const series = fc.record({
        values: fc.array(real(-100, 100), { minLength: 1, maxLength: 40 }),
        weight: real(-3, 3),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(series, { minLength: 1, maxLength: 12 }), async (asked) => {
          const rows = asked.map((each) => new open.Series(each));
          const frame = message(protocol, 'Sums:sum_many', (output) => {
            output.writeStructBegin('arguments');
            writeStructs(output, 1, rows);
            output.writeFieldStop();
            output.writeStructEnd();
          });
          interface Summed {
            readonly total: number;
            readonly provenance: { readonly model: string };
          }
          const summed = readStructs<Summed>(openReply(await nested.answer(framed(frame))).input, open.Summed);
          expect(summed).to.have.length(asked.length);
          for (const [i, { values, weight }] of asked.entries()) {
            const total = values.reduce((sum, value) => sum + value, 0) * weight;
            expect(summed[i]!.total).to.be.closeTo(total, 1e-9);
            expect(summed[i]!.provenance.model).to.equal('open');
            const alone = await nested.answer(call(protocol, 'Sums:sum', rows[i]));
            expect(field<Summed>(alone, 0, open.Summed).struct.total).to.equal(summed[i]!.total);
          }
        }),
        { numRuns: 15 },
      );
    });
  }
});
