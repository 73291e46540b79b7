import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { runLoad } from '#parley/load/engine.js';
import { pingFrame } from '#parley/load/frames.js';
import { AnsweringServer, planFor, type Script, VERSION } from './answering.js';

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, each) => all + each, 0);

describe('the load generator', function () {
  this.timeout(30_000);
  let server: AnsweringServer | undefined;
  const start = async (script: Script) => {
    server = await AnsweringServer.start(script);
    return server;
  };
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  for (const codec of ['binary', 'compact'] as const) {
    it(`keeps so many ${codec} calls under way on each connection and no more, and counts each answer once`, async () => {
      const { port } = await start({ delayMs: 20 });
      const result = await runLoad(planFor(port, { codec, connections: 3, inFlight: 3 }));
      const seen = await server!.seen();
      expect(seen.mostUnderWay).to.equal(3);
      expect(result.errors).to.deep.equal({});
      expect(result.answered).to.be.within(9, (9 * result.windowMs) / 20 + 9);
      expect(result.perSecond).to.be.closeTo((result.answered / result.windowMs) * 1000, 1e-6);
      expect(result.latency.count)
        .to.be.within(result.answered - 9, result.answered + 9)
        .and.at.most(seen.calls);
      // Timers of Node may be a millisecond early.
      expect(result.latency.p50Us).to.be.above(18_000);
      expect(result.versions).to.deep.equal({ [VERSION]: result.latency.count });
    });
  }

  it('counts latency from when a call was due: a server that stands still for 300 ms is told by the percentiles', async () => {
    const { port } = await start({});
    const load = runLoad(planFor(port, { rate: 500, durationMs: 1_500, connections: 2, inFlight: 8 }));
    await new Promise((resolve) => setTimeout(resolve, 600));
    await server!.stall(300);
    const { latency, errors } = await load;
    expect(errors).to.deep.equal({});
    // None is left out, though only sixteen could be sent while it stood still.
    expect(latency.count).to.be.within(740, 760);
    expect(latency.maxUs).to.be.above(290_000);
    expect(latency.p999Us).to.be.above(280_000);
    // A fifth of the calls was due meanwhile, evenly over the 300 ms: a tenth waited for at least half of it.
    expect(latency.p90Us).to.be.above(130_000);
  });

  it('sends at the rate that it is told, whatever the answers take', async () => {
    const { port } = await start({ delayMs: 100 });
    const result = await runLoad(planFor(port, { rate: 200, durationMs: 1_000, connections: 4, inFlight: 64 }));
    expect(result.latency.count).to.be.within(196, 204);
    expect(result.late!.count).to.equal(result.latency.count);
    expect((await server!.seen()).mostUnderWay).to.be.at.least(4);
  });

  it('counts what a server never takes as calls without an answer', async () => {
    const { port } = await start({ delayMs: 10_000 });
    const result = await runLoad(planFor(port, { rate: 100, inFlight: 2, durationMs: 500, drainMs: 100 }));
    expect(result.latency.count).to.equal(0);
    // Two of the warm-up's calls stand in the way of all others.
    expect(result.errors).to.have.all.keys('NO_ANSWER');
    expect(result.errors.NO_ANSWER).to.be.within(48, 52);
    expect(result.failed.maxUs).to.be.above(500_000);
  });

  it('counts errors by code, apart from answers, with what the first one said', async () => {
    const { port } = await start({ overloadedEvery: 3, refusedEvery: 4 });
    const result = await runLoad(planFor(port, { connections: 2 }));
    const calls = result.latency.count + result.failed.count;
    expect(result.errors).to.have.all.keys('OVERLOADED', 'NOT_TAKEN');
    expect(result.errors.NOT_TAKEN).to.be.closeTo(calls / 4, 3);
    // Every twelfth is refused as well, which comes first.
    expect(result.errors.OVERLOADED).to.be.closeTo(calls / 4, 3);
    expect(sum(result.errors)).to.equal(result.failed.count);
    expect(result.messages).to.deep.equal({ OVERLOADED: 'too much', NOT_TAKEN: 'who is that?' });
    expect(result.answered).to.be.at.most(result.latency.count + 2);
  });

  it('opens a connection again that was closed, and counts the call that was on it', async () => {
    const { port } = await start({ closeEvery: 5, delayMs: 5 });
    const result = await runLoad(planFor(port, { durationMs: 800 }));
    expect(result.errors).to.have.all.keys('CONNECTION_LOST');
    expect(result.errors.CONNECTION_LOST).to.be.at.least(2);
    expect(result.latency.count).to.be.above(result.errors.CONNECTION_LOST!);
  });

  it('ends when an answer is not one to what it asked', async () => {
    const { port } = await start({ wrongAt: 10 });
    const error = await runLoad(planFor(port)).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).to.match(/a reply to call \d+, which nobody waits for/);
  });

  it('ends when what a benchmark knows of the answers does not hold', async () => {
    const { port } = await start({});
    const checked: number[] = [];
    const expectation = {
      every: true,
      check: (_reply: Buffer, request: number) => {
        if (checked.push(request) === 7) throw new Error('the answer is 7');
      },
    };
    const error = await runLoad(planFor(port), undefined, expectation).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).to.equal('the answer is 7');
    expect(checked).to.deep.equal([0, 1, 2, 0, 1, 2, 0]);
  });

  it('shows a token once on each connection', async () => {
    const { port } = await start({});
    const greeting = pingFrame('compact', 'secret');
    const result = await runLoad(planFor(port, { codec: 'compact', greeting, connections: 3 }));
    expect((await server!.seen()).pings).to.equal(3);
    expect(result.errors).to.deep.equal({});
    expect(result.latency.count).to.be.above(0);
  });

  it('tells what was measured until it is stopped', async () => {
    const { port } = await start({});
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const result = await runLoad(planFor(port, { durationMs: 60_000 }), stop.signal);
    expect(result.interrupted).to.equal(true);
    expect(result.windowMs).to.be.within(100, 20_000);
    expect(result.latency.count).to.be.above(0);
  });

  it('fails at once where nothing listens', async () => {
    const { port } = await start({});
    await server!.stop();
    server = undefined;
    const error = await runLoad(planFor(port)).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).to.include('ECONNREFUSED');
  });

  it('measures the CPU time of a process', async () => {
    const { port, child } = await start({});
    const result = await runLoad(planFor(port, { connections: 4, serverPid: child.pid! }));
    expect(result.serverUs).to.be.above(0);
    expect(result.serverUs! * result.answered).to.be.closeTo(result.serverBusy! * result.windowMs * 1000, 1);
    expect(result.generatorBusy).to.be.above(0);
  });
});

describe('the load generator over HTTP', () => {
  let server: Server;
  let calls = 0;
  before((done) => {
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        const body = `${'x'.repeat(++calls % 7)}answer`;
        response.writeHead(calls % 4 === 0 ? 503 : 200, { 'Content-Length': body.length });
        response.end(body);
      });
    });
    server.listen(0, '127.0.0.1', done);
  });
  after((done) => {
    server.close(done);
    server.closeAllConnections();
  });

  it('keeps its connections, and counts other answers than 200 by their status', async () => {
    const { port } = server.address() as AddressInfo;
    const opened = new Set<unknown>();
    server.on('connection', (socket) => opened.add(socket));
    const request = Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nrow1');
    const plan = planFor(port, { codec: 'http', requests: [request], connections: 2, inFlight: 5 });
    const { provenance: _, ...without } = plan;
    const result = await runLoad(without);
    const all = result.latency.count + result.failed.count;
    expect(opened.size).to.equal(2);
    expect(result.errors).to.have.all.keys('HTTP_503');
    expect(result.errors.HTTP_503).to.be.closeTo(all / 4, 3);
    expect(calls).to.be.at.least(all);
  });
});
