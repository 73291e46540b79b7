/** Rows as JSON has them, and rows that are made up, sent to a contract of nested rows. */
import { expect } from 'chai';
import type { ContractService } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import { ParleyError } from '#parley/errors.js';
import { typedFrame } from '#parley/load/frames.js';
import { chanceOf, madeUpRow } from '#parley/load/made-up.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { valuesOfRow } from '#parley/rpc/client/plain-rows.js';
import { callTyped, type PlainRow } from '#parley/rpc/client/typed.js';
import { sharedRedis } from '../store/redis-server.js';
import { HEIGHT, NESTED_IDL, OPEN_IDL, PIXELS, WIDTH } from './nested-model.js';
import { errorOf, type NestedServed, serveNested } from './nested-served.js';
import { PROTOCOL_NAMES } from './wire-values.js';

const serviceOf = (idl: string): ContractService =>
  parseContract({ file: 'x.thrift', idl, includes: {} }).services[0] as ContractService;

const ROW: PlainRow = {
  bill: { length_mm: 40, depth_mm: null, print: { size: 'large' } },
  fuel: { battery: { capacity: 100 } },
  spectrum: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  counts: [1, 2, 3],
  words: ['red', null],
  flags: [true, false],
  shares: { large: 0.5 },
  stock: { nut: 3, bolt: 4 },
  samples: [0.25, 0.5, 1, -1],
  photo: Buffer.alloc(PIXELS, 9).toString('base64'),
  secret: 'beta',
  stamps: [-5, 2 ** 40],
  hidden: Buffer.from([1, 2]),
};
const FED = [
  ...[40, Number.NaN, Number.NaN, 100, Number.NaN],
  ...[1, 2, 3, 4, 5, 6, 1, 2, 3, 1, 0, Number.NaN, 0.5, 3, 4, 0.25, 0.5, 1, -1],
  ...Array<number>(PIXELS).fill(9),
  ...[-5, 2 ** 40, 1, 2, 7, 2, 0, 5],
];

describe('what a row of plain values cannot carry', () => {
  const [method] = serviceOf(`enum Size { UNSPECIFIED = 0, SMALL = 1 }
struct Person { 1: optional string name }
struct Row {
  1: optional byte b, 2: optional i16 s, 3: optional i32 i, 4: optional i64 l, 5: optional Size size
  6: optional binary raw (data_type = "uint8"), 7: optional list<i16> many, 8: optional Person person (sensitive)
}
struct Answer { 1: optional double value (role = "value") }
service Rows { Answer ask(1: Row row) } (model = "rows")`).methods;
  const told = (row: PlainRow): unknown => {
    try {
      return valuesOfRow(method!.request, row, 'row');
    } catch (error) {
      return (error as ParleyError).problems;
    }
  };

  it('is refused where another number would arrive', () => {
    const row = { b: -129, s: 70_000, i: 2 ** 31, l: 2 ** 63, size: 2 ** 32 + 1, raw: [1, 256], many: [1, 40_000] };
    expect((told(row) as ParleyError['problems']).map(({ path, message }) => `${path} ${message}`)).to.deep.equal([
      'row.b must fit into byte',
      'row.s must fit into i16',
      'row.i must fit into i32',
      'row.l must fit into i64',
      'row.size must fit into i32',
      'row.raw must be numbers that fit into uint8',
      'row.many each value must fit into i16',
    ]);
    const most = { b: -128, s: 32_767, i: -(2 ** 31), l: -(2 ** 63), size: 1, raw: [0, 255], many: [-32_768] };
    expect(told(most)).to.deep.equal([
      -128,
      32_767,
      -(2 ** 31),
      -(2 ** 63),
      1,
      Buffer.from([0, 255]),
      [-32_768],
      undefined,
    ]);
  });

  it('is not shown where nobody may see it', () => {
    expect(told({ person: 'Grace Hopper' })).to.deep.equal([{ path: 'row.person', message: 'must be an object' }]);
  });
});

describe('a row of plain values', () => {
  const redis = sharedRedis(),
    service = serviceOf(NESTED_IDL);
  let nested: NestedServed, connection: ClientConnection;
  before(async function () {
    this.timeout(60_000);
    nested = await serveNested(redis);
    connection = await ClientConnection.open(nested.served);
  });
  after(async () => {
    connection?.close();
    await nested?.close();
  });

  const ask = (rows: readonly PlainRow[], many = rows.length > 1) => callTyped(connection, service, rows, { many });
  const refused = async (row: PlainRow): Promise<ParleyError> => {
    const error: unknown = await ask([row]).catch((raised: unknown) => raised);
    if (error instanceof ParleyError) return error;
    throw new Error('it was not refused');
  };

  it('is sent as it means, and answered with lists', async () => {
    const [answer] = await ask([ROW]);
    expect(answer!.fed).to.deep.equal(FED);
    expect(answer!.low).to.deep.equal(FED.map((value) => value / 2));
    const many = await ask([ROW, { ...ROW, fuel: { litres: 5 } }]);
    expect(many.map(({ fed }) => (fed as number[]).slice(2, 4))).to.deep.equal([
      [Number.NaN, 100],
      [5, Number.NaN],
    ]);
  });

  it('is told all that no call could carry, where it stands', async () => {
    const error = await refused({
      ...ROW,
      bill: { lenght_mm: 4 },
      fuel: 3,
      spectrum: 'x',
      counts: [1, null, 3],
      words: [4],
      stock: { nut: 1, screw: 2 },
      photo: [1, 2],
      stamps: [0.5, 1],
      hidden: { a: 1 },
    });
    expect(error.problems.map(({ path, message }) => `${path} ${message}`)).to.deep.equal([
      'nested.bill.lenght_mm there is no such field (did you mean "length_mm"?)',
      'nested.fuel must be an object',
      'nested.spectrum must be a list',
      'nested.counts cannot leave out values, because i32 has nothing that says so',
      'nested.words each value must be a string',
      'nested.stock must have no other keys than nut, bolt',
      'nested.photo must be bytes in base64',
      'nested.stamps must be whole numbers',
      'nested.hidden must be bytes in base64, or a list of numbers (uint8)',
    ]);
    expect(error.problems.at(-1)).to.not.have.property('got');
  });

  it('is told what the contract does not allow by the server', async () => {
    const error = await refused({ ...ROW, spectrum: [1, 2], secret: 'gamma' });
    expect(error.problems.map(({ path }) => path)).to.deep.equal(['nested.spectrum', 'nested.secret']);
  });

  for (const protocol of PROTOCOL_NAMES)
    it(`that is made up keeps the contract, ${protocol}`, async () => {
      const chance = chanceOf(3);
      for (const each of [service, serviceOf(OPEN_IDL)])
        for (const method of each.methods) {
          const rows = Array.from({ length: method.many ? 9 : 1 }, () => madeUpRow(method, chance));
          const reply = await nested.ask(typedFrame(protocol, { service: each, method, rows }));
          expect(errorOf(reply)?.message).to.equal(undefined);
        }
    });

  it('that is made up has a picture where only files are taken', async () => {
    const png = serviceOf(NESTED_IDL.replace('"rgb8,png,jpeg"', '"png"')),
      [method] = png.methods;
    const photo = method!.request.fields.findIndex(({ name }) => name === 'photo');
    const made = madeUpRow(method!, chanceOf(5));
    expect(
      Buffer.from(made[photo] as Buffer)
        .subarray(1, 4)
        .toString(),
    ).to.equal('PNG');
    const reply = await nested.ask(typedFrame('binary', { service: png, method: method!, rows: [made] }));
    expect(errorOf(reply)?.message).to.equal(undefined);
    expect([HEIGHT, WIDTH]).to.deep.equal([(made[photo] as Buffer)[23], (made[photo] as Buffer)[19]]);
  });
});
