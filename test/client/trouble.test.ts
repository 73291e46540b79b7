/** What `parley/client` does when something goes wrong: servers that are mute, busy, killed, replaced, or in the way. */
import { expect } from 'chai';
import { type ClientOptions, type ContractCall, connect, type Parley } from '#parley/client/index.js';
import { ServerProcess } from '../rpc/fork.js';
import { PARITY_IDL, parityModel, place, type Served, serve } from '../rpc/served.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { Between, type Fields } from './between.js';
import { MuteServer } from './world.js';

interface Services {
  readonly parity: { readonly side: ContractCall };
}

/** Takes a context, which PARITY_IDL's method does not. */
const WITH_CONTEXT = PARITY_IDL.replace('Number number)', 'Number number, 2: parley.RequestContext context)');
const CONTEXT = 2;

describe('the client in trouble', function () {
  this.timeout(30_000);
  const redis = sharedRedis();
  let world: World, served: Served | undefined;
  const closing: { close(): void | Promise<void> }[] = [];
  const kept = <T extends { close(): void | Promise<void> }>(what: T): T => {
    closing.push(what);
    return what;
  };

  before(async () => {
    world = new World(redis);
    await place(world.store, 'parity', parityModel(), WITH_CONTEXT);
  });
  after(() => world.close());
  afterEach(async () => {
    for (const what of closing.splice(0).reverse()) await what.close();
    await served?.close();
    served = undefined;
  });

  const client = async (address: string, options: ClientOptions = {}): Promise<Parley & Services> =>
    kept(await connect<Services>(address, { contract: { idl: WITH_CONTEXT }, ...options }));
  /** A client and what its calls go through to a server. */
  const through = async (options: ClientOptions = {}) => {
    served = await serve(world.another());
    const between = kept(await Between.listen(served));
    return { between, client: await client(between.address, options) };
  };
  const contexts = ({ calls }: Between): Fields[] => calls.map((call) => call.arguments.get(CONTEXT) as Fields);
  const ROW = { real: 3 };

  describe('with time', () => {
    it('tells the server what is left of a call, and what the call is known by', async () => {
      const { between, client } = await through({ timeoutMs: 4_000 });
      const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' };
      await client.parity.side(ROW);
      await client.parity.side(ROW, { timeoutMs: 2_000, requestId: 'mine', trace });
      const [first, second] = contexts(between);
      expect(first!.get(1)).to.match(/^[0-9a-f]{12}-1$/);
      expect(first!.get(2)).to.be.within(3_000, 4_000);
      expect(first!.has(4)).to.equal(false);
      expect(second!.get(1)).to.equal('mine');
      expect(second!.get(2)).to.be.within(1_000, 2_000);
      expect(second!.get(4)).to.deep.equal(trace);
    });

    it('asks for the trace of calls that bring none', async () => {
      let asked = 0;
      const { between, client } = await through({ trace: () => ({ traceparent: `t${++asked}` }) });
      await client.parity.side(ROW);
      await client.parity.side(ROW, { trace: { traceparent: 'own' } });
      expect(contexts(between).map((context) => context.get(4))).to.deep.equal([
        { traceparent: 't1' },
        { traceparent: 'own' },
      ]);
    });

    it('gives a call up when its time has passed, and goes on over another connection where there was not a word', async () => {
      const { between, client } = await through({ connections: 1 });
      between.mute = true;
      const error = await failure(client.parity.side(ROW, { timeoutMs: 100, requestId: 'late' }));
      expect(error).to.include({ code: 'DEADLINE_EXCEEDED', requestId: 'late' });
      expect(error.message).to.include('did not answer within');
      expect(client.stats).to.include({ retries: 0, pending: 0 });
      between.mute = false;
      expect(await client.parity.side(ROW)).to.deep.include({ side: 11 });
      expect([client.stats.opened, between.opened]).to.deep.equal([2, 2]);
    });

    it('spends what is left on a retry, and no more', async () => {
      const { between, client } = await through({ retries: { firstPauseMs: 200 } });
      between.cutAtCall = true;
      await client.parity.side(ROW, { timeoutMs: 3_000 });
      const [first, second] = contexts(between).map((context) => Number(context.get(2)));
      expect(first! - second!).to.be.within(100, 2_000);
      expect(contexts(between).map((context) => context.get(1)))
        .to.have.lengthOf(2)
        .and.satisfy(areEqual);
      // No time for a pause of at least 100 ms.
      between.cutAtCall = true;
      const error = await failure(client.parity.side(ROW, { timeoutMs: 90 }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(between.calls).to.have.lengthOf(3);
    });

    it('ends a call when its signal says so, with the reason of the signal', async () => {
      const mute = kept(await MuteServer.listen()),
        calls = await client(mute.address),
        aborting = new AbortController(),
        reason = new Error('enough');
      const call = calls.parity.side(ROW, { signal: aborting.signal });
      await until('the call to be sent', () => mute.heardBytes > 0);
      aborting.abort(reason);
      expect(await call.catch((error: unknown) => error)).to.equal(reason);
      expect(calls.stats.pending).to.equal(0);
      expect(await calls.parity.side(ROW, { signal: aborting.signal }).catch((error: unknown) => error)).to.equal(
        reason,
      );
    });
  });

  describe('with connections', () => {
    it('opens a second one when the first is busy, and no third', async () => {
      const mute = kept(await MuteServer.listen()),
        calls = await client(mute.address, { connections: 2 });
      expect(mute.connections).to.equal(1);
      const pending = Array.from({ length: 6 }, () => failure(calls.parity.side(ROW)));
      await until('a second connection', () => mute.connections === 2);
      pending.push(...Array.from({ length: 6 }, () => failure(calls.parity.side(ROW))));
      await until('the calls to be sent', () => calls.stats.pending === 12);
      expect(calls.stats).to.include({ connections: 2, opened: 2 });
      calls.close();
      await Promise.all(pending);
      expect(mute.connections).to.equal(2);
    });

    it('gives the next call to the connection that has the fewest', async () => {
      const first = kept(await MuteServer.listen()),
        calls = await client(first.address, { connections: 2 });
      const pending = [1, 2].map(() => failure(calls.parity.side(ROW)));
      await until('a second connection', () => calls.stats.connections === 2);
      pending.push(...[3, 4].map(() => failure(calls.parity.side(ROW))));
      await until('two calls on each', () => {
        const [one, other] = first.heardBytesEach;
        return one! > 0 && one === other;
      });
      calls.close();
      await Promise.all(pending);
    });

    it('rejects the calls under way when it is closed, and takes no more', async () => {
      const mute = kept(await MuteServer.listen()),
        calls = await client(mute.address);
      const pending = [1, 2, 3].map(() => failure(calls.parity.side(ROW, { requestId: 'mine' })));
      await until('the calls to be sent', () => calls.stats.pending === 3);
      calls.close();
      for (const error of await Promise.all(pending)) {
        expect(error).to.include({ code: 'SHUTTING_DOWN', requestId: 'mine' });
        expect(error.message).to.equal('this client has been closed while the call was under way');
      }
      const after = await failure(calls.parity.side(ROW));
      expect(after.message).to.equal('this client has been closed; connect again');
      expect(calls.stats).to.include({ retries: 0, connections: 0 });
    });

    it('opens connections again that have ended between calls', async () => {
      const { between, client } = await through({ connections: 1 });
      await client.parity.side(ROW);
      between.cut();
      await until('the connection to be gone', () => client.stats.connections === 0);
      expect(await client.parity.side(ROW)).to.deep.include({ side: 11 });
      expect(client.stats).to.include({ retries: 0, opened: 2 });
    });

    it('asks again where the connection broke under a prediction, and not where twice would be wrong', async () => {
      const { between, client } = await through();
      between.cutAtCall = true;
      expect(await client.parity.side(ROW)).to.deep.include({ side: 11 });
      expect(client.stats.retries).to.equal(1);
      between.cutAtCall = true;
      const error = await failure(client.parity.side(ROW, { idempotent: false }));
      expect(error).to.include({ code: 'STORE_UNAVAILABLE' });
      expect(client.stats.retries).to.equal(1);
    });

    it('waits longer and longer between attempts to open one, and says why there is none', async () => {
      served = await serve(world.another());
      const between = await Between.listen(served),
        calls = await client(between.address, { retries: { most: 0 } });
      await between.close();
      await until('the connection to be gone', () => calls.stats.connections === 0);
      const begunMs = performance.now();
      for (let i = 0; i < 4; i++) {
        const error = await failure(calls.parity.side(ROW));
        expect(error.code).to.equal('STORE_UNAVAILABLE');
        expect(error.message).to.include('nothing listens there');
      }
      // At once, then after at least 25, 50 and 100 ms.
      expect(performance.now() - begunMs).to.be.at.least(170);
      const late = await failure(calls.parity.side(ROW, { timeoutMs: 20 }));
      expect(late.code).to.equal('DEADLINE_EXCEEDED');
      expect(late.message).to.include('no connection to').and.include('nothing listens there');
    });
  });

  describe('with servers', () => {
    it('rejects the calls of a server that is killed, and finds the one that takes its place', async () => {
      const killed = await ServerProcess.start(world),
        { pid } = await killed.state();
      const between = kept(await Between.listen(killed.address)),
        calls = await client(between.address, { retries: { most: 0 } });
      try {
        await calls.parity.side(ROW);
        process.kill(pid, 'SIGSTOP');
        const pending = [1, 2, 3].map(() => failure(calls.parity.side(ROW)));
        await until('the calls to be sent', () => between.calls.length === 4);
        process.kill(pid, 'SIGKILL');
        for (const error of await Promise.all(pending))
          expect(error).to.include({ code: 'STORE_UNAVAILABLE', retryable: true });
      } finally {
        if (killed.alive) process.kill(pid, 'SIGKILL');
      }
      served = await serve(world.another());
      between.upstream = served;
      expect(await calls.parity.side(ROW)).to.deep.include({ side: 11 });
    });

    it('asks the one that takes its place, where there is one', async () => {
      const killed = await ServerProcess.start(world),
        { pid } = await killed.state();
      served = await serve(world.another());
      const between = kept(await Between.listen(killed.address)),
        calls = await client(between.address);
      await calls.parity.side(ROW);
      process.kill(pid, 'SIGSTOP');
      const pending = [1, 2, 3].map(() => calls.parity.side(ROW));
      await until('the calls to be sent', () => between.calls.length === 4);
      between.upstream = served;
      process.kill(pid, 'SIGKILL');
      for (const answer of await Promise.all(pending)) expect(answer).to.deep.include({ side: 11 });
      expect(calls.stats.retries).to.equal(3);
    });

    it('leaves a server that says that it is going', async () => {
      const { between, client } = await through({ connections: 1 });
      await client.parity.side(ROW);
      const other = await serve(world.another());
      try {
        served!.dispatcher.stop();
        between.upstream = other;
        expect(await client.parity.side(ROW)).to.deep.include({ side: 11 });
        expect(client.stats).to.include({ retries: 1, opened: 2 });
      } finally {
        await other.close();
      }
    });

    it('asks a server that has too much to do again by a tenth of its calls at most', async () => {
      served = await serve(world.another(), {}, undefined, {}, { maxQueueMs: 0 });
      const calls = await client(`${served.host}:${served.port}`, {
        retries: { most: 5, burst: 10 },
        timeoutMs: 20_000,
      });
      await calls.parity.side(ROW);
      const [servable] = served.factory.servablesOf('parity');
      Object.assign(servable!, { maxRows: 8 });
      const { session } = servable!,
        run = session.run.bind(session);
      session.run = (feeds, fetches, done) => {
        for (const endMs = performance.now() + 5; performance.now() < endMs; );
        run(feeds, fetches, done);
      };
      const answers = await Promise.allSettled(Array.from({ length: 400 }, () => calls.parity.side(ROW)));
      const refused = answers.filter(({ status }) => status === 'rejected');
      expect(refused.length).to.be.at.least(1);
      for (const { reason } of refused as PromiseRejectedResult[]) {
        expect(reason).to.include({ code: 'OVERLOADED', retryable: true });
        expect(reason.retryAfterMs).to.be.within(1, 10_000);
      }
      expect(calls.stats.retries).to.be.within(1, 10 + 0.1 * 401);
    });
  });
});

const areEqual = (values: readonly unknown[]): boolean => values.every((value) => value === values[0]);
