/** Answers that are kept: equal to what a run gives, bit by bit, and never another question's. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TensorData } from '#parley/model/tensor.js';
import { Batch } from '#parley/serving/batch.js';
import { type Answers, Batcher } from '#parley/serving/batcher.js';
import type { Plan } from '#parley/serving/plan.js';
import { CacheCounts, CacheKeys, ResultCache } from '#parley/serving/result-cache.js';
import type { Servable, Slot } from '#parley/serving/servable.js';
import { put, Recorded } from './calls.js';
import { echo, lookup, servableOf, sessionOn, summing } from './models.js';

class Told extends Recorded {
  answers: Answers | undefined;
  override deliver(answers: Answers, first: number, rows: number): void {
    this.answers = { ...answers };
    super.deliver(answers, first, rows);
  }
}

for (const road of ['native', 'public'] as const) {
  describe(`answers that are kept, of a session that is ${road}`, () => {
    let one: Servable;
    let plan: Plan;
    let counts: CacheCounts;
    let runs: number;
    const load = async (made = summing(), cache = 100) => {
      one?.release();
      one = await servableOf(made, new Batcher(), sessionOn(road));
      one.applySettings({ cache, maxDelayUs: 0, maxQueueMs: 1_000 }, (counts = new CacheCounts()));
      plan = one.plan([0]);
      runs = 0;
      const run = one.session.run.bind(one.session);
      one.session.run = (...all) => {
        runs++;
        run(...all);
      };
    };
    const ask = async (columns: readonly (readonly (number | string)[])[], of = plan): Promise<Told> => {
      const call = new Told();
      put(of, columns, call);
      await call.settled;
      return call;
    };
    beforeEach(() => load());
    after(() => one.release());

    it('are given again without a run, bit by bit, and say so', async () => {
      const value = fc.double({ min: -1000, max: 1000, noNaN: true });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 }), async (rows) => {
          const columns = [rows.map(([a]) => a), rows.map(([, b]) => b)];
          await load();
          const first = await ask(columns),
            // Where a row is slow, that many run in pieces.
            before = runs,
            again = await ask(columns);
          expect(runs).to.equal(before).and.above(0);
          expect([first.answers!.cached, again.answers!.cached]).to.deep.equal([false, true]);
          expect(again.values).to.deep.equal(first.values);
          expect(again.answers!.bytes[0]).to.deep.equal(first.answers!.bytes[0]);
        }),
        { numRuns: 20 },
      );
    });

    it('count for nothing but themselves', async () => {
      await ask([[1], [2]]);
      await ask([[1], [2]]);
      await ask([[2], [1]]);
      expect(counts).to.include({ hits: 1, misses: 2, entries: 2 });
      expect(counts.bytes).to.be.above(0);
      expect(one.tally).to.include({ succeeded: 3, runs: 2, rows: 2 });
      expect(one.queue).to.include({ rows: 0, calls: 0, bytes: 0 });
      expect(one.users.any).to.equal(false);
    });

    it('are kept apart by the choice of outputs', async () => {
      for (const [outputs, values] of [
        [[0], [[3]]],
        [[1], [[5]]],
        [
          [0, 1],
          [[3], [5]],
        ],
        [
          [1, 0],
          [[5], [3]],
        ],
      ] as const) {
        const first = await ask([[1], [2]], one.plan(outputs));
        expect([first.answers!.cached, first.values]).to.deep.equal([false, values]);
      }
    });

    it('come behind the calls before them and before those behind them', async () => {
      await ask([[1], [2]]);
      const order: number[] = [];
      const calls = [[5], [1], [6]].map(([a], i) => {
        const call = new Told();
        call.onDeliver = () => order.push(i);
        return put(plan, [[a!], [2]], call);
      }) as Told[];
      await Promise.all(calls.map(({ settled }) => settled));
      expect(calls.map(({ answers }) => answers!.cached)).to.deep.equal([false, true, false]);
      expect(calls.map(({ values }) => values[0])).to.deep.equal([[7], [3], [8]]);
      expect(runs).to.equal(2);
      // An asynchronous run is not waited for.
      expect(order).to.deep.equal(road === 'native' ? [0, 1, 2] : [1, 0, 2]);
    });

    it('are given beside a call that fails, and no failure is kept', async () => {
      await load(lookup());
      await ask([[3]]);
      const calls = [[11], [3], [4]].map((x) => put(plan, [x], new Told())) as Told[];
      await Promise.all(calls.map(({ settled }) => settled));
      expect(calls[0]!.error.code).to.equal('MODEL_BROKEN');
      expect(calls.slice(1).map(({ values }) => values)).to.deep.equal([[[300]], [[400]]]);
      expect((await ask([[4]])).answers!.cached).to.equal(true);
      const again = put(plan, [[11]]);
      await again.settled;
      expect(again.error.code).to.equal('MODEL_BROKEN');
    });

    it('are not given to a call whose time is up', async () => {
      await ask([[1], [2]]);
      const late = put(plan, [[1], [2]], new Recorded(performance.now() - 1));
      await late.settled;
      expect(late.error.code).to.equal('DEADLINE_EXCEEDED');
    });

    it('are strings, too', async () => {
      await load(echo());
      expect((await ask([['a', '日本']])).answers!.cached).to.equal(false);
      const again = await ask([['a', '日本']]);
      expect([again.answers!.cached, again.values]).to.deep.equal([true, [['a', '日本']]]);
      for (const other of [['a日', '本'], ['', 'a日本'], ['a']]) {
        const asked = await ask([other]);
        expect([asked.answers!.cached, asked.values]).to.deep.equal([false, [other]]);
      }
    });

    it('go when there are too many, the least recently used first', async () => {
      await load(summing(), 2);
      for (const a of [1, 2, 1, 3]) await ask([[a], [0]]);
      expect(counts.entries).to.equal(2);
      expect((await ask([[1], [0]])).answers!.cached).to.equal(true);
      expect((await ask([[2], [0]])).answers!.cached).to.equal(false);
    });

    it('go with their version', async () => {
      await ask([[1], [2]]);
      one.release();
      expect(counts).to.include({ entries: 0, bytes: 0 });
    });
  });
}

describe('kept answers', () => {
  const outputs: Slot[] = [{ name: 'value', dataType: 'float64', rowShape: [1000], rowWidth: 1000 }];
  const values = (rows: number): TensorData[] => [new Float64Array(rows * 1000).fill(rows)];

  it('do not take more than 64 MiB', () => {
    const counts = new CacheCounts(),
      cache = new ResultCache(1_000_000, counts);
    for (let i = 0; i < 10_000; i++) cache.keep(`key ${i}`, values(1), outputs, 0, 1);
    expect(counts.bytes).to.be.within(63 << 20, 64 << 20);
    expect(cache.get('key 0')).to.equal(undefined);
    expect(cache.get('key 9999')!.values[0]).to.have.length(1000);
  });

  it('are not of more than 64 KiB each', () => {
    const counts = new CacheCounts(),
      cache = new ResultCache(10, counts);
    cache.keep('small', values(8), outputs, 0, 8);
    cache.keep('large', values(9), outputs, 0, 9);
    expect([cache.get('small') === undefined, cache.get('large') === undefined]).to.deep.equal([false, true]);
  });

  it('have another key for one row whose text looks like a second row', () => {
    const inputs: Slot[] = [
      { name: 'n', dataType: 'uint8', rowShape: [1], rowWidth: 1 },
      { name: 's', dataType: 'string', rowShape: [1], rowWidth: 1 },
    ];
    const keys = new CacheKeys('0', inputs);
    const keyOf = (numbers: readonly number[], texts: readonly string[]) => {
      const batch = new Batch(inputs);
      batch.reserve(numbers.length);
      (batch.columns[0] as Uint8Array).set(numbers);
      texts.forEach((text, i) => {
        (batch.columns[1] as string[])[i] = text;
      });
      return keys.of(batch, 0, numbers.length);
    };
    expect(keyOf([7], ['8:12345678'])).to.not.equal(keyOf([7, '1'.charCodeAt(0)], ['', '12345678']));
  });

  it('have different keys for different questions', () => {
    const inputs: Slot[] = [
      { name: 'n', dataType: 'float32', rowShape: [2], rowWidth: 2 },
      { name: 's', dataType: 'string', rowShape: [1], rowWidth: 1 },
      { name: 't', dataType: 'string', rowShape: [1], rowWidth: 1 },
    ];
    const text = fc.string({ unit: 'binary', maxLength: 4 });
    const row = fc.tuple(fc.float(), fc.float(), text, text);
    const rows = fc.array(row, { minLength: 1, maxLength: 4 });
    const keyOf = (asked: readonly (readonly [number, number, string, string])[], keys: CacheKeys) => {
      const batch = new Batch(inputs);
      batch.reserve(asked.length + 1);
      asked.forEach(([a, b, s, t], i) => {
        (batch.columns[0] as Float32Array).set([a, b], (i + 1) * 2);
        (batch.columns[1] as string[])[i + 1] = s;
        (batch.columns[2] as string[])[i + 1] = t;
      });
      return keys.of(batch, 1, asked.length);
    };
    const bits = (asked: unknown) =>
      JSON.stringify(asked, (_key, value) => (Object.is(value, -0) ? '-0' : Number.isNaN(value) ? 'NaN' : value));
    const [keys, others] = [new CacheKeys('0,1', inputs), new CacheKeys('1,0', inputs)];
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        expect(keyOf(a, keys)).to.equal(keyOf(structuredClone(a), keys));
        expect(keyOf(a, keys)).to.not.equal(keyOf(a, others));
        if (bits(a) !== bits(b)) expect(keyOf(a, keys)).to.not.equal(keyOf(b, keys));
      }),
    );
  });
});

it('a cache that is asked again and again keeps no more than its answers', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void,
    outputs: Slot[] = [{ name: 'value', dataType: 'float32', rowShape: [1], rowWidth: 1 }];
  const cache = new ResultCache(2_000, new CacheCounts());
  for (let i = 0; i < 1_000; i++) cache.keep(`question ${i}`, [Float32Array.of(i)], outputs, 0, 1);
  const heapAfter = (asked: number): number => {
    for (let i = 0; i < asked; i++) cache.get(`question ${(i * 7) % 1_000}`);
    for (let i = 0; i < 3; i++) collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heapAfter(10_000);
  expect((heapAfter(500_000) - before) / 2 ** 20, 'MiB').to.be.lessThan(5);
  expect(cache.get('question 1')!.values[0]![0]).to.equal(1);
});

it('a cache copies no answers that are too large to be kept', () => {
  const outputs: Slot[] = [{ name: 'value', dataType: 'float32', rowShape: [50_000], rowWidth: 50_000 }];
  let copies = 0;
  const values = Object.assign(new Float32Array(50_000), {
    slice: () => {
      copies++;
      return new Float32Array(50_000);
    },
  });
  const cache = new ResultCache(10, new CacheCounts());
  cache.keep('question', [values], outputs, 0, 1);
  expect([copies, cache.counts.entries]).to.deep.equal([0, 0]);
});
