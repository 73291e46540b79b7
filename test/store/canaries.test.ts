import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, verdictFor, World } from './world.js';

describe('canaries in the store', () => {
  const redis = sharedRedis();
  let world: World;
  let a: string;
  let b: string;
  let c: string;
  beforeEach(async () => {
    world = new World(redis);
    a = await world.publish('a');
    b = await world.publish('b');
    c = await world.publish('c');
    await world.promote(a);
  });
  afterEach(() => world.close());

  const production = async () =>
    (await world.store.state(MODEL)).aliases.find(({ aliasName }) => aliasName === 'production');

  /** The refusal, and that nothing was written. */
  async function refused(act: () => Promise<unknown>): Promise<{ code: string; message: string }> {
    const [before, epoch] = [await production(), await world.epoch()];
    const { code, message } = await failure(act());
    expect(await production()).to.deep.equal(before);
    expect(await world.epoch()).to.equal(epoch);
    return { code, message };
  }

  it('puts a version beside the one that the alias points at, and writes it down', async () => {
    const entry = await world.canary(b, 0.1, { reason: 'a try' });
    expect(entry).to.deep.include({
      sequence: 5,
      action: 'canary',
      aliasName: 'production',
      version: b,
      canaryWeight: 0.1,
      actor: 'ada',
      reason: 'a try',
    });
    expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
    expect(await production()).to.deep.equal({
      aliasName: 'production',
      version: a,
      canary: { version: b, weight: 0.1 },
    });
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([]);
  });

  it('changes the weight with a line of its own, and adds none for the weight that it has', async () => {
    await world.canary(b, 0.1);
    const raised = await world.canary(b, 0.5);
    expect(raised).to.include({ sequence: 6, canaryWeight: 0.5 });
    expect(await world.canary(b, 0.5)).to.deep.equal(raised);
    expect(await world.epoch()).to.equal(6);
    expect((await production())?.canary).to.deep.equal({ version: b, weight: 0.5 });
  });

  it('ends with weight 0', async () => {
    await world.canary(b, 0.1);
    expect(await world.canary(b, 0, { reason: 'slow' })).to.include({
      action: 'canary_end',
      version: b,
      canaryWeight: 0,
      reason: 'slow',
    });
    expect(await production()).to.deep.equal({ aliasName: 'production', version: a });
  });

  it('has nothing to end where none runs', async () => {
    const { code, message } = await refused(() => world.canary(b, 0));
    expect(code).to.equal('NOT_FOUND');
    expect(message).to.include('no canary to end');
  });

  it('is one an alias: another version is refused, and the running one named', async () => {
    await world.canary(b, 0.1);
    for (const weight of [0.2, 0]) {
      const { code, message } = await refused(() => world.canary(c, weight));
      expect(code).to.equal('CONFLICT');
      expect(message).to.include(b).and.include('--canary 0');
    }
  });

  it('runs on each alias by itself', async () => {
    await world.promote(b, { aliasName: 'candidate' });
    await world.canary(b, 0.1);
    await world.canary(c, 0.2, { aliasName: 'candidate' });
    expect((await world.store.state(MODEL)).aliases).to.deep.equal([
      { aliasName: 'candidate', version: b, canary: { version: c, weight: 0.2 } },
      { aliasName: 'production', version: a, canary: { version: b, weight: 0.1 } },
    ]);
  });

  it('is no canary of itself', async () => {
    expect((await refused(() => world.canary(a, 0.1))).code).to.equal('INVALID_INPUT');
  });

  it('needs an alias that points somewhere', async () => {
    expect((await refused(() => world.canary(b, 0.1, { aliasName: 'candidate' }))).code).to.equal('NOT_FOUND');
  });

  it('needs a version that is there', async () => {
    expect((await refused(() => world.canary('0'.repeat(64), 0.1))).code).to.equal('NOT_FOUND');
  });

  it('is set only where the alias is still where the caller saw it', async () => {
    const { code, message } = await refused(() => world.canary(b, 0.1, { expected: c }));
    expect(code).to.equal('CONFLICT');
    expect(message).to.include(a);
    await world.canary(b, 0.1, { expected: a });
  });

  for (const weight of [-0.1, 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`has no weight of ${weight}`, async () => {
      expect((await refused(() => world.canary(b, weight))).code).to.equal('INVALID_INPUT');
    });
  }

  it('becomes the alias when it is promoted, and ends with the same line', async () => {
    await world.canary(b, 0.1);
    expect(await world.promote(b)).to.include({ sequence: 6, action: 'promote', version: b, previousVersion: a });
    expect(await production()).to.deep.equal({ aliasName: 'production', version: b });
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([a]);
    expect(await world.epoch()).to.equal(6);
  });

  it('ends when the alias is moved to a third version', async () => {
    await world.canary(b, 0.1);
    await world.promote(c);
    expect(await production()).to.deep.equal({ aliasName: 'production', version: c });
  });

  it('ends when the alias is rolled back', async () => {
    await world.promote(b);
    await world.canary(c, 0.1);
    await world.rollback(a);
    expect(await production()).to.deep.equal({ aliasName: 'production', version: a });
  });

  it('is not passed over by a promotion of what the alias points at', async () => {
    await world.canary(b, 0.1);
    const { code, message } = await refused(() => world.promote(a));
    expect(code).to.equal('CONFLICT');
    expect(message).to.include(b);
  });

  it('is started once by many at the same time', async () => {
    const stores = [world.store, world.another()];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        stores[i % 2]!.setCanary({
          ...BY,
          model: MODEL,
          aliasName: 'production',
          version: i % 4 < 2 ? b : c,
          weight: 0.1,
        }),
      ),
    );
    const lines = (await world.store.ledger(MODEL)).filter(({ action }) => action === 'canary');
    expect(lines).to.have.length(1);
    expect((await production())?.canary?.version).to.equal(lines[0]?.version);
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(codes).to.deep.equal(new Array(10).fill('CONFLICT'));
  });

  describe('behind the gate', () => {
    const guarded = (version: string, weight: number, { fingerprint = '', fixtureFingerprint = '' }) =>
      world.store.setCanary({
        ...BY,
        model: MODEL,
        aliasName: 'production',
        version,
        weight,
        gate: { contractFingerprint: fingerprint, fixtureFingerprint },
      });

    it('takes a version that passed what is in force', async () => {
      const contract = await world.putInForce();
      await world.store.recordVerdict({ ...BY, model: MODEL, version: b, verdict: verdictFor(contract, true) });
      expect(await guarded(b, 0.1, contract)).to.include({ version: b, contractFingerprint: 'c1' });
    });

    it('refuses one that was not judged, and one that failed', async () => {
      const contract = await world.putInForce();
      expect((await refused(() => guarded(b, 0.1, contract))).message).to.include('not been judged');
      await world.store.recordVerdict({ ...BY, model: MODEL, version: b, verdict: verdictFor(contract, false) });
      const { code, message } = await refused(() => guarded(b, 0.1, contract));
      expect(code).to.equal('NOT_ACCEPTED');
      expect(message).to.include('failed');
    });

    it('refuses a verdict for a contract that is no longer in force', async () => {
      const old = await world.putInForce('c1');
      await world.store.recordVerdict({ ...BY, model: MODEL, version: b, verdict: verdictFor(old, true) });
      await world.putInForce('c2');
      const { code, message } = await refused(() => guarded(b, 0.1, old));
      expect(code).to.equal('NOT_ACCEPTED');
      expect(message).to.include('c2');
    });

    it('asks nothing of an ending', async () => {
      const contract = await world.putInForce();
      await world.canary(b, 0.1);
      await guarded(b, 0, contract);
      expect(await production()).to.deep.equal({ aliasName: 'production', version: a });
    });
  });

  it('does not begin as one without a contract when a contract came into force meanwhile', async () => {
    const [one, two] = [await world.publish('one'), await world.publish('two')];
    await world.promote(one);
    await world.putInForce('c1');
    const canary = { ...BY, model: MODEL, aliasName: 'production', version: two, weight: 0.5, uncontracted: true };
    expect((await failure(world.store.setCanary(canary))).code).to.equal('NOT_ACCEPTED');
    expect((await world.store.state(MODEL)).aliases[0]).not.to.have.property('canary');
  });
});
