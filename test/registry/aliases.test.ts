/** What the registry makes of weights, holds and removals; without a contract, so that nothing has to be judged. */
import { expect } from 'chai';
import { Registry } from '#parley/registry/registry.js';
import { idlOf, MODEL as SCORES, summing } from '../serving/models.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, MODEL, World } from '../store/world.js';
import { RegistryWorld } from './world.js';

describe('the registry on aliases', () => {
  const redis = sharedRedis();
  let world: World;
  let registry: Registry;
  let a: string;
  let b: string;
  let c: string;
  beforeEach(async () => {
    world = new World(redis);
    registry = new Registry(world.store, 'grace');
    a = await world.publish('a');
    b = await world.publish('b');
    c = await world.publish('c');
    await registry.promote({ model: MODEL, version: a });
  });
  afterEach(() => world.close());

  const promote = (version: string, canaryWeight?: number) =>
    registry.promote({ model: MODEL, version, ...(canaryWeight === undefined ? {} : { canaryWeight }) });
  const production = async () => {
    const { lastChange: _, ...state } = (await registry.aliases(MODEL)).find((one) => one.aliasName === 'production')!;
    return state;
  };
  const alone = (version: string) => ({ aliasName: 'production', version, held: false });

  it('refuses to put a model without a contract in production where contracts are required', async () => {
    const strict = new Registry(world.store, 'grace', { requireContract: true });
    for (const canaryWeight of [1, 0.1]) {
      const error = await failure(strict.promote({ model: MODEL, version: b, canaryWeight }));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.contain('has no contract').and.to.contain('parley contract publish');
    }
    expect(await production()).to.deep.equal(alone(a));
    await strict.promote({ model: MODEL, version: b, aliasName: 'candidate' });
    await promote(b);
    expect(await strict.rollback({ model: MODEL })).to.include({ action: 'rollback', version: a });
  });

  it('begins, weighs and ends a canary by the weight of a promotion, by any prefix of the version', async () => {
    expect(await promote(b.slice(0, 8), 0.1)).to.include({ action: 'canary', version: b, actor: 'grace' });
    expect(await promote(b, 0.5)).to.include({ action: 'canary', canaryWeight: 0.5 });
    expect(await production()).to.deep.equal({ ...alone(a), canary: { version: b, weight: 0.5 } });
    expect(await promote(b, 0)).to.include({ action: 'canary_end', version: b });
    expect(await production()).to.deep.equal(alone(a));
  });

  for (const weight of [undefined, 1]) {
    it(`makes the canary the alias with ${weight === undefined ? 'no weight' : 'weight 1'}`, async () => {
      await promote(b, 0.1);
      expect(await promote(b, weight)).to.include({ action: 'promote', version: b, previousVersion: a });
      expect(await production()).to.deep.equal(alone(b));
    });
  }

  it('ends the canary when the version that the alias points at is promoted', async () => {
    await promote(b, 0.1);
    expect(await promote(a)).to.include({ action: 'canary_end', version: b });
    expect(await production()).to.deep.equal(alone(a));
  });

  for (const weight of [-0.5, 1.01, Number.NaN]) {
    it(`refuses the weight ${weight}`, async () => {
      expect((await failure(promote(b, weight))).code).to.equal('INVALID_INPUT');
      expect(await production()).to.deep.equal(alone(a));
    });
  }

  it('takes back the canary with a rollback, and only then the version', async () => {
    await promote(b);
    await promote(c, 0.1);
    const rollback = () => registry.rollback({ model: MODEL, reason: 'worse' });
    expect(await rollback()).to.include({ action: 'canary_end', version: c, reason: 'worse' });
    expect(await production()).to.deep.equal(alone(b));
    expect(await rollback()).to.include({ action: 'rollback', version: a });
    expect(await production()).to.deep.equal(alone(a));
  });

  it('goes back past a canary to the version that is named, and ends the canary with it', async () => {
    await promote(b);
    await promote(c, 0.1);
    expect(await registry.rollback({ model: MODEL, toVersion: a })).to.include({ action: 'rollback', version: a });
    expect(await production()).to.deep.equal(alone(a));
  });

  it('goes back past what was retired', async () => {
    await promote(b);
    await promote(c);
    await registry.retire({ model: MODEL, version: b });
    expect(await registry.rollback({ model: MODEL })).to.include({ version: a });
    await promote(c);
    await registry.retire({ model: MODEL, version: a });
    const error = await failure(registry.rollback({ model: MODEL }));
    expect(error.code).to.equal('NOT_FOUND');
    expect(error.message).to.include('is retired');
  });

  it('says that an alias is held before anything else that stands against a rollback', async () => {
    await registry.hold({ model: MODEL, reason: 'incident' });
    const error = await failure(registry.rollback({ model: MODEL }));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('held by grace').and.include('"incident"');
  });

  it('lists retired versions, canaries and held aliases as such', async () => {
    await promote(b, 0.1);
    await registry.hold({ model: MODEL });
    await registry.retire({ model: MODEL, version: c });
    const { items } = await registry.listVersions({ model: MODEL });
    expect(
      items.map(({ version, aliases, canaryAliases, heldAliases, retired }) => ({
        version,
        aliases,
        canaryAliases,
        heldAliases,
        retired,
      })),
    ).to.deep.equal([
      { version: c, aliases: [], canaryAliases: [], heldAliases: [], retired: true },
      { version: b, aliases: [], canaryAliases: ['production'], heldAliases: [], retired: false },
      { version: a, aliases: ['production'], canaryAliases: [], heldAliases: ['production'], retired: false },
    ]);
    for (const item of items) expect(item).not.to.have.any.keys('promotedAt', 'retiredAt');
  });

  it('tells both lines of a time at which a canary ran', async () => {
    const canary = await promote(b, 0.1);
    const end = await promote(b, 0);
    expect((await registry.history({ model: MODEL, at: end.at - 1 })).map(({ action }) => action)).to.deep.equal([
      'canary',
      'promote',
    ]);
    expect((await registry.history({ model: MODEL, at: end.at })).map(({ action }) => action)).to.deep.equal([
      'promote',
    ]);
    expect(canary.at).to.be.below(end.at);
  });

  describe('pruning', () => {
    const versions = async () => (await world.store.versions(MODEL)).map(({ version }) => version);

    it('removes what is old and was never promoted, oldest first, each with its line', async () => {
      const d = await world.publish('d');
      const removed = await registry.prune({ model: MODEL, keep: 1, reason: 'old' });
      expect(removed.map(({ version }) => version)).to.deep.equal([b, c]);
      expect(removed[0]).to.include({ model: MODEL, sizeBytes: 1, retired: false });
      expect(await versions()).to.deep.equal([d, a]);
      const lines = [...(await registry.history({ model: MODEL, limit: 2 }))].reverse();
      expect(lines.map(({ action, version, actor, reason }) => [action, version, actor, reason])).to.deep.equal([
        ['prune', b, 'grace', 'old'],
        ['prune', c, 'grace', 'old'],
      ]);
    });

    it('only says what it would remove when it is dry', async () => {
      const epoch = await world.epoch();
      const removed = await registry.prune({ model: MODEL, keep: 0, dryRun: true });
      expect(removed.map(({ version }) => version)).to.deep.equal([b, c]);
      expect(await versions()).to.deep.equal([c, b, a]);
      expect(await world.epoch()).to.equal(epoch);
    });

    it('counts what was promoted among the newest', async () => {
      await promote(c);
      expect((await registry.prune({ model: MODEL, keep: 2 })).map(({ version }) => version)).to.deep.equal([]);
      expect((await registry.prune({ model: MODEL, keep: 1 })).map(({ version }) => version)).to.deep.equal([b]);
    });

    it('needs to know how many to keep', async () => {
      for (const keep of [-1, 0.5]) {
        expect((await failure(registry.prune({ model: MODEL, keep }))).code).to.equal('INVALID_INPUT');
      }
    });
  });
});

describe('the gate of a canary', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: RegistryWorld;
  beforeEach(() => {
    world = new RegistryWorld(redis);
  });
  afterEach(() => world.close());

  it('is the gate of its alias, and says which criteria failed', async () => {
    expect(idlOf()).to.include('accept.mae = "<= 0.5"');
    await world.publishContract();
    const good = await world.release(summing());
    const { version: worse } = await world.publishModel(summing(['a', 'b'], 5));
    const share = (aliasName: string) =>
      world.registry.promote({ model: SCORES, version: worse, aliasName, canaryWeight: 0.1 });
    expect((await failure(share('production'))).message).to.include('has no verdict');
    await world.registry.accept(SCORES, worse);
    const refused = await failure(share('production'));
    expect(refused.code).to.equal('NOT_ACCEPTED');
    expect(refused.message).to.include('mae <= 0.5, measured 5');
    await world.registry.promote({ model: SCORES, version: good, aliasName: 'candidate' });
    expect(await share('candidate')).to.include({ action: 'canary', aliasName: 'candidate' });
  });
});
