/**
 * Whoever changes the store may die between any two commands, or with one on its way: nothing half is ever seen, and
 * repeating the call completes it.
 */
import { expect } from 'chai';
import type { StoreContext } from '#parley/store/context.js';
import type { Keys } from '#parley/store/keys.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { sharedRedis } from '../store/redis-server.js';
import { BY, MODEL } from '../store/world.js';
import { cutEverywhere } from './crashes.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

describe('a store that is cut off at any command', function () {
  this.timeout(60_000);
  const redis = sharedRedis();

  for (const scenario of SCENARIOS)
    for (const where of ['before', 'after'] as const)
      it(`keeps its promises: ${scenario.name}, ${where} the command is carried out`, async () => {
        const cuts = await cutEverywhere(redis, scenario, where);
        // Else it was not this that was cut.
        expect(cuts.join(' ')).to.match(/EVALSHA|EVAL/);
      });

  it('would be caught breaking them: a promotion in two commands', async () => {
    const cuts: string[] = [];
    const error = await cutEverywhere(redis, inTwoCommands(), 'before').then(
      (all) => void cuts.push(...all),
      (reason: Error) => reason,
    );
    expect(error?.message).to.match(/promote in two commands, cut before command \d+ \(XADD\).*disagree/);
  });
});

/** The negative control: the alias first, its ledger line behind it. */
function inTwoCommands(): Scenario {
  const promote = SCENARIOS.find(({ name }) => name === 'promote')!;
  return {
    name: 'promote in two commands',
    async prepare(world) {
      const prepared = await promote.prepare(world);
      const [, version] = (await world.store.versions(MODEL)).map((record) => record.version).reverse();
      return { ...prepared, act: (store) => brokenMove(store, world.keys, version!) };
    },
  };
}

async function brokenMove(store: RedisStore, keys: Keys, version: string): Promise<void> {
  const { commands } = (store as unknown as { readonly context: StoreContext }).context;
  const { epoch } = await store.state(MODEL);
  const line = ['action', 'promote', 'at', '1', 'alias', 'production', 'version', version, 'actor', BY.actor];
  await commands.ask((redis) => redis.hset(keys.aliases(MODEL), 'production', version));
  await commands.ask((redis) => redis.xadd(keys.ledger(MODEL), `${epoch + 1}-0`, ...line));
  await commands.ask((redis) => redis.set(keys.epoch(MODEL), epoch + 1));
}
