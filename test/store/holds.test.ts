import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { failure, MODEL, verdictFor, World } from './world.js';

describe('holds in the store', () => {
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
    await world.promote(b);
  });
  afterEach(() => world.close());

  it('writes down who holds an alias and why', async () => {
    const entry = await world.hold('hold', { reason: 'incident' });
    expect(entry).to.deep.include({
      sequence: 6,
      action: 'hold',
      aliasName: 'production',
      version: b,
      actor: 'ada',
      reason: 'incident',
    });
    expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
    expect((await world.store.state(MODEL)).aliases).to.deep.equal([
      { aliasName: 'production', version: b, holdSequence: 6 },
    ]);
  });

  it('keep an alias from every change, telling who, when and why', async () => {
    await world.canary(c, 0.1);
    const { at } = await world.hold('hold', { actor: 'grace', reason: 'incident' });
    const changes: Record<string, () => Promise<unknown>> = {
      promote: () => world.promote(c),
      'promote what is there': () => world.promote(b),
      rollback: () => world.rollback(a),
      canary: () => world.canary(c, 0.5),
      'end of the canary': () => world.canary(c, 0),
      hold: () => world.hold('hold', { reason: 'me too' }),
    };
    const [state, lines] = [await world.store.state(MODEL), await world.store.ledger(MODEL)];
    for (const [name, change] of Object.entries(changes)) {
      const error = await failure(change());
      expect(error.code, name).to.equal('CONFLICT');
      expect(error.message, name)
        .to.include('held by grace')
        .and.include(new Date(at / 1000).toISOString())
        .and.include('"incident"')
        .and.include(`parley release ${MODEL} --alias production`);
    }
    expect(await world.store.state(MODEL)).to.deep.equal(state);
    expect(await world.store.ledger(MODEL)).to.deep.equal(lines);
  });

  it('are told before a missing verdict is', async () => {
    const contract = await world.putInForce();
    await world.store.recordVerdict({ actor: 'ada', model: MODEL, version: c, verdict: verdictFor(contract, false) });
    await world.hold('hold');
    const error = await failure(
      world.store.moveAlias({
        actor: 'ada',
        model: MODEL,
        aliasName: 'production',
        version: c,
        action: 'promote',
        gate: { contractFingerprint: 'c1', fixtureFingerprint: contract.fixtureFingerprint ?? '' },
      }),
    );
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('without a reason');
  });

  it('let the other aliases go where they like', async () => {
    await world.hold('hold');
    await world.promote(c, { aliasName: 'candidate' });
    expect(await world.pointsAt('candidate')).to.equal(c);
  });

  it('end with a release, with a line of its own', async () => {
    await world.hold('hold');
    const entry = await world.hold('release', { actor: 'grace', reason: 'over' });
    expect(entry).to.include({ sequence: 7, action: 'release', version: b, actor: 'grace', reason: 'over' });
    expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
    await world.promote(c);
    expect(await world.pointsAt()).to.equal(c);
  });

  it('are not there to be released twice', async () => {
    await world.hold('hold');
    await world.hold('release');
    const error = await failure(world.hold('release'));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('is not held');
    expect(await world.epoch()).to.equal(7);
  });

  it('need an alias', async () => {
    for (const action of ['hold', 'release'] as const)
      expect((await failure(world.hold(action, { aliasName: 'candidate' }))).code).to.equal('NOT_FOUND');
  });

  it('are told of with each alias, its canary and its last change', async () => {
    const candidate = await world.promote(c, { aliasName: 'candidate' });
    const canary = await world.canary(c, 0.25);
    const hold = await world.hold('hold', { aliasName: 'candidate', reason: 'compared' });
    await world.publish('d');
    expect(candidate.sequence).to.equal(6);
    expect(await world.store.aliases(MODEL)).to.deep.equal([
      { aliasName: 'candidate', version: c, held: true, lastChange: hold },
      { aliasName: 'production', version: b, canary: { version: c, weight: 0.25 }, held: false, lastChange: canary },
    ]);
  });
});
