/** What the alias `shadow` leads to is asked beside production, off the road, and compared. */
import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import { Metrics } from '#parley/http/metrics.js';
import { modelsPage } from '#parley/http/models.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { Router } from '#parley/serving/router.js';
import type { Slot } from '#parley/serving/servable.js';
import { compareRows, ShadowCounts } from '#parley/serving/shadow-comparison.js';
import { NOTHING_COUNTED } from '../http/watched.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, World } from '../store/world.js';
import { put } from './calls.js';
import { envelopeOf, lookup, type Made, MODEL, sessionOn, summing } from './models.js';

describe('a shadow', () => {
  const redis = sharedRedis();
  let world: World;
  let factory: Factory;
  let router: Router;
  let lines: { msg: string; [key: string]: unknown }[];
  let log: Logger;

  beforeEach(() => {
    world = new World(redis);
    lines = [];
    log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    factory = new Factory(world.store, new Batcher());
    router = new Router(world.store, factory, log);
  });
  afterEach(async () => {
    await router.close();
    factory.close();
    await world.close();
  });

  async function publish(made: Made): Promise<string> {
    const bytes = envelopeOf(made),
      version = digestOf(bytes);
    const record = { version, modelType: 'tabular-regressor' as const, metrics: {} };
    await world.store.publishVersion({ ...BY, model: MODEL, bytes, record });
    return version;
  }
  const point = (version: string, aliasName: string) =>
    world.store.moveAlias({ ...BY, model: MODEL, aliasName, version, action: 'promote' });

  /** Has production answer rows, each a call. */
  async function answered(rows: readonly (readonly [number, number])[]): Promise<void> {
    const { servable } = await router.resolve(MODEL);
    const calls = rows.map(([a, b]) => put(servable.plan([0, 1]), [[a], [b]]));
    await Promise.all(calls.map(({ settled }) => settled));
    expect(calls.map(({ values }) => values[0])).to.deep.equal(rows.map(([a, b]) => [Math.fround(a + b)]));
  }
  const compared = () => factory.shadowingOf(MODEL).counts;
  const shadowed = (rows: number, pair = 0) =>
    until('the shadow to be asked', () => {
      const counts = compared()[pair];
      return counts !== undefined && counts.rows + counts.dropped + counts.incomparable + counts.failed >= rows;
    });

  async function beside(production: Made, shadow: Made): Promise<readonly [string, string]> {
    const versions = [await publish(production), await publish(shadow)] as const;
    await point(versions[0], 'production');
    await point(versions[1], 'shadow');
    await router.start();
    return versions;
  }

  it('is asked what production answered, and its answers are compared and not sent', async () => {
    const [version, shadow] = await beside(summing(), summing(['a', 'b'], 0.5));
    await answered([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    await shadowed(3);
    const [counts] = compared();
    expect(counts).to.include({ model: MODEL, version, shadow, rows: 3, agreeingRows: 0, dropped: 0, incomparable: 0 });
    expect([...counts!.largestDifferences]).to.deep.equal([
      ['value', 0.5],
      ['weighted', 0.5],
    ]);
    expect(factory.tallies.of(MODEL, version)).to.include({ succeeded: 3, rows: 3, runs: 1 });
    expect(factory.tallies.totals.get(MODEL)).to.include({ succeeded: 3, rows: 3 });
    expect(lines.filter(({ msg }) => msg === 'the shadow was compared')).to.have.length(1);
  });

  it('agrees where it answers the same', async () => {
    await beside(summing(), summing(['a', 'b'], 1e-12));
    await answered(Array.from({ length: 50 }, (_, i) => [i, 2] as const));
    await shadowed(50);
    expect(compared()[0]).to.include({ rows: 50, agreeingRows: 50 });
    expect(compared()[0]!.largestDifferences.get('value')).to.equal(0);
  });

  it('is told in the metrics', async () => {
    const [version, shadow] = await beside(summing(), summing(['a', 'b'], 2));
    await answered([[1, 2]]);
    await shadowed(1);
    const metrics = new Metrics({ ...NOTHING_COUNTED, router, factory });
    const text = await metrics.text(),
      labels = `model="${MODEL}",version="${version}",shadow="${shadow}"`;
    for (const line of [
      `parley_shadow_rows_total{${labels}} 1`,
      `parley_shadow_agreeing_rows_total{${labels}} 0`,
      `parley_shadow_dropped_rows_total{${labels}} 0`,
      `parley_shadow_largest_difference{${labels},output="value"} 2`,
    ])
      expect(text.split('\n')).to.include(line);
  });

  it('is told among the models', async () => {
    const [version, shadow] = await beside(summing(), summing(['a', 'b'], 2));
    const told = () => (modelsPage({ router, factory }) as { models: { shadows?: object[] }[] }).models[0]!.shadows;
    expect(told()).to.equal(undefined);
    await answered([
      [1, 2],
      [3, 4],
    ]);
    await shadowed(2);
    const largestDifferences = { value: 2, weighted: 2 };
    expect(told()).to.deep.equal([
      { shadow, version, rows: 2, agreement: 0, largestDifferences, dropped: 0, incomparable: 0, failed: 0 },
    ]);
  });

  it('cannot be compared when it is asked otherwise, which is told once', async () => {
    await beside(summing(), summing(['a', 'c']));
    for (let i = 0; i < 3; i++) await answered([[1, 2]]);
    await shadowed(3);
    expect(compared()[0]).to.include({ rows: 0, incomparable: 3 });
    const told = lines.filter(({ msg }) => msg.includes('cannot be compared'));
    expect(told.map(({ reason }) => reason)).to.deep.equal(['the input "c" is one version\'s alone']);
  });

  it('yields to production, and drops what it cannot keep up with', async () => {
    await beside(summing(), summing(['a', 'b'], 1));
    await answered([[1, 2]]);
    await shadowed(1);
    const { servable } = await router.resolve(MODEL);
    const calls = Array.from({ length: 40 }, () =>
      put(servable.plan([0]), [new Array(servable.maxRows).fill(1), new Array(servable.maxRows).fill(1)]),
    );
    await Promise.all(calls.map(({ settled }) => settled));
    expect(compared()[0]!.rows).to.equal(1);
    const rows = 40 * servable.maxRows + 1;
    await shadowed(rows);
    const { dropped, rows: asked } = compared()[0]!;
    expect(asked + dropped).to.equal(rows);
    expect(asked).to.be.within(2, 8_193);
  });

  it('that answers later is asked each row once', async () => {
    factory.close();
    factory = new Factory(world.store, new Batcher(), { loadSession: sessionOn('public') });
    router = new Router(world.store, factory, log);
    await beside(summing(), summing(['a', 'b'], 0.5));
    await answered([[1, 2]]);
    await shadowed(1);
    const shadow = factory.loaded(MODEL, factory.shadowingOf(MODEL).active!.version)!,
      run = shadow.session.run.bind(shadow.session);
    let asked = 0,
      underWay = 0,
      most = 0;
    shadow.session.run = (feeds, fetches, done) => {
      asked += Number(Object.values(feeds)[0]!.dims[0]);
      most = Math.max(most, ++underWay);
      run(feeds, fetches, (error, results) => {
        setTimeout(() => {
          underWay--;
          done(error, results);
        }, 50);
      });
    };
    for (let i = 0; i < 10; i++) await answered([[i, 2]]);
    await shadowed(11);
    await until('nothing to be under way', () => underWay === 0);
    expect([asked, most]).to.deep.equal([10, 1]);
    expect(compared()[0]!.rows).to.equal(11);
    expect(compared()[0]!.largestDifferences.get('value')).to.equal(0.5);
  });

  it('that does not load costs production nothing, and is told once', async () => {
    const [, shadow] = await beside(summing(), summing(['a', 'b'], 1));
    await world.raw.hset(world.keys.blob(MODEL, shadow), '0', Buffer.from('other bytes'));
    for (let i = 0; i < 3; i++) {
      await answered([[1, 2]]);
      await shadowed(i + 1);
    }
    expect(compared()[0]).to.include({ rows: 0, dropped: 3 });
    expect(lines.filter(({ msg }) => msg.includes('the shadow does not load'))).to.have.length(1);
  });

  it('that fails on rows is told so, and production is answered', async () => {
    await beside(summing(['x']), lookup());
    const { servable } = await router.resolve(MODEL);
    const call = put(servable.plan([0]), [[11]]);
    await call.settled;
    expect(call.values).to.deep.equal([[11]]);
    await shadowed(1);
    expect(compared()[0]).to.include({ rows: 0, failed: 1 });
  });

  it('follows its alias', async () => {
    const [version] = await beside(summing(), summing(['a', 'b'], 1));
    await answered([[1, 2]]);
    await shadowed(1);
    const next = await publish(summing(['a', 'b'], 4));
    await point(next, 'shadow');
    await until('the alias to follow', () => factory.shadowingOf(MODEL).active?.version === next);
    await answered([[1, 2]]);
    await shadowed(1, 1);
    expect(compared()[1]).to.include({ version, shadow: next, rows: 1 });
    expect(compared()[1]!.largestDifferences.get('value')).to.equal(4);
  });

  it('is not asked what other aliases answer', async () => {
    await beside(summing(), summing(['a', 'b'], 1));
    const { servable } = await router.resolve(MODEL, await publish(summing(['a', 'b'], 9)));
    const call = put(servable.plan([0]), [[1], [1]]);
    await call.settled;
    expect(compared()).to.deep.equal([]);
  });
});

describe('the comparison of two versions', () => {
  const outputs: Slot[] = [
    { name: 'label', dataType: 'string', rowShape: [], rowWidth: 1 },
    { name: 'probabilities', dataType: 'float32', rowShape: [3], rowWidth: 3 },
  ];
  const of = (labels: readonly string[], probabilities: readonly number[]) => [
    [...labels],
    Float32Array.from(probabilities),
  ];

  it('takes classes by their likeliest, and labels as they are', () => {
    const counts = new ShadowCounts('m', 'one', 'two');
    const ours = of(['-', 'a', 'b', 'c'], [0, 0, 0, 0.75, 0.25, 0, 0.25, 0.5, 0.25, 0, 0, 1]);
    const theirs = of(['a', 'b', 'b'], [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0, 1, 0]);
    compareRows(counts, outputs, 3, ours, 1, theirs, 3);
    // The first has other probabilities and the same likeliest; the third differs in both.
    expect(counts).to.include({ rows: 3, agreeingRows: 2 });
    expect([...counts.largestDifferences]).to.deep.equal([['probabilities', 1]]);
  });

  it('takes other numbers as they are', () => {
    const counts = new ShadowCounts('m', 'one', 'two');
    const numbers = [outputs[1]!];
    compareRows(
      counts,
      numbers,
      0,
      [Float32Array.of(1, 2, 3, Number.NaN, 5, 6)],
      0,
      [Float32Array.of(1, 2, 3.5, Number.NaN, 5, 6)],
      2,
    );
    expect(counts).to.include({ rows: 2, agreeingRows: 1 });
    expect(counts.largestDifferences.get('probabilities')).to.equal(0.5);
    compareRows(counts, numbers, 0, [Float32Array.of(1, 2, 3)], 0, [Float32Array.of(1, 2, Number.NaN)], 1);
    expect(counts.largestDifferences.get('probabilities')).to.equal(Number.POSITIVE_INFINITY);
  });
});
