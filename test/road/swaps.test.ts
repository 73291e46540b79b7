/** Calls while versions take over from each other: none fails, and each is answered by one version alone. */
import { expect } from 'chai';
import { Registry } from '#parley/registry/registry.js';
import { openStore } from '#parley/store/connect.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { heavy } from '../serving/models.js';
import { placeForEach, type Server, until } from './parley.js';
import { MODEL, metricsOf, publish, Scorer, scoreOf } from './scores.js';

const SWAPS = 200;
const CALLERS = 4;

describe('calls in a storm of promotes and rollbacks', function () {
  this.timeout(120_000);
  let store: RedisStore;
  // Before the place is left with all its files.
  afterEach(() => store.close());
  const place = placeForEach();
  beforeEach(async () => {
    store = await openStore({ dataFolder: place().dataFolder });
  });

  /** Asks without end. @param references what is asked in turn; undefined: the version in production */
  async function callers(server: Server, versions: readonly string[], references: readonly (string | undefined)[]) {
    const seen = new Map<string, number>();
    const wrong: unknown[] = [];
    let stopped = false;
    const scorers = await Promise.all(Array.from({ length: CALLERS }, () => Scorer.open(server)));
    const loops = scorers.map(async (scorer) => {
      for (let i = 0; !stopped; i++) {
        const reference = references[i % references.length];
        try {
          const { version, value } = await scorer.score(reference);
          const right = value === scoreOf(versions.indexOf(version)) && (reference ?? version) === version;
          if (!right) wrong.push({ version, value, reference });
          seen.set(version, (seen.get(version) ?? 0) + 1);
        } catch (error) {
          wrong.push(error);
          if (wrong.length > 10) return;
        }
      }
    });
    return {
      seen,
      wrong,
      async stop() {
        stopped = true;
        await Promise.all(loops);
        for (const scorer of scorers) scorer.close();
      },
    };
  }

  /** Promotes and rollbacks in turn, so that each moves the alias; now and then it waits until calls have seen it. */
  async function storm(versions: readonly string[], seen: ReadonlyMap<string, number>): Promise<void> {
    const registry = new Registry(store, 'ada');
    for (let i = 0; i < SWAPS; i++) {
      const { version } =
        i % 2 === 0
          ? await registry.promote({ model: MODEL, version: versions[1 + ((i / 2) % (versions.length - 1))]! })
          : await registry.rollback({ model: MODEL });
      if (i % 10 !== 0) continue;
      const before = seen.get(version!) ?? 0;
      await until('the version to answer', () => (seen.get(version!) ?? 0) > before);
    }
  }

  it("never fail, and get exactly one version's answer", async () => {
    const versions = [await publish(store, 0), await publish(store, 1), await publish(store, 2)];
    await new Registry(store, 'ada').promote({ model: MODEL, version: versions[0]! });
    const calls = await callers(await place().serve(), versions, [undefined]);
    await until('the first answers', () => (calls.seen.get(versions[0]!) ?? 0) > CALLERS);
    await storm(versions, calls.seen);
    await calls.stop();
    expect(calls.wrong).to.deep.equal([]);
    expect([...calls.seen.keys()].sort()).to.deep.equal([...versions].sort());
  });

  it('do not either when memory does not hold all of the versions that are called', async () => {
    const versions: string[] = [];
    for (const bias of [0, 1, 2, 3]) versions.push(await publish(store, bias, heavy(bias)));
    await new Registry(store, 'ada').promote({ model: MODEL, version: versions[0]! });
    const server = await place().serve('--memory-limit', '9MB', '--http-port', '0');
    const calls = await callers(server, versions, [undefined, versions[3], undefined, versions[0]]);
    await until('the first answers', () => (calls.seen.get(versions[0]!) ?? 0) > CALLERS);
    await storm(versions.slice(0, 3), calls.seen);
    await calls.stop();
    expect(calls.wrong).to.deep.equal([]);
    const metrics = await metricsOf(server);
    expect(metrics.get('parley_evictions_total')).to.be.above(SWAPS / 20);
    expect(metrics.get('parley_memory_taken_bytes')).to.be.at.most(9e6);
  });
});
