/** One connection's life on a real socket, with a handler that answers when the test says so. */
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Connection } from '#parley/rpc/connection.js';
import { DEFAULT_LIMITS, type Limits } from '#parley/rpc/limits.js';
import { RpcServer } from '#parley/rpc/server.js';
import { Certificates } from '#parley/security/certificates.js';
import { Batcher } from '#parley/serving/batcher.js';
import { TlsFiles } from '../security/tls-files.js';
import { until } from '../store/redis-server.js';
import { Caller, type CallerAddress, framed } from './caller.js';

/** A frame that was handed over and has no reply yet. */
interface Waiting {
  readonly connection: Connection;
  readonly body: Buffer;
  readonly arrivedMs: number;
}

class Desk {
  readonly waiting: Waiting[] = [];
  readonly seen = new Set<Connection>();
  address: CallerAddress = { host: '', port: 0 };
  private constructor(readonly server: RpcServer) {}

  /** @param files for TLS, with a CA and a server's pair */
  static async open(limits: Partial<Limits> = {}, files?: TlsFiles): Promise<Desk> {
    const onFrame = (connection: Connection, buffer: Buffer, start: number, end: number, arrivedMs: number) => {
      desk.seen.add(connection);
      desk.waiting.push({ connection, body: Buffer.from(buffer.subarray(start, end)), arrivedMs });
    };
    const log = pino({ level: 'silent' });
    const certificates = files && new Certificates(files.pair('server'));
    const desk: Desk = new Desk(
      new RpcServer(onFrame, new Batcher(), { ...DEFAULT_LIMITS, ...limits }, log, certificates),
    );
    desk.address = { ...(await desk.server.listen('127.0.0.1', 0)), ...(files && { ca: files.read('ca.crt') }) };
    return desk;
  }

  /** Repeats to its caller what came first, or `reply` in its place. */
  answer(reply?: Buffer): void {
    const { connection, body } = this.waiting.shift() as Waiting;
    if (!connection.closed) connection.reply(framed(reply ?? body));
    expect(connection.pending, 'calls without a reply').to.be.at.least(0);
  }

  until(count: number): Promise<unknown> {
    return until(`${count} frames`, () => this.waiting.length === count);
  }

  get only(): Connection {
    expect(this.seen.size).to.equal(1);
    return [...this.seen][0] as Connection;
  }
}

const numbered = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => framed(Buffer.from(`number ${i}`))));
const texts = (frames: readonly Buffer[]): string[] => frames.map(String);
const expected = (count: number): string[] => Array.from({ length: count }, (_, i) => `number ${i}`);

describe('a connection', () => itLives(() => undefined));

describe('a connection over TLS', () => {
  const files = new TlsFiles();
  before(() => {
    files.authority('ca');
    files.issue('server');
  });
  after(() => files.remove());
  itLives(() => files);
});

function itLives(files: () => TlsFiles | undefined): void {
  let desk: Desk;
  const callers: Caller[] = [];
  const start = async (limits: Partial<Limits> = {}): Promise<Caller> => {
    desk = await Desk.open(limits, files());
    return another();
  };
  const another = async (): Promise<Caller> => {
    const caller = await Caller.open(desk.address);
    callers.push(caller);
    return caller;
  };
  afterEach(async () => {
    const closed = desk.server.close();
    while (desk.waiting.length > 0) desk.answer();
    for (const caller of callers.splice(0)) caller.close();
    await closed;
    await until('the connections to be gone', () => desk.server.connections === 0);
    expect(desk.server.totals).to.deep.equal({ calls: 0, bytes: 0 });
  });

  it('hands over no more calls than it may have open, and goes on when they are answered', async () => {
    const caller = await start({ callsPerConnection: 4 });
    caller.send(numbered(30));
    await desk.until(4);
    for (let replies = 1; replies <= 30; replies++) {
      desk.answer();
      await caller.heard(replies);
      expect(desk.waiting.length).to.be.at.most(4);
      await until('the next call', () => desk.waiting.length > 0 || replies === 30);
    }
    expect(texts(caller.frames)).to.deep.equal(expected(30));
    expect(desk.only.pending).to.equal(0);
  });

  it('hands over no more while too many bytes of calls are kept, and goes on when they are let go', async () => {
    const caller = await start({ bufferedBytes: 100_000 });
    caller.send(numbered(1));
    await desk.until(1);
    desk.only.heldBytes += 200_000;
    caller.send(numbered(3));
    const other = await another();
    other.send(numbered(1));
    await until('the other caller', () => desk.seen.size === 2);
    expect(desk.waiting).to.have.length(2);
    expect(desk.server.totals.bytes).to.be.at.least(200_000);
    (desk.waiting[0] as Waiting).connection.heldBytes -= 200_000;
    desk.answer();
    await desk.until(4);
  });

  it('knows when frames were read that wait until others are answered', async () => {
    const caller = await start({ callsPerConnection: 1 });
    const last = Buffer.from('number 3'),
      cut = framed(last).subarray(0, 7);
    caller.send(Buffer.concat([numbered(3), cut]));
    await desk.until(1);
    const readMs = desk.waiting[0]!.arrivedMs;
    await until('time to pass', () => performance.now() > readMs + 20);
    for (let i = 0; i < 3; i++) {
      await until('the next call', () => desk.waiting.length > 0);
      expect(desk.waiting[0]!.arrivedMs).to.equal(readMs);
      desk.answer();
    }
    caller.send(framed(last).subarray(cut.length));
    await desk.until(1);
    expect(desk.waiting[0]!.arrivedMs).to.be.above(readMs + 20);
    desk.answer();
    expect(texts(await caller.heard(4))).to.deep.equal(expected(4));
  });

  it('answers all that was sent before the caller closed its side, though reading had paused', async () => {
    const caller = await start({ callsPerConnection: 2 });
    caller.socket.end(numbered(9));
    for (let replies = 0; replies < 9; replies++) {
      await until('a call', () => desk.waiting.length > 0);
      desk.answer();
    }
    expect(texts(await caller.ended())).to.deep.equal(expected(9));
  });

  it('answers all that was sent before the caller closed its side, when replies are taken late', async () => {
    const caller = await start({ callsPerConnection: 2, bufferedBytes: 1 << 20 });
    caller.socket.pause();
    caller.socket.end(numbered(5));
    const large = Buffer.alloc(16 << 20, 0x61);
    await until('a call', () => desk.waiting.length > 0);
    while (desk.waiting.length > 0) desk.answer(large);
    caller.socket.resume();
    for (let replies = 2; replies < 5; replies++) {
      await until('a call', () => desk.waiting.length > 0);
      desk.answer(large);
    }
    const replies = await caller.ended();
    expect(replies.map((reply) => reply.length)).to.deep.equal(new Array(5).fill(large.length));
  });

  it('stops reading while replies are not taken, and goes on when they are', async () => {
    const caller = await start({ bufferedBytes: 1 << 20 });
    caller.socket.pause();
    caller.send(numbered(1));
    await desk.until(1);
    desk.answer(Buffer.alloc(64 << 20));
    // Replies are written at the end of the turn.
    await setImmediate();
    await setImmediate();
    caller.send(numbered(5));
    const other = await another();
    other.send(numbered(1));
    await until('the other caller', () => desk.seen.size === 2);
    expect(desk.waiting).to.have.length(1);
    caller.socket.resume();
    await desk.until(6);
  });

  it('is closed when it says nothing', async () => {
    const caller = await start({ idleTimeoutMs: 100 });
    await caller.ended();
  });

  it('is not idle while a call is open, nor at once when it is answered', async () => {
    const caller = await start({ idleTimeoutMs: 1_500 });
    const idle = await another();
    caller.send(numbered(1));
    await desk.until(1);
    await idle.ended();
    expect(caller.closed).to.equal(false);
    desk.answer();
    await caller.heard(1);
    caller.send(numbered(1));
    await desk.until(1);
    expect(caller.closed).to.equal(false);
  });

  it('lets go of what is kept of its calls when its caller resets it', async () => {
    const caller = await start();
    caller.send(numbered(1));
    await desk.until(1);
    const { only } = desk,
      held = only.hold(Buffer.from('a frame'));
    expect(only.heldBytes).to.equal(7);
    caller.reset();
    await until('the connection to be closed', () => only.closed);
    expect([only.heldBytes, held.frame, only.release(held)]).to.deep.equal([0, undefined, undefined]);
  });

  it('is refused when there are too many', async () => {
    await start({ connections: 2 });
    await another();
    await until('both', () => desk.server.connections === 2);
    await (await another()).ended();
    await (await another()).ended();
    expect(desk.server.connections).to.equal(2);
    expect(desk.server.traffic.refused).to.equal(2);
    for (const caller of callers.slice(0, 2)) caller.send(numbered(1));
    await desk.until(2);
    callers[0]!.reset();
    await until('room', () => desk.server.connections === 1);
    (await another()).send(numbered(1));
    await desk.until(3);
  });

  it('hands over no more calls than all may have open, and goes on in turn when there are fewer', async () => {
    const caller = await start({ calls: 3 });
    caller.send(numbered(2));
    await desk.until(2);
    const [second, third] = [await another(), await another()];
    second.send(numbered(3));
    await desk.until(3);
    third.send(numbered(1));
    await until('all to be read', () => desk.server.connections === 3);
    for (let i = 0; i < 6; i++) {
      await until('a call', () => desk.waiting.length > 0);
      expect(desk.waiting.length).to.be.at.most(3);
      expect(desk.server.totals.calls).to.equal(desk.waiting.length);
      desk.answer();
    }
    expect(texts(await caller.heard(2))).to.deep.equal(expected(2));
    expect(texts(await second.heard(3))).to.deep.equal(expected(3));
    expect(texts(await third.heard(1))).to.deep.equal(expected(1));
  });

  it('goes on when those that had all the calls open are gone', async () => {
    const caller = await start({ calls: 2 });
    caller.send(numbered(2));
    await desk.until(2);
    const other = await another();
    other.send(numbered(1));
    await until('the other to wait', () => desk.server.connections === 2);
    caller.reset();
    await desk.until(3);
    desk.waiting.splice(0, 2);
    desk.answer();
    expect(texts(await other.heard(1))).to.deep.equal(expected(1));
  });

  it('is closed when it keeps the most of too many bytes, and no other', async () => {
    const caller = await start({ allBufferedBytes: 6 << 20 });
    const largest = await another();
    const frame = framed(Buffer.alloc(2 << 20));
    caller.send(frame.subarray(0, 1 << 20));
    await until('the first', () => desk.server.totals.bytes >= 1 << 20);
    largest.send(framed(Buffer.alloc(16 << 20)).subarray(0, 12 << 20));
    await largest.ended();
    expect(desk.server.traffic.closed.get('flooded')).to.equal(1);
    expect(caller.closed).to.equal(false);
    caller.send(frame.subarray(1 << 20));
    await desk.until(1);
    expect(desk.server.totals.bytes).to.equal(0);
  });

  it('is closed when its replies are the most of too many bytes', async () => {
    const caller = await start({ allBufferedBytes: 16 << 20, bufferedBytes: 64 << 20 });
    caller.socket.pause();
    caller.send(numbered(1));
    await desk.until(1);
    desk.answer(Buffer.alloc(40 << 20));
    await until('the end', () => desk.server.connections === 0);
    expect(desk.server.traffic.closed.get('flooded')).to.equal(1);
  });

  it('is forgotten when its caller resets it, with calls open that are answered later', async () => {
    const caller = await start();
    caller.send(numbered(3));
    await desk.until(3);
    caller.reset();
    await until('the connection to be gone', () => desk.server.connections === 0);
    for (let i = 0; i < 3; i++) desk.answer();
  });

  describe('when the server stops', () => {
    it('is ended at once where nothing is open', async () => {
      const caller = await start();
      await until('the connection', () => desk.server.connections === 1);
      await desk.server.close();
      expect(await caller.ended()).to.have.length(0);
    });

    it('has its open calls answered and takes no new ones', async () => {
      const caller = await start();
      caller.send(numbered(2));
      await desk.until(2);
      const closed = desk.server.close();
      caller.send(numbered(5));
      desk.answer();
      desk.answer();
      await closed;
      expect(texts(await caller.ended())).to.deep.equal(expected(2));
      expect(desk.waiting).to.have.length(0);
    });

    it('gives its replies to a caller that goes on sending', async () => {
      const caller = await start();
      caller.send(numbered(1));
      await desk.until(1);
      const closed = desk.server.close();
      caller.send(Buffer.alloc(1 << 20, numbered(1)));
      desk.answer(Buffer.alloc(1 << 20, 0x61));
      await caller.ended();
      await closed;
      expect(caller.frames.map((frame) => frame.length)).to.deep.equal([1 << 20]);
    });

    it('is not waited for when it keeps its side open', async () => {
      const caller = await start();
      caller.socket.removeAllListeners('end');
      await until('the connection', () => desk.server.connections === 1);
      await desk.server.close();
    });

    it('is closed when a call is not answered in time', async () => {
      const caller = await start({ drainMs: 50 });
      caller.send(numbered(1));
      await desk.until(1);
      await desk.server.close();
      expect(await caller.ended()).to.have.length(0);
    });
  });
}
