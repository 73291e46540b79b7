import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import type { ContractRecord } from '#parley/model/store-port.js';
import type { AliasPointer } from '#parley/model/version.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { fnv1a, RunningCanary } from '#parley/serving/canary.js';
import { Factory } from '#parley/serving/factory.js';
import { leadsThere } from '#parley/serving/routed-model.js';
import { Router } from '#parley/serving/router.js';
import type { Servable } from '#parley/serving/servable.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, failure, World } from '../store/world.js';
import { type ContractShape, envelopeOf, FIXTURES, type Made, MODEL, recordOf, summing } from './models.js';

const ROUTED = { name: MODEL, epoch: 1, behind: false, chosenFor: '', contract: undefined };
const CALLS = 10_000;
const keyOf = (caller: number | string): Uint8Array => Buffer.from(`caller-${caller}`);

/** Four standard deviations of a share over all calls. */
const tolerance = (weight: number): number => 4 * Math.sqrt((weight * (1 - weight)) / CALLS);

function shareOf(takes: (call: number) => boolean): number {
  let taken = 0;
  for (let call = 0; call < CALLS; call++) if (takes(call)) taken++;
  return taken / CALLS;
}

describe('a running canary', () => {
  const servable = {} as Servable;
  const canary = (weight: number, version = 'b'.repeat(64)) => new RunningCanary({ version, weight }, servable);

  it('hashes as FNV-1a does', () => {
    const text = (value: string) => fnv1a(Buffer.from(value));
    expect([text(''), text('a'), text('foobar')]).to.deep.equal([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  it('gives a key the same point in every release', () => {
    const one = canary(0.1);
    expect([1, 2, 3].map((caller) => Number(one.pointOf(keyOf(caller)).toFixed(9)))).to.deep.equal([
      0.565623913, 0.281294773, 0.072519438,
    ]);
  });

  for (const weight of [0.01, 0.1, 0.5, 0.9]) {
    it(`takes ${weight} of the callers, and of the calls without a key`, () => {
      const one = canary(weight);
      expect(shareOf((call) => one.takes(keyOf(call)))).to.be.closeTo(weight, tolerance(weight));
      const without = canary(weight);
      expect(shareOf(() => without.takes())).to.be.closeTo(weight, 0.0005);
      const empty = canary(weight);
      expect(shareOf(() => empty.takes(new Uint8Array()))).to.be.closeTo(weight, 0.0005);
    });
  }

  it('spreads the keys evenly over all points', () => {
    const one = canary(0.5);
    const tenths = new Array<number>(10).fill(0);
    for (let call = 0; call < CALLS; call++) tenths[Math.floor(one.pointOf(keyOf(call)) * 10)]!++;
    // Chi-square with 9 degrees of freedom: 33.7 has a probability of 0.0001.
    const expected = CALLS / 10;
    expect(tenths.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).to.be.below(33.7);
  });

  it('keeps its callers when its weight grows', () => {
    const [small, large] = [canary(0.1), canary(0.3)];
    for (let call = 0; call < CALLS; call++)
      if (small.takes(keyOf(call))) expect(large.takes(keyOf(call))).to.equal(true);
  });

  it('meets other callers than the canary before it', () => {
    const [one, next] = [canary(0.1), canary(0.1, 'c'.repeat(64))];
    const both = shareOf((call) => one.takes(keyOf(call)) && next.takes(keyOf(call)));
    expect(both).to.be.closeTo(0.01, tolerance(0.01));
  });
});

describe('an alias', () => {
  it('leads where the store says only once its canary has the weight', () => {
    const [version, next] = ['a'.repeat(64), 'b'.repeat(64)];
    const pointer = { aliasName: 'production', version, canary: { version: next, weight: 0.5 } };
    const leads = (weight: number) => {
      const canary = new RunningCanary({ version: next, weight }, {} as Servable);
      const target = { aliasName: 'production', version, servable: undefined, canary };
      return leadsThere({ ...ROUTED, targets: new Map([['production', target]]) }, pointer as AliasPointer);
    };
    expect([leads(0.5), leads(0.1)]).to.deep.equal([true, false]);
  });
});

describe('the router with a canary', () => {
  const redis = sharedRedis();
  let world: World;
  let lines: { msg: string; [key: string]: unknown }[];
  let log: Logger;
  let closing: (() => Promise<void> | void)[];
  let factory: Factory;
  let router: Router;

  beforeEach(() => {
    world = new World(redis);
    closing = [() => world.close()];
    lines = [];
    log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    ({ factory, router } = another());
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });

  /** As another server process has it. */
  function another(): { factory: Factory; router: Router } {
    const factory = new Factory(world.store, new Batcher());
    const router = new Router(world.store, factory, log);
    closing.push(
      () => factory.close(),
      () => router.close(),
    );
    return { factory, router };
  }

  async function publish(made: Made, contract?: ContractRecord): Promise<string> {
    const bytes = envelopeOf(made),
      version = digestOf(bytes);
    const bound = contract && { contractService: 'Scores', contractFingerprint: contract.fingerprint };
    const record = { version, modelType: 'tabular-regressor', metrics: {}, ...bound };
    await world.store.publishVersion({ ...BY, model: MODEL, bytes, record });
    return version;
  }

  const biased = (bias: number, contract?: ContractRecord) => publish(summing(['a', 'b'], bias), contract);
  const point = (version: string, action: 'promote' | 'rollback' = 'promote') =>
    world.store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action });
  const canary = (version: string, weight: number) =>
    world.store.setCanary({ ...BY, model: MODEL, aliasName: 'production', version, weight });

  async function putInForce(shape: ContractShape = {}): Promise<ContractRecord> {
    const contract = recordOf(shape);
    await world.store.publishContract({ ...BY, model: MODEL, contract, fixtures: Buffer.from(FIXTURES) });
    return contract;
  }

  const answer = (key?: Uint8Array, from = router) => from.choose(MODEL, 'production', key)?.version;
  /** All versions that a hundred keys meet. */
  const met = (from = router) => new Set(Array.from({ length: 100 }, (_, i) => answer(keyOf(i), from)));
  const meets = (...versions: string[]) =>
    until(`${versions.length} versions`, () => {
      const now = met();
      return now.size === versions.length && versions.every((version) => now.has(version));
    });

  it('shares the calls by weight, and sticks to a routing key in every server', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await point(a);
    await canary(b, 0.1);
    await router.start();
    const { router: second } = another();
    await second.start();
    const share = shareOf((call) => answer(keyOf(call)) === b);
    expect(share).to.be.closeTo(0.1, tolerance(0.1));
    for (let call = 0; call < CALLS; call++) {
      const version = answer(keyOf(call));
      expect([a, b]).to.include(version);
      expect(answer(keyOf(call), second)).to.equal(version);
      expect(answer(keyOf(call))).to.equal(version);
    }
    expect(shareOf(() => answer() === b)).to.be.closeTo(0.1, 0.0005);
  });

  it('says of no version that it answers all calls while a canary runs', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await point(a);
    await router.start();
    await router.resolve(MODEL);
    expect(router.ready(MODEL, 'production')?.version).to.equal(a);
    await canary(b, 0.5);
    await meets(a, b);
    expect(router.ready(MODEL, 'production')).to.equal(undefined);
    expect((await router.resolve(MODEL)).servable.version).to.equal(a);
    await canary(b, 0);
    await meets(a);
    expect(router.ready(MODEL, 'production')?.version).to.equal(a);
  });

  it('has loaded both versions before the canary takes a call', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await point(a);
    await router.start();
    expect(factory.versionsOf(MODEL)).to.deep.equal([]);
    await canary(b, 0.5);
    await until('the canary', () => met().has(b));
    expect([...factory.versionsOf(MODEL)].sort()).to.deep.equal([a, b].sort());
  });

  it('never leaves the alias without an answer, from the beginning of a canary to its promotion', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await point(a);
    await router.start();
    await router.resolve(MODEL);
    const seen: string[] = [];
    /** Waits for what follows, asking all the while. */
    const through = (what: string, done: () => boolean) =>
      until(what, () => {
        for (const version of met()) seen.push(version ?? 'none');
        return done();
      });
    for (const weight of [0.1, 0.5, 0]) {
      await canary(b, weight);
      await through(`weight ${weight}`, () => met().has(b) === weight > 0);
    }
    await canary(b, 0.9);
    await through('the canary again', () => met().has(b));
    await point(b);
    await through('the promotion', () => router.ready(MODEL, 'production')?.version === b);
    await point(a, 'rollback');
    await through('the rollback', () => router.ready(MODEL, 'production')?.version === a);
    expect(new Set(seen)).to.deep.equal(new Set([a, b]));
  });

  it('leaves all calls to the old version when the canary does not load', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await world.raw.hset(world.keys.blob(MODEL, b), '0', Buffer.from('other bytes'));
    await point(a);
    await router.start();
    await router.resolve(MODEL);
    await canary(b, 0.9);
    await until('the failure', () => lines.some(({ msg }) => msg.includes('does not load')));
    expect(router.ready(MODEL, 'production')?.version).to.equal(a);
  });

  it('gives no calls to a canary that does not fit the contract that callers are answered by', async () => {
    const contract = await putInForce();
    const a = await biased(0, contract);
    const other = await publish(summing(['a', 'c']));
    await point(a);
    await router.start();
    await router.resolve(MODEL);
    await canary(other, 0.9);
    await until('the warning', () => lines.some(({ msg }) => msg.includes('the canary does not fit')));
    expect(router.ready(MODEL, 'production')?.version).to.equal(a);
  });

  it('takes the calls back from a canary that does not fit a new contract', async () => {
    const contract = await putInForce();
    const [a, b] = [await publish(summing(['a', 'c']), contract), await biased(1, contract)];
    await point(b);
    await point(a, 'promote');
    await world.store.setCanary({ ...BY, model: MODEL, aliasName: 'production', version: b, weight: 0.5 });
    const other = await putInForce({ fields: ['a', 'c'] });
    await router.start();
    await until('the other contract', () => router.services.get('Scores')?.contract.fingerprint === other.fingerprint);
    expect(router.ready(MODEL, 'production') ?? (await router.resolve(MODEL)).servable).to.include({ version: a });
    expect(met()).to.deep.equal(new Set([a]));
  });

  it('answers no longer for a version that is retired, though it is loaded', async () => {
    const [a, b] = [await biased(0), await biased(1)];
    await point(a);
    await router.start();
    await router.resolve(MODEL, b);
    await world.retire(b, { model: MODEL });
    await until(
      'the refusal',
      async () => (await router.resolve(MODEL, b).catch((error) => error.code)) === 'NOT_FOUND',
    );
    expect((await failure(router.resolve(MODEL, b.slice(0, 12)))).message).to.include('is retired since');
    expect((await router.resolve(MODEL)).servable.version).to.equal(a);
  });
});
