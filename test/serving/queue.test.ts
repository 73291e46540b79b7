/** Order, fairness, bounds and what is given up, with sessions of the real runtime. */
import { expect } from 'chai';
import { internal, modelBroken, shuttingDown } from '#parley/errors.js';
import type { RunnableSession } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import type { Plan } from '#parley/serving/plan.js';
import { QueueBound } from '#parley/serving/queue-bound.js';
import type { Servable } from '#parley/serving/servable.js';
import { until } from '../store/redis-server.js';
import { put, Recorded } from './calls.js';
import { broad, echo, lookup, servableOf, sessionOn, summing } from './models.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Tells of a session's runs, and makes each last `ms`. */
function watched(session: RunnableSession, onRun: (rows: number) => void, ms = 0): void {
  const run = session.run.bind(session);
  session.run = (feeds, fetches, done) => {
    onRun(Number(Object.values(feeds)[0].dims[0]));
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
    run(feeds, fetches, done);
  };
}

const rowsOf = (rows: number, value = 1): number[][] => [new Array(rows).fill(value), new Array(rows).fill(0)];

describe('a queue', () => {
  const opened: Servable[] = [];
  let batcher: Batcher;
  const load = async (made = summing(), road: 'native' | 'public' = 'native') => {
    const one = await servableOf(made, batcher, sessionOn(road));
    opened.push(one);
    return one;
  };
  beforeEach(() => {
    batcher = new Batcher();
  });
  afterEach(() => {
    for (const one of opened.splice(0)) one.release();
  });

  it("runs one batch in a turn that takes the turn's time, and writes before the next", async () => {
    const events: string[] = [];
    const one = await load();
    watched(one.session, () => events.push('run'), 5);
    batcher.onTurnEnd(() => events.push('written'));
    const calls = Array.from({ length: 6 }, (_, i) => put(one.plan([0]), rowsOf(one.maxRows, i)));
    await Promise.all(calls.map(({ settled }) => settled));
    await turn();
    expect(events.join()).to.match(/^(run,written,){5}run,written/);
    calls.forEach((call, i) => {
      expect(call.values[0]).to.deep.equal(new Array(one.maxRows).fill(i));
    });
  });

  it('lets a model with one batch have its turn between those of a model with many', async () => {
    const order: string[] = [];
    const [busy, other] = [await load(), await load(summing(['a', 'b'], 1))];
    watched(busy.session, () => order.push('busy'));
    watched(other.session, () => order.push('other'));
    const calls = Array.from({ length: 5 }, () => put(busy.plan([0]), rowsOf(busy.maxRows)));
    calls.push(put(other.plan([0]), [[1], [1]]));
    await Promise.all(calls.map(({ settled }) => settled));
    expect(order).to.deep.equal(['busy', 'other', 'busy', 'busy', 'busy', 'busy']);
  });

  it('refuses a large request whose answers fit into no reply, and goes on', async () => {
    const one = await load(broad(50_000)),
      zeros = new Array<number>(100_000).fill(0);
    const large = put(one.plan([0]), [zeros]);
    await large.settled;
    expect(large.error.code).to.equal('UNSUPPORTED');
    expect(large.error.message).to.match(/^the answers to 100000 rows have 20000000000 bytes; send at most 5368 rows/);
    const next = put(one.plan([0]), [[1]]);
    await next.settled;
    expect(next.values[0]).to.have.length(50_000);
    expect(one.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
    expect(one.users.any).to.equal(false);
  });

  it('keeps no memory when its version is let go, whoever remembers it', async () => {
    const one = await load(),
      plan = one.plan([0]);
    const calls = [put(plan, rowsOf(one.maxRows)), put(plan, rowsOf(one.maxRows))];
    await Promise.all(calls.map(({ settled }) => settled));
    expect(plan.reserve(0).capacity).to.equal(one.maxRows);
    one.release();
    expect(plan.reserve(0).capacity).to.equal(0);
  });

  it('runs a batch once that is lost with what runs it', async () => {
    for (const lost of [modelBroken('it died'), internal('it does not start'), shuttingDown('it stops')]) {
      const one = await load(summing(), 'public');
      let runs = 0;
      one.session.run = (_feeds, _fetches, done) => {
        runs++;
        setImmediate(() => done(lost, undefined));
      };
      const calls = Array.from({ length: 8 }, () => put(one.plan([0]), [[1], [2]]));
      await Promise.all(calls.map(({ settled }) => settled));
      expect(calls.map(({ error }) => error)).to.deep.equal(calls.map(() => lost));
      expect(runs, lost.code).to.equal(1);
    }
  });

  it('learns of a large request that is given up what its pieces took', async () => {
    const one = await load(),
      call = new Recorded();
    watched(one.session, () => {}, 5);
    put(one.plan([0]), rowsOf(one.maxRows * 50), call);
    await turn();
    call.cancelled = true;
    await until('the queue to be empty', () => one.queue.calls === 0);
    expect(one.queue.msPerRow).to.be.lessThan(1);
    expect(one.tally.cancelled).to.equal(1);
  });

  it('runs a large request in pieces, between which others have their turn', async () => {
    const order: string[] = [];
    const [large, other] = [await load(), await load(summing(['a', 'b'], 1))];
    watched(large.session, (rows) => order.push(`large ${rows}`));
    watched(other.session, () => order.push('other'));
    const { maxRows } = large,
      numbers = Array.from({ length: maxRows * 2 + 3 }, (_, i) => i);
    const calls = [
      put(large.plan([0]), [numbers, numbers]),
      put(large.plan([0]), [[5], [6]]),
      put(other.plan([0]), [[1], [1]]),
    ];
    await Promise.all(calls.map(({ settled }) => settled));
    expect(order).to.deep.equal([`large ${maxRows}`, 'other', `large ${maxRows}`, 'large 3', 'large 1']);
    expect(calls.map(({ values }) => values[0])).to.deep.equal([numbers.map((i) => 2 * i), [11], [3]]);
    expect(large.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
    expect(large.tally).to.include({ succeeded: 2, rows: numbers.length + 1 });
  });

  it('does not go on with a large request whose caller has gone', async () => {
    const one = await load(),
      call = new Recorded();
    let runs = 0;
    watched(one.session, () => {
      call.cancelled = ++runs === 2;
    });
    put(one.plan([0]), rowsOf(one.maxRows * 5), call);
    const next = put(one.plan([0]), [[1], [2]]);
    await next.settled;
    expect(next.values).to.deep.equal([[3]]);
    expect(runs).to.equal(3);
    expect(call.outcomes).to.deep.equal([]);
    expect(one.users.any).to.equal(false);
  });

  it('fails a large request of which a piece fails, once', async () => {
    const one = await load(lookup());
    const asked = new Array(one.maxRows * 3).fill(1);
    asked[one.maxRows + 1] = 11;
    const [bad, good] = [put(one.plan([0]), [asked]), put(one.plan([0]), [[2]])];
    await Promise.all([bad.settled, good.settled]);
    expect(bad.error.code).to.equal('MODEL_BROKEN');
    expect(good.values).to.deep.equal([[200]]);
  });

  it('answers strings of a large request in pieces', async () => {
    const one = await load(echo());
    const words = Array.from({ length: one.maxRows * 2 + 1 }, (_, i) => `word ${i}`);
    const call = put(one.plan([0]), [words]);
    await call.settled;
    expect(call.values).to.deep.equal([words]);
  });

  it('gives an asynchronous session two batches at a time, in order', async () => {
    const one = await load(summing(), 'public'),
      waiting: (() => void)[] = [],
      run = one.session.run.bind(one.session);
    one.session.run = (feeds, fetches, done) => {
      waiting.push(() => run(feeds, fetches, done));
    };
    const answered: number[] = [];
    const calls = Array.from({ length: 5 }, (_, i) => {
      const call = new Recorded();
      call.onDeliver = () => answered.push(i);
      return put(one.plan([0]), rowsOf(one.maxRows, i), call);
    });
    for (let i = 0; i < 5; i++) {
      await until('the runtime to be asked', () => waiting.length > 0);
      await turn();
      expect(waiting.length).to.equal(Math.min(2, 5 - i));
      waiting.shift()!();
      await calls[i]!.settled;
    }
    expect(answered).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('does not run the calls of callers that have gone, and tells them nothing', async () => {
    const runs: number[] = [];
    const one = await load();
    watched(one.session, (rows) => runs.push(rows));
    const calls = [1, 2, 3, 4].map((value) => put(one.plan([0]), [[value], [0]]));
    calls[0]!.cancelled = calls[2]!.cancelled = true;
    await Promise.all([calls[1]!.settled, calls[3]!.settled]);
    expect(runs).to.deep.equal([2]);
    expect(calls.map(({ outcomes }) => outcomes.length)).to.deep.equal([0, 1, 0, 1]);
    expect([calls[1]!.values[0], calls[3]!.values[0]]).to.deep.equal([[2], [4]]);
    expect(one.tally).to.include({ cancelled: 2, succeeded: 2, failed: 0 });
    expect(one.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
    expect(one.users.any).to.equal(false);
  });

  it('moves strings with the rows that stay', async () => {
    const one = await load(echo());
    const calls = ['a', 'b', 'c', 'd'].map((text) => put(one.plan([0]), [[text, `${text}!`]]));
    calls[0]!.cancelled = calls[2]!.cancelled = true;
    await Promise.all([calls[1]!.settled, calls[3]!.settled]);
    expect([calls[1]!.values[0], calls[3]!.values[0]]).to.deep.equal([
      ['b', 'b!'],
      ['d', 'd!'],
    ]);
  });

  it('makes room of what nobody waits for before it refuses a call', async () => {
    const one = await load();
    one.queue.maxMs = 0;
    const plan = one.plan([0]);
    const calls = Array.from({ length: 80 }, () => put(plan, rowsOf(Math.ceil(one.maxRows / 4))));
    expect(one.admits(0)).to.equal(false);
    expect(one.tally.failed).to.equal(1);
    for (const call of calls) call.cancelled = true;
    batcher.ends++;
    expect(one.admits(0)).to.equal(true);
    await turn();
    expect(one.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
  });

  it('finds a few culprits among many calls without running each alone', async () => {
    let runs = 0;
    const one = await load(lookup());
    watched(one.session, () => runs++);
    const bad = [17, 130, 199],
      asked = Array.from({ length: 256 }, (_, i) => (bad.includes(i) ? 11 : i % 10));
    Object.assign(one, { maxRows: 256 });
    const calls = asked.map((x) => put(one.plan([0]), [[x]]));
    await Promise.all(calls.map(({ settled }) => settled));
    calls.forEach((call, i) => {
      if (bad.includes(i)) expect(call.error).to.include({ code: 'MODEL_BROKEN' });
      else expect(call.values).to.deep.equal([[asked[i]! * 100]]);
    });
    // Two runs for each halving on a culprit's way: of 256 calls, eight halvings.
    expect(runs).to.be.within(9, 1 + 3 * 2 * 8);
  });

  it('fails a whole request when one of its rows cannot be computed', async () => {
    const one = await load(lookup());
    const [good, bad] = [put(one.plan([0]), [[1, 2]]), put(one.plan([0]), [[3, 11, 4]])];
    await Promise.all([good.settled, bad.settled]);
    expect(good.values).to.deep.equal([[100, 200]]);
    expect(bad.error.code).to.equal('MODEL_BROKEN');
  });

  it('does not blame rows for what was lost with the process that ran them', async () => {
    const one = await load(summing(), 'public');
    let runs = 0;
    one.session.run = (_feeds, _fetches, done) => {
      runs++;
      setImmediate(() => done(modelBroken('the lane died'), undefined));
    };
    const calls = [1, 2, 3].map((value) => put(one.plan([0]), [[value], [0]]));
    await Promise.all(calls.map(({ settled }) => settled));
    expect(runs).to.equal(1);
    for (const call of calls) expect(call.error.message).to.equal('the lane died');
  });
});

describe('a batch that may wait for more rows', () => {
  let one: Servable;
  let plan: Plan;
  const runs: number[] = [];
  beforeEach(async () => {
    runs.length = 0;
    one = await servableOf(summing(), new Batcher());
    plan = one.plan([0]);
    watched(one.session, (rows) => runs.push(rows));
    one.applySettings({ cache: 0, maxDelayUs: 500_500, maxQueueMs: 1_000 });
  });
  afterEach(() => one.release());

  it('runs with those that come in the meantime, when the first has waited long enough', async () => {
    const first = put(plan, [[1], [0]]);
    for (let i = 0; i < 3; i++) await turn();
    expect(runs).to.deep.equal([]);
    const second = put(plan, [[2], [0]]);
    await Promise.all([first.settled, second.settled]);
    expect(performance.now() - first.arrivedMs).to.be.at.least(500.5);
    expect(runs).to.deep.equal([2]);
    expect([first.values[0], second.values[0]]).to.deep.equal([[1], [2]]);
  });

  it('runs at once when it is full', async () => {
    const calls = [put(plan, [[1], [0]]), put(plan, rowsOf(one.maxRows - 1))];
    await turn();
    expect(runs).to.deep.equal([one.maxRows]);
    await Promise.all(calls.map(({ settled }) => settled));
  });

  it('runs when it is filled behind one that waits already', async () => {
    const first = put(plan, [[1], [0]]);
    await turn();
    await turn();
    put(plan, rowsOf(one.maxRows - 1));
    await turn();
    expect(runs).to.deep.equal([one.maxRows]);
    await first.settled;
  });

  it('runs at once when the next rows do not fit, be they wrong', async () => {
    one.applySettings({ cache: 0, maxDelayUs: 60_000_000, maxQueueMs: 1_000 });
    const first = put(plan, [[1], [0]], new Recorded(performance.now() + 120_000));
    await turn();
    await turn();
    expect(runs).to.deep.equal([]);
    // As for a request whose values turn out to be wrong, or whose answers are kept: it is not committed.
    plan.reserve(one.maxRows);
    await turn();
    expect(runs).to.deep.equal([1]);
    await first.settled;
  });

  it('does not wait longer than half of the time that a later call has', async () => {
    one.applySettings({ cache: 0, maxDelayUs: 60_000_000, maxQueueMs: 1_000 });
    const first = put(plan, [[1], [0]]);
    await turn();
    await turn();
    const second = put(plan, [[2], [0]], new Recorded(performance.now() + 2_000));
    await Promise.all([first.settled, second.settled]);
    expect([first.values[0], second.values[0]]).to.deep.equal([[1], [2]]);
    expect(performance.now() - second.arrivedMs).to.be.within(990, 2_000);
    expect(runs).to.deep.equal([2]);
  });

  it('does not wait longer than half of the time that its first call has', async () => {
    one.applySettings({ cache: 0, maxDelayUs: 60_000_000, maxQueueMs: 1_000 });
    const call = put(plan, [[1], [0]], new Recorded(performance.now() + 2_000));
    await call.settled;
    expect(call.values[0]).to.deep.equal([1]);
    expect(performance.now() - call.arrivedMs).to.be.within(990, 2_000);
  });

  it('waits anew for each batch', async () => {
    for (const value of [1, 2]) {
      const call = put(plan, [[value], [0]]);
      await call.settled;
      expect(performance.now() - call.arrivedMs).to.be.at.least(500.5);
      expect(call.values[0]).to.deep.equal([value]);
    }
    expect(runs).to.deep.equal([1, 1]);
  });
});

describe('the bound of a queue', () => {
  /** @param rows of each of `calls` calls */
  const filled = (calls: number, rows: number, msPerRow: number) => {
    const bound = new QueueBound(msPerRow);
    for (let i = 0; i < calls; i++) bound.entered(rows, 8);
    return bound;
  };

  it('has room for 64 calls, however long they take', () => {
    expect(filled(63, 1, 1_000).admits(0)).to.equal(true);
    expect(filled(64, 1, 1_000).admits(0)).to.equal(false);
  });

  it('counts from when calls wait, and not from a batch before a lull', () => {
    const bound = filled(2, 1, 1);
    bound.left(1, 1, 8);
    bound.ran(1, 1_000, 1_001);
    // The second one is given up.
    bound.left(1, 1, 8);
    bound.entered(1, 8);
    bound.left(1, 1, 8);
    bound.ran(1, 600_000, 600_001);
    expect(bound.msPerRow).to.be.closeTo(1, 1e-9);
  });

  it('has room for a second of work, however many calls that is', () => {
    expect(filled(9_999, 1, 0.1).admits(0)).to.equal(true);
    expect(filled(10_001, 1, 0.1).admits(0)).to.equal(false);
  });

  it('refuses a call that would wait too long for its own time', () => {
    const bound = filled(20, 1, 2);
    expect([30, 79, 81, 1_000].map((timeoutMs) => bound.admits(timeoutMs))).to.deep.equal([false, false, true, true]);
    expect(bound.retryAfterMs(40)).to.be.within(1, 40);
  });

  it('says when there will be room', () => {
    expect(filled(10_000, 1, 0.25).retryAfterMs(0)).to.equal(2_000);
    expect(filled(1, 1, 0.25).retryAfterMs(0)).to.equal(1);
  });

  it('does not hold more than 256 MiB, unless it is one call', () => {
    const bound = new QueueBound(0.001);
    bound.entered(1, 300 << 20);
    expect(bound.admits(0)).to.equal(false);
    bound.left(1, 1, 300 << 20);
    expect(bound.admits(0)).to.equal(true);
  });

  it('learns what a row takes: from one batch to the next while calls wait, else from the run itself', () => {
    const bound = filled(4, 10, 1);
    bound.left(1, 10, 8);
    bound.ran(10, 100, 120);
    expect(bound.msPerRow).to.be.closeTo(1.2, 1e-9);
    for (let endMs = 160, i = 0; i < 40; i++, endMs += 40) bound.ran(10, endMs - 5, endMs);
    expect(bound.msPerRow).to.be.closeTo(4, 0.01);
    bound.left(3, 30, 24);
    bound.ran(10, 2_000, 2_001);
    for (let i = 0; i < 40; i++) bound.ran(10, 9_000, 9_001);
    expect(bound.msPerRow).to.be.closeTo(0.1, 0.01);
  });

  it('is not misled for long by one batch that took very long', () => {
    const bound = new QueueBound(1);
    bound.ran(1, 0, 1);
    bound.ran(1, 0, 100_000);
    expect(bound.msPerRow).to.be.at.most(2);
  });

  it('is not misled by the first batch', () => {
    const bound = new QueueBound(0.01);
    bound.ran(1, 0, 500);
    for (let i = 0; i < 1_000; i++) bound.entered(1, 8);
    expect(bound.admits(0)).to.equal(true);
  });
});
