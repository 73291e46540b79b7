import { expect } from 'chai';
import fc from 'fast-check';
import type { RunnableSession } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import type { Plan } from '#parley/serving/plan.js';
import type { Servable } from '#parley/serving/servable.js';
import { put, Recorded } from './calls.js';
import { echo, forgetful, lookup, servableOf, sessionOn, summing } from './models.js';

/** Counts a session's runs, in rows. */
function counted(session: RunnableSession): number[] {
  const runs: number[] = [],
    run = session.run.bind(session);
  session.run = (feeds, fetches, done) => {
    runs.push(Number(Object.values(feeds)[0].dims[0]));
    run(feeds, fetches, done);
  };
  return runs;
}

/** Holds a session's runs back. @returns what lets the next one go, once it is there */
function held(session: RunnableSession): () => void {
  const waiting: (() => void)[] = [],
    run = session.run.bind(session);
  session.run = (feeds, fetches, done) => {
    waiting.push(() => run(feeds, fetches, done));
  };
  return () => {
    const next = waiting.shift();
    if (next === undefined) throw new Error('nothing has been run');
    next();
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const road of ['native', 'public'] as const) {
  describe(`a batcher whose sessions are ${road}`, () => {
    let batcher: Batcher;
    let servable: Servable;
    let plan: Plan;
    const opened: Servable[] = [];
    const load = async (made: Parameters<typeof servableOf>[0]) => {
      const one = await servableOf(made, batcher, sessionOn(road));
      opened.push(one);
      return one;
    };
    beforeEach(async () => {
      batcher = new Batcher();
      servable = await load(summing());
      plan = servable.plan([0]);
    });
    afterEach(() => {
      for (const one of opened.splice(0)) one.release();
    });

    it('is of the kind that this suite is about', () => {
      expect(servable.session.synchronous).to.equal(road === 'native');
    });

    it('answers each call as if it had run alone', async () => {
      const value = fc.double({ min: -1000, max: 1000, noNaN: true });
      const request = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 90 }), async (requests) => {
          const calls = requests.map((rows) => put(plan, [rows.map(([a]) => a), rows.map(([, b]) => b)]));
          await Promise.all(calls.map((call) => call.settled));
          requests.forEach((rows, i) => {
            const [values] = calls[i].values as number[][];
            expect(values).to.have.length(rows.length);
            rows.forEach(([a, b], row) => {
              expect(values[row]).to.equal(Math.fround(a + b));
            });
          });
        }),
        { numRuns: 40 },
      );
    });

    it('runs once for all calls of a turn', async () => {
      const runs = counted(servable.session);
      const calls = Array.from({ length: 30 }, (_, i) => put(plan, [[i], [1]]));
      await Promise.all(calls.map((call) => call.settled));
      expect(runs).to.deep.equal([30]);
    });

    it('keeps rows that were written before the batch grew', async () => {
      const calls = Array.from({ length: 200 }, (_, i) => put(plan, [[i], [0.5]]));
      await Promise.all(calls.map((call) => call.settled));
      expect(calls.map((call) => call.values[0][0])).to.deep.equal(calls.map((_, i) => i + 0.5));
    });

    it('runs a full batch before it takes more, and answers every call once', async () => {
      const runs = counted(servable.session),
        each = Math.ceil(servable.maxRows / 3);
      const calls = Array.from({ length: 10 }, (_, i) => put(plan, [new Array(each).fill(i), new Array(each).fill(0)]));
      await Promise.all(calls.map((call) => call.settled));
      calls.forEach((call, i) => {
        expect(call.values[0]).to.deep.equal(new Array(each).fill(i));
      });
      expect(Math.max(...runs)).to.be.at.most(servable.maxRows);
      expect(runs.reduce((a, b) => a + b)).to.equal(10 * each);
    });

    it('answers a request of more rows than a run takes, whole, and calls beside it', async () => {
      const rows = servable.maxRows * 5;
      const before = put(plan, [[1], [1]]);
      const large = put(plan, [Array.from({ length: rows }, (_, i) => i), new Array(rows).fill(0)]);
      const after = put(plan, [[2], [2]]);
      await Promise.all([before.settled, large.settled, after.settled]);
      expect([before.values[0], after.values[0]]).to.deep.equal([[2], [4]]);
      expect(large.values[0]).to.deep.equal(Array.from({ length: rows }, (_, i) => i));
    });

    it('fails only the call that the graph fails on', async () => {
      const one = (await load(lookup())).plan([0]);
      const [good, bad, fine] = [[3], [11], [7, 8]].map((x) => put(one, [x]));
      await Promise.all([good.settled, bad.settled, fine.settled]);
      expect([good.values, fine.values]).to.deep.equal([[[300]], [[700, 800]]]);
      expect(bad.error).to.include({ code: 'MODEL_BROKEN' });
      const again = put(one, [[4]]);
      await again.settled;
      expect(again.values).to.deep.equal([[400]]);
    });

    it('counts the time of each run once, also of those that are repeated in part', async () => {
      const one = Object.assign(await load(lookup()), { maxRows: 64 }),
        run = one.session.run.bind(one.session);
      one.session.run = (feeds, fetches, done) => {
        const until = performance.now() + 2;
        while (performance.now() < until);
        run(feeds, fetches, done);
      };
      const calls = [[1], [11], ...Array.from({ length: 8 }, (_, i) => [i])].map((x) => put(one.plan([0]), [x]));
      const begin = performance.now();
      await Promise.all(calls.map(({ settled }) => settled));
      const elapsedUs = (performance.now() - begin) * 1000;
      // Runs that wait for each other in the runtime's own threads overlap.
      if (road === 'native') expect(one.tally.computeUs).to.be.at.most(elapsedUs + calls.length);
      // The second half, the other of the first half's, and the neighbour of the culprit.
      expect(one.tally).to.include({ runs: 3, rows: 9, succeeded: 9, failed: 1 });
    });

    it('fails a call that is alone with its failure once', async () => {
      const bad = put((await load(lookup())).plan([0]), [[11]]);
      await bad.settled;
      expect(bad.error.message).to.contain('could not run the graph');
    });

    it('fails the calls whose rows the graph leaves out, and no others', async () => {
      const one = (await load(forgetful())).plan([0]);
      const [good, short] = [
        [1, 2],
        [3, 12],
      ].map((x) => put(one, [x]));
      await Promise.all([good.settled, short.settled]);
      expect(good.values).to.deep.equal([[1, 2]]);
      expect(short.error.message).to.contain('output "value" has 1 values for 2 rows');
    });

    it('runs nothing when every call is past its deadline', async () => {
      const runs = counted(servable.session);
      const late = [put(plan, [[1], [1]], new Recorded(0)), put(plan, [[2], [2]], new Recorded(performance.now()))];
      await Promise.all(late.map((call) => call.settled));
      for (const call of late) expect(call.error).to.include({ code: 'DEADLINE_EXCEEDED' });
      expect(runs).to.deep.equal([]);
      const next = put(plan, [[3], [4]]);
      await next.settled;
      expect(next.values).to.deep.equal([[7]]);
    });

    it('takes calls while others are told that they are late', async () => {
      const next = new Recorded();
      const late = new Recorded(0);
      const fail = late.fail.bind(late);
      late.fail = (error) => {
        put(plan, [[3], [4]], next);
        fail(error);
      };
      put(plan, [[1], [1]], late);
      await Promise.all([late.settled, next.settled]);
      expect(late.error.code).to.equal('DEADLINE_EXCEEDED');
      expect(next.values).to.deep.equal([[7]]);
    });

    it('does not run calls past their deadlines beside others that are in time', async () => {
      const runs = counted(servable.session);
      const calls = [
        put(
          plan,
          [
            [1, 2],
            [1, 1],
          ],
          new Recorded(0),
        ),
        put(plan, [
          [3, 4],
          [1, 1],
        ]),
        put(plan, [[5], [1]], new Recorded(0)),
        put(plan, [[6], [1]]),
      ];
      await Promise.all(calls.map((call) => call.settled));
      expect([calls[1], calls[3]].map((call) => call.values[0])).to.deep.equal([[4, 5], [7]]);
      for (const late of [calls[0], calls[2]]) expect(late.error.code).to.equal('DEADLINE_EXCEEDED');
      expect(runs).to.deep.equal([3]);
      expect(servable.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
    });

    it('says how long a late call waited', async () => {
      const arrivedMs = performance.now() - 500;
      const late = put(plan, [[1], [1]], Object.assign(new Recorded(), { arrivedMs, deadlineMs: arrivedMs + 20 }));
      await late.settled;
      expect(late.error.message).to.match(
        /^the call waited [5-9]\d\d ms for its turn, its timeout_ms is 20; it was not run/,
      );
    });

    it('takes calls while it delivers others', async () => {
      const later = Array.from({ length: 5 }, () => new Recorded());
      const first = Array.from({ length: 5 }, (_, i) => {
        const call = new Recorded();
        call.onDeliver = () => put(plan, [[i], [100]], later[i]);
        return put(plan, [[i], [1]], call);
      });
      await Promise.all([...first, ...later].map((call) => call.settled));
      expect(first.map((call) => call.values[0])).to.deep.equal([[1], [2], [3], [4], [5]]);
      expect(later.map((call) => call.values[0])).to.deep.equal([[100], [101], [102], [103], [104]]);
    });

    it('fails a call that cannot take its answer, and answers the others', async () => {
      const broken = new Recorded();
      broken.onDeliver = () => {
        throw new Error('no room');
      };
      const calls = [put(plan, [[1], [1]]), put(plan, [[2], [2]], broken), put(plan, [[3], [3]])];
      await Promise.all(calls.map((call) => call.settled));
      expect(broken.error.message).to.equal('no room');
      expect([calls[0].values, calls[2].values]).to.deep.equal([[[2]], [[6]]]);
    });

    it('serves two choices of outputs side by side', async () => {
      const both = servable.plan([1, 0]);
      const [one, two] = [put(plan, [[1], [2]]), put(both, [[10], [20]])];
      await Promise.all([one.settled, two.settled]);
      expect([one.values, two.values]).to.deep.equal([[[3]], [[50], [30]]]);
      expect(servable.plan([0])).to.equal(plan);
    });

    it('keeps the strings of each call apart, from run to run', async () => {
      const said = (await load(echo())).plan([0]);
      for (const words of [
        [['a', ''], ['日本']],
        [['long '.repeat(50)], ['b'], ['c', 'd', 'e']],
      ]) {
        const calls = words.map((text) => put(said, [text]));
        await Promise.all(calls.map((call) => call.settled));
        expect(calls.map((call) => call.values[0])).to.deep.equal(words);
      }
    });

    it('ends the turn after its answers, once for each turn at least', async () => {
      const events: string[] = [];
      batcher.onTurnEnd(() => events.push('end'));
      const call = new Recorded();
      call.onDeliver = () => events.push('answer');
      put(plan, [[1], [1]], call);
      await call.settled;
      await turn();
      expect(events.slice(events.indexOf('answer') + 1)).to.include('end');
    });
  });
}

describe('a batcher whose runs take longer than a turn', () => {
  let servable: Servable;
  let plan: Plan;
  let release: () => void;
  beforeEach(async () => {
    servable = await servableOf(summing(), new Batcher(), sessionOn('public'));
    plan = servable.plan([0]);
    release = held(servable.session);
  });
  afterEach(() => servable.release());

  it('keeps the calls that come behind a large request which is still running', async () => {
    const rows = servable.maxRows * 5;
    const large = put(plan, [new Array(rows).fill(1), new Array(rows).fill(2)]);
    await turn();
    const next = put(plan, [[4], [5]]);
    release();
    await large.settled;
    await turn();
    release();
    await next.settled;
    expect(next.values).to.deep.equal([[9]]);
    expect(large.values[0]).to.deep.equal(new Array(rows).fill(3));
  });

  it('keeps the calls that come while a large request is delivered', async () => {
    const rows = servable.maxRows * 5;
    const [large, next] = [new Recorded(), new Recorded()];
    large.onDeliver = () => put(plan, [[4], [5]], next);
    put(plan, [new Array(rows).fill(1), new Array(rows).fill(2)], large);
    await turn();
    release();
    await large.settled;
    await turn();
    release();
    await next.settled;
    expect(next.values).to.deep.equal([[9]]);
  });

  it('does not write into rows that are running', async () => {
    const [first, second, third] = [new Recorded(), new Recorded(), new Recorded()];
    put(plan, [[1], [1]], first);
    await turn();
    put(plan, [[2], [2]], second);
    await turn();
    put(plan, [[3], [3]], third);
    await turn();
    for (const call of [first, second, third]) {
      release();
      await call.settled;
    }
    expect([first, second, third].map((call) => call.values[0])).to.deep.equal([[2], [4], [6]]);
  });

  it('keeps the rows of a failed batch until each call has run alone', async () => {
    const broken = await servableOf(lookup(), new Batcher(), sessionOn('public'));
    const one = broken.plan([0]),
      go = held(broken.session);
    const [good, bad, fine] = [[3], [11], [7]].map((x) => put(one, [x]));
    await turn();
    const next = put(one, [[9]]);
    go();
    // The batch has failed when a run of a call alone waits to be let go.
    const alone = async (call: Recorded) => {
      for (let tries = 0; call.outcomes.length === 0; tries++) {
        if (tries > 10_000) throw new Error('the call never ran');
        await turn();
        try {
          go();
        } catch {}
      }
    };
    for (const call of [good, bad, fine, next]) await alone(call);
    expect([good, fine, next].map((call) => call.values[0])).to.deep.equal([[300], [700], [900]]);
    expect(bad.error.code).to.equal('MODEL_BROKEN');
    broken.release();
  });
});
