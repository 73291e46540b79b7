/** What a hostile or broken caller may do to a server in a process of its own, and that nobody else notices. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { codeOfNumber } from '#parley/errors.js';
import { STRUCT } from '#parley/rpc/wire/protocol.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller, framed } from './caller.js';
import { ServerProcess } from './fork.js';
import { callOf, type HostileCase, header, hostileCases, list, penguin, rawCases } from './hostile-cases.js';
import { claimCases } from './hostile-claims.js';
import { shapeCases } from './hostile-shapes.js';
import { outcomeOf } from './messages.js';
import { fillStore } from './served.js';
import type { State } from './server-process.js';
import { encode, PROTOCOL_NAMES } from './wire-values.js';

/** Short where a test waits for them. */
const LIMITS = { partialFrameTimeoutMs: 2_000, writeTimeoutMs: 2_000, connections: 1_000 };
const GOOD_SEQUENCE = 424_242;

const goodCall = (): Buffer => {
  const message = Buffer.concat([
    header('binary', 'Penguins:identify', 1, GOOD_SEQUENCE),
    encode('binary', { type: STRUCT, fields: [[1, penguin()]] }),
  ]);
  return framed(message);
};
const GOOD = goodCall();

/** What a reply is called in a case. */
function told(frame: Buffer | undefined): string {
  if (frame === undefined) return 'closed';
  const { kind, code } = outcomeOf(frame);
  if (kind === 'exception') return `exception ${code}`;
  return kind === 'answer' ? 'answer' : codeOfNumber(code ?? 0);
}

function expectOutcome(found: string, expected: string): void {
  expect(found, 'a defect is not an answer to bad input').to.not.equal('INTERNAL');
  if (expected === 'any') return;
  if (expected === 'refused') expect(found).to.not.equal('answer');
  else expect(found).to.equal(expected);
}

describe('a hostile caller', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: World, server: ServerProcess, good: Caller, begin: State;

  before(async () => {
    world = new World(redis);
    await fillStore(world.store);
    server = await ServerProcess.start(world, LIMITS);
    good = await Caller.open(server.address);
    await expectGoodCall();
    for (const each of [...rawCases(), ...hostileCases('binary')].filter(({ bytes }) => bytes.length < 1e6))
      await provoke(each);
    begin = await server.state();
  });
  after(async () => {
    good?.close();
    if (server !== undefined) expect(await server.stop(), 'the exit status of the server').to.equal(0);
    await world?.close();
  });

  const open = () => Caller.open(server.address);

  /** A call on the connection that has been there all the time. */
  async function expectGoodCall(): Promise<void> {
    const reply = await good.send(GOOD).reply();
    expect(reply === undefined ? undefined : outcomeOf(reply)).to.deep.include({ kind: 'answer' });
    expect(outcomeOf(reply as Buffer).header.sequenceId).to.equal(GOOD_SEQUENCE);
  }

  /** @returns what became of one message, after which the connection lives on or is closed */
  async function provoke({ bytes }: HostileCase): Promise<string> {
    const caller = await open();
    try {
      const reply = await caller.send(bytes).reply();
      if (reply === undefined) return 'closed';
      const next = await caller.send(GOOD).reply();
      expect(next, 'the connection lives on after a reply').to.not.equal(undefined);
      expect(outcomeOf(next as Buffer).header.sequenceId, 'one message has one reply').to.equal(GOOD_SEQUENCE);
      return told(reply);
    } finally {
      caller.close();
    }
  }

  describe('is answered or closed, and nobody else is disturbed:', () => {
    const cases = PROTOCOL_NAMES.flatMap((name) => [...hostileCases(name), ...claimCases(name), ...shapeCases(name)]);
    for (const each of [...rawCases(), ...cases]) {
      it(`${each.name}: ${each.outcome}`, async () => {
        expectOutcome(await provoke(each), each.outcome);
        await expectGoodCall();
      });
    }
  });

  describe('that', () => {
    afterEach(expectGoodCall);

    it('sends a thousand calls in one write has all of them answered, in order', async () => {
      const caller = await open();
      const calls = Array.from({ length: 1_000 }, (_, i) =>
        framed(
          Buffer.concat([
            header(i % 2 ? 'binary' : 'compact', 'Penguins:identify', 1, i),
            encode(i % 2 ? 'binary' : 'compact', { type: STRUCT, fields: [[1, penguin()]] }),
          ]),
        ),
      );
      const replies = await caller.send(Buffer.concat(calls)).heard(1_000);
      expect(replies.map((reply) => outcomeOf(reply).header.sequenceId)).to.deep.equal(calls.map((_, i) => i));
      expect(new Set(replies.map(told))).to.deep.equal(new Set(['answer']));
      caller.close();
    });

    it('half-closes its connection behind five thousand calls gets all replies, then the end', async () => {
      const caller = await open();
      caller.socket.end(Buffer.concat(new Array(5_000).fill(GOOD)));
      const replies = await caller.ended();
      expect(replies).to.have.length(5_000);
      expect(new Set(replies.map(told))).to.deep.equal(new Set(['answer']));
    });

    it('half-closes behind half a frame is closed', async () => {
      const caller = await open();
      caller.socket.end(Buffer.concat([GOOD, GOOD.subarray(0, 20)]));
      expect((await caller.ended()).map(told)).to.deep.equal(['answer']);
    });

    it('sends ten thousand frames that are no messages is closed at the first', async () => {
      const caller = await open();
      caller.send(Buffer.alloc(50_000, Buffer.from('0000000180', 'hex')));
      expect(await caller.ended()).to.have.length(0);
    });

    it('sends ten thousand unknown calls gets ten thousand exceptions', async () => {
      const caller = await open();
      const replies = await caller.send(Buffer.concat(new Array(10_000).fill(callOf('compact', 'x')))).heard(10_000);
      expect(new Set(replies.map(told))).to.deep.equal(new Set(['exception 1']));
      caller.close();
    });

    it('sends a byte at a time is answered', async () => {
      const caller = await open();
      for (const byte of Buffer.concat([GOOD, GOOD])) {
        caller.send(Buffer.of(byte));
        await setImmediate();
      }
      expect((await caller.heard(2)).map(told)).to.deep.equal(['answer', 'answer']);
      caller.close();
    });

    it('resets its connections in the middle of frames and calls leaves none behind', async () => {
      for (let i = 0; i < 200; i++) {
        const caller = await open();
        caller.socket.write(i % 2 ? Buffer.concat([GOOD, GOOD.subarray(0, i)]) : GOOD.subarray(0, i), () =>
          caller.socket.resetAndDestroy(),
        );
        await once(caller.socket, 'close');
      }
      await until('the connections to be gone', async () => (await server.state()).connections === 1);
    });

    it('stalls in the middle of a frame is closed, however slowly it goes on', async () => {
      const caller = await open();
      caller.send(GOOD.subarray(0, 10));
      const more = setInterval(() => caller.send(Buffer.of(0)), 500);
      try {
        expect(await caller.ended(8_000)).to.have.length(0);
      } finally {
        clearInterval(more);
      }
    });

    it('announces 64 MiB on 200 connections and sends ten bytes costs next to nothing', async () => {
      const before = await server.state();
      const callers = await Promise.all(Array.from({ length: 200 }, open));
      for (const caller of callers) caller.send(Buffer.from('04000000 8001000100000007', 'hex').subarray(0, 10));
      for (const caller of callers) caller.send(Buffer.from('04000000800100010000', 'hex'));
      await until('the connections to be there', async () => (await server.state()).connections >= 201);
      expect((await server.state()).liveBytes - before.liveBytes).to.be.below(20e6);
      await Promise.all(callers.map((caller) => caller.ended(8_000)));
    });

    it('opens 200 connections and says nothing costs next to nothing', async () => {
      const before = await server.state();
      const callers = await Promise.all(Array.from({ length: 200 }, open));
      await until('the connections to be there', async () => (await server.state()).connections >= 201);
      expect((await server.state()).liveBytes - before.liveBytes).to.be.below(20e6);
      for (const caller of callers) caller.close();
      await until('the connections to be gone', async () => (await server.state()).connections === 1);
    });

    it('never reads its replies is closed, and what it could not take is bounded', async () => {
      const before = await server.state();
      const caller = await open();
      caller.socket.pause();
      const calls = Buffer.concat(
        new Array(50).fill(
          callOf('binary', 'Penguins:identify_many', [1, list(STRUCT, new Array(500).fill(penguin()))]),
        ),
      );
      let most = 0;
      // It may well be told by an error that it was closed.
      caller.socket.on('error', () => {});
      const ended = new Promise((resolve) => caller.socket.once('close', resolve));
      // As many as it takes: the server stops reading at last, so that these writes do not end.
      let sent = 0;
      const more = () => {
        while (sent < 200 && !caller.socket.destroyed && !caller.socket.writableNeedDrain) {
          caller.send(calls);
          sent++;
        }
      };
      caller.socket.on('drain', more);
      more();
      const watch = async () => {
        const { liveBytes } = await server.state();
        most = Math.max(most, liveBytes - before.liveBytes);
        return (await server.state()).connections === 1;
      };
      await until('the connection to be closed', watch);
      caller.socket.resume();
      await ended;
      // Replies of calls that had been taken by then, some 1,000 of 53 KB, are made all the same, in buffers of up to twice that.
      expect(most).to.be.below(192e6);
    });
  });

  it('has not ended the process, nor taken its memory', async () => {
    const end = (await until('memory to come back', async () => {
      const state = await server.state();
      return state.rssBytes - begin.rssBytes < 100e6 ? state : undefined;
    })) as State;
    expect(end.pid).to.equal(begin.pid);
    expect(end.connections).to.equal(1);
  });
});
