/**
 * SIGTERM under load drops no accepted call.
 *
 * A call is accepted when the server has read it. All that had been sent when the signal came are: each is answered, by
 * the model or by SHUTTING_DOWN. So are those that come in the moment of notice that follows. What is sent later still
 * finds a connection that has ended in order, after its last reply: that call was not read, and never will be run.
 */
import { expect } from 'chai';
import { pino } from 'pino';
import type { Connection } from '#parley/rpc/connection.js';
import { DEFAULT_LIMITS } from '#parley/rpc/limits.js';
import { RpcServer } from '#parley/rpc/server.js';
import { Batcher } from '#parley/serving/batcher.js';
import { openStore } from '#parley/store/connect.js';
import { isAlive, placeForEach, type Server, until } from '../road/parley.js';
import { point, publish } from '../road/scores.js';
import { Caller, framed } from '../rpc/caller.js';
import { openPipelines, Pipeline } from './pipelines.js';

const CONNECTIONS = 64;
const IN_FLIGHT = 4;

describe('a graceful stop', function () {
  this.timeout(120_000);
  const place = placeForEach();
  beforeEach(async () => {
    const store = await openStore({ dataFolder: place().dataFolder });
    await point(store, await publish(store, 0));
    await store.close();
  });

  /** Under load from all sides, ends the server by `stop`. */
  async function stopUnderLoad(server: Server, stop: () => void): Promise<void> {
    const pipelines = await openPipelines(server, CONNECTIONS, IN_FLIGHT);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 10));
    const sent = pipelines.map((pipeline) => pipeline.sent);
    stop();
    const [{ code }] = await Promise.all([server.ended, ...pipelines.map(({ ended }) => ended)]);

    expect(code).to.equal(0);
    expect(pipelines.flatMap(({ wrong }) => wrong)).to.deep.equal([]);
    expect(
      pipelines.flatMap((pipeline, i) => pipeline.unansweredOf(sent[i]!)),
      'calls sent before the signal that nobody answered',
    ).to.deep.equal([]);
    expect(pipelines.filter(({ end }) => end !== 'clean')).to.have.length(0);
    // What was read was answered in order: what is missing is the last that was sent, and nothing between.
    for (const pipeline of pipelines)
      expect(pipeline.unansweredOf(pipeline.answered), 'calls before the last answered one').to.deep.equal([]);
    expect(
      pipelines.some(({ turnedAway }) => turnedAway.size > 0),
      'some were told SHUTTING_DOWN',
    ).to.equal(true);
    expect(place().redisPid()).to.equal(undefined);
  }

  it('of one process', async () => {
    const server = await place().serve();
    await stopUnderLoad(server, () => server.child.kill('SIGTERM'));
  });

  it('of two', async () => {
    const server = await place().serve('--processes', '2');
    await stopUnderLoad(server, () => server.child.kill('SIGTERM'));
    expect(server.processes.filter(isAlive)).to.deep.equal([]);
  });

  it('of two whose whole group is told at once, as by Ctrl-C in a terminal', async () => {
    const server = await place().serveDetached('--processes', '2');
    await stopUnderLoad(server, () => process.kill(-server.child.pid!, 'SIGINT'));
    expect(server.processes.filter(isAlive)).to.deep.equal([]);
  });

  it('reads what was sent in time, also where its loop was held up', async () => {
    const echo = (connection: Connection, buffer: Buffer, start: number, end: number) =>
      connection.reply(framed(buffer.subarray(start, end)));
    const server = new RpcServer(echo, new Batcher(), DEFAULT_LIMITS, pino({ level: 'silent' }));
    const caller = await Caller.open(await server.listen('127.0.0.1', 0));
    caller.send(framed(Buffer.from('first')));
    await caller.heard(1);
    const noticed = server.notice();
    caller.send(framed(Buffer.from('in time')));
    for (const end = performance.now() + 300; performance.now() < end; );
    await noticed;
    await server.close();
    expect((await caller.ended()).map(String)).to.deep.equal(['first', 'in time']);
  });

  it('costs a caller who has another server no call', async () => {
    const servers = [await place().serve(), await place().serve('--processes', '2')];
    let failed = 0,
      done = 0,
      stopping = false;
    /** One call after the other; one that is not answered, or is turned away, is made again at the other server. */
    const call = async (first: number): Promise<void> => {
      let at = first,
        pipeline = await Pipeline.open(servers[at]!, 1);
      for (let tries = 0; ; ) {
        const { succeeded } = pipeline,
          before = succeeded.size;
        await until('an answer', () => succeeded.size > before || pipeline.turnedAway.size > 0 || pipeline.end);
        if (succeeded.size > before) {
          tries = 0;
          done++;
          if (!stopping) continue;
          await pipeline.stop();
          return;
        }
        await pipeline.stop();
        if (++tries > 2) failed++;
        at = 1 - at;
        pipeline = await Pipeline.open(servers[at]!, 1);
      }
    };
    const callers = Array.from({ length: 16 }, (_, i) => call(i % 2));
    await until('calls', () => done > 100);
    servers[1]!.child.kill('SIGTERM');
    await servers[1]!.ended;
    const before = done;
    await until('calls of all to the other', () => done > before + 100);
    stopping = true;
    await Promise.all(callers);
    expect(failed).to.equal(0);
  });
});
