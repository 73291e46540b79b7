/** Typed methods with every kind of field, against code that the Thrift compiler made of the contract. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import Int64 from 'node-int64';
import types from '#gen/parley_types.js';
import { REPLY, STRUCT } from '#parley/rpc/wire/protocol.js';
import { skip } from '../skip.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller, framed } from './caller.js';
import { field, readStructs, rewritten, WRITE, writeStructs } from './generated-replies.js';
import { call, message, openReply, type Writable } from './messages.js';
import { KINDS_IDL, placeSmall, type Served, serve } from './served.js';
import { PROTOCOL_NAMES, packageWriter } from './wire-values.js';

describe('a contract that has every kind of field', () => {
  const redis = sharedRedis();
  let world: World, served: Served, caller: Caller;
  // biome-ignore lint/suspicious/noExplicitAny: made while the test runs
  let stubs: any;
  before(async function () {
    this.timeout(60_000);
    const folder = 'dist-test/rpc/kinds-stubs',
      idl = join(folder, 'kinds.thrift');
    mkdirSync(folder, { recursive: true });
    writeFileSync(idl, KINDS_IDL);
    const made = spawnSync('thrift', ['-r', '--gen', 'js:node,es6', '-I', 'idl', '-out', folder, idl]);
    if (made.status !== 0) skip(this, 'no Thrift compiler on PATH');
    writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
    stubs = createRequire(join(process.cwd(), folder, 'x.js'))('./kinds_types.js');
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

  const ask = async (frame: Buffer): Promise<Buffer> => {
    const reply = await caller.send(frame).reply();
    expect(reply, 'a reply').to.not.equal(undefined);
    return reply as Buffer;
  };

  const small = fc.integer({ min: -5, max: 5 });
  const row = fc.record({
    flag: fc.boolean(),
    tiny: small,
    short_number: small,
    number: fc.integer({ min: -7, max: 5 }),
    long_number: small.map((value) => new Int64(value)),
    real: fc.double({ min: -10, max: 10, noNaN: true }).map((value) => (Math.abs(value) < 1e-300 ? 0 : value)),
    text: fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
    word: fc.constantFrom('red', 'green'),
    size: fc.constantFrom(1, 7),
    key: fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 9 })),
    note: fc.option(fc.integer().map((value) => new Int64(value))),
    spare: fc.option(small),
  });
  type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

  /** The probability of "good". */
  const chanceOf = ({ flag, tiny, short_number, number, long_number, real, spare }: Row): number =>
    1 / (1 + 2 ** -(Number(flag) + tiny + short_number + number + Number(long_number) + real + (spare ?? 2.5)));
  interface Judged {
    readonly chance: number;
    readonly sure: number;
    readonly shares: Readonly<Record<string, number>>;
    readonly verdict: number | string;
    readonly provenance: object;
  }
  const expectJudged = (judged: Judged, asked: Row) => {
    const good = chanceOf(asked);
    expect(judged.chance).to.be.closeTo(good, 1e-6);
    expect(judged.sure).to.be.closeTo(Math.max(good, 1 - good), 1e-6);
    expect(Object.keys(judged.shares)).to.deep.equal(['3', '9']);
    expect(judged.shares[3]).to.be.closeTo(1 - good, 1e-6);
    expect(judged.shares[9]).to.equal(judged.chance);
    // Nearer to the middle, float32 does not say which was likelier.
    if (Math.abs(good - 0.5) > 1e-6) expect(judged.verdict).to.equal(good > 0.5 ? 9 : 3);
    expect(judged.provenance).to.include({ model: 'kinds', alias_name: 'production' });
  };

  for (const protocol of PROTOCOL_NAMES) {
    it(`answers one row as generated code reads and writes it, ${protocol}`, async () => {
      await fc.assert(
        fc.asyncProperty(row, fc.integer(), async (asked, sequenceId) => {
          const reply = await ask(call(protocol, 'Judges:judge', new stubs.Kinds(asked), sequenceId));
          const { header, struct } = field<Judged>(reply, 0, stubs.Judged);
          expect(header).to.deep.equal({ name: 'judge', type: REPLY, sequenceId });
          expectJudged(struct, asked);
          expect(rewritten(protocol, header, 0, struct)).to.equal(reply.toString('hex'));
        }),
        { numRuns: 60 },
      );
    });

    it(`answers many rows as generated code reads and writes them, ${protocol}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (asked) => {
          const frame = message(protocol, 'Judges:judge_many', (output) => {
            output.writeStructBegin('arguments');
            writeStructs(
              output,
              1,
              asked.map((each) => new stubs.Kinds(each)),
            );
            output.writeFieldStop();
            output.writeStructEnd();
          });
          const reply = await ask(framed(frame));
          const { header, input } = openReply(reply);
          const judged = readStructs<Judged>(input, stubs.Judged);
          expect(judged).to.have.length(asked.length);
          judged.forEach((each, i) => {
            expectJudged(each, asked[i] as Row);
          });
          const { output, bytes } = packageWriter(protocol);
          output.writeMessageBegin(header.name, header.type, header.sequenceId);
          output.writeStructBegin('result');
          writeStructs(output, 0, judged);
          output.writeFieldStop();
          output.writeStructEnd();
          expect(bytes().toString('hex')).to.equal(reply.toString('hex'));
        }),
        { numRuns: 30 },
      );
    });

    it(`answers a class as text, and a map of text, ${protocol}`, async () => {
      await fc.assert(
        fc.asyncProperty(row, async (asked) => {
          const reply = await ask(call(protocol, 'Words:word', new stubs.Kinds(asked)));
          const { header, struct } = field<Judged>(reply, 0, stubs.Worded);
          const good = chanceOf(asked);
          if (Math.abs(good - 0.5) > 1e-6) expect(struct.verdict).to.equal(good > 0.5 ? 'good' : 'bad');
          expect(struct.shares.good).to.be.closeTo(good, 1e-6);
          expect(rewritten(protocol, header, 0, struct)).to.equal(reply.toString('hex'));
        }),
        { numRuns: 30 },
      );
    });

    it(`writes its errors as generated code does, ${protocol}`, async () => {
      const context = new types.RequestContext({ request_id: 'kinds-1' } as never);
      const frame = message(protocol, 'Judges:judge', (output) => {
        output.writeStructBegin('arguments');
        output.writeFieldBegin('kinds', STRUCT, 1);
        new stubs.Kinds({ tiny: 99, word: 'blue' })[WRITE](output);
        output.writeFieldBegin('context', STRUCT, 2);
        (context as unknown as Writable)[WRITE](output);
        output.writeFieldStop();
        output.writeStructEnd();
      });
      const reply = await ask(framed(frame));
      const { header, struct } = field(reply, 1, types.ParleyError);
      expect(struct).to.deep.include({ code: types.ErrorCode.INVALID_INPUT, request_id: 'kinds-1' });
      expect(struct.problems!.map(({ path }) => path)).to.include.members(['kinds.tiny', 'kinds.word', 'kinds.real']);
      expect(rewritten(protocol, header, 1, struct)).to.equal(reply.toString('hex'));
    });
  }
});
