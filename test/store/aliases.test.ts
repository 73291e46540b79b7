import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, verdictFor, World } from './world.js';

describe('aliases in the store', () => {
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
  });
  afterEach(() => world.close());

  it('points an alias at a version and writes it down', async () => {
    const entry = await world.store.moveAlias({
      ...BY,
      reason: 'better',
      model: MODEL,
      aliasName: 'candidate',
      version: a,
      action: 'promote',
    });
    expect(entry).to.deep.include({
      sequence: 4,
      action: 'promote',
      aliasName: 'candidate',
      version: a,
      actor: 'ada',
      reason: 'better',
    });
    expect(await world.store.state(MODEL)).to.deep.equal({
      model: MODEL,
      epoch: 4,
      aliases: [{ aliasName: 'candidate', version: a }],
    });
    expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
  });

  it('names the version that the alias left', async () => {
    await world.promote(a);
    expect(await world.promote(b)).to.include({ version: b, previousVersion: a });
  });

  it('goes back along the trail, and forward again', async () => {
    await world.promote(a);
    await world.promote(b);
    await world.promote(c);
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([b, a]);
    expect(await world.rollback(b)).to.include({ action: 'rollback', version: b, previousVersion: c });
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([a]);
    await world.rollback(a);
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([]);
    await world.promote(c);
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([a]);
  });

  it('goes back over several steps at once', async () => {
    for (const version of [a, b, c]) await world.promote(version);
    await world.rollback(a);
    expect(await world.pointsAt()).to.equal(a);
    expect(await world.store.trail(MODEL, 'production')).to.deep.equal([]);
  });

  it('does not go back to where the alias has not been', async () => {
    await world.promote(a);
    const error = await failure(world.rollback(b));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(await world.pointsAt()).to.equal(a);
  });

  it('adds no line when the alias points there already, and tells the line that brought it there', async () => {
    const first = await world.promote(a);
    await world.promote(b, { aliasName: 'candidate' });
    expect(await world.promote(a)).to.deep.equal(first);
    expect((await world.store.state(MODEL)).epoch).to.equal(5);
  });

  it('moves only what is still where the caller saw it', async () => {
    expect((await failure(world.promote(a, { expected: b }))).code).to.equal('CONFLICT');
    await world.promote(a, { expected: null });
    const error = await failure(world.promote(b, { expected: null }));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include(a);
    await world.promote(b, { expected: a });
    expect(await world.pointsAt()).to.equal(b);
  });

  it('lets exactly one of many succeed that expect the same', async () => {
    await world.promote(a);
    const other = world.another();
    const tries = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? other : world.store).moveAlias({
        ...BY,
        model: MODEL,
        aliasName: 'production',
        version: i % 4 < 2 ? b : c,
        action: 'promote',
        expected: a,
      }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).to.have.length(1);
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(new Set(codes)).to.deep.equal(new Set(['CONFLICT']));
  });

  it('counts the ledger without gaps, and the alias agrees with its last line', async () => {
    const stores = [world.store, world.another(), world.another()];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        stores[i % 3]!.moveAlias({
          ...BY,
          model: MODEL,
          aliasName: 'production',
          version: [a, b, c][i % 3]!,
          action: 'promote',
        }),
      ),
    );
    const lines = await world.store.ledger(MODEL);
    const state = await world.store.state(MODEL);
    expect(lines.map((line) => line.sequence)).to.deep.equal(lines.map((_, i) => lines.length - i));
    expect(state.epoch).to.equal(lines.length);
    expect(lines[0]?.version).to.equal(await world.pointsAt());
    expect(lines.every((line, i) => i === 0 || line.at <= lines[i - 1]!.at)).to.equal(true);
    const moves = lines.filter((line) => line.aliasName !== undefined).reverse();
    expect(moves.slice(1).every((line, i) => line.previousVersion === moves[i]!.version)).to.equal(true);
  });

  it('does not point at a version that is not there', async () => {
    const error = await failure(world.promote('0'.repeat(64)));
    expect(error.code).to.equal('NOT_FOUND');
    expect((await world.store.state(MODEL)).epoch).to.equal(3);
  });

  for (const aliasName of ['', 'a b', 'a:b']) {
    it(`refuses the alias name ${JSON.stringify(aliasName)}`, async () => {
      expect((await failure(world.promote(a, { aliasName }))).code).to.equal('INVALID_INPUT');
    });
  }

  it('reads the ledger newest first, by alias and by number', async () => {
    await world.promote(a);
    await world.promote(b, { aliasName: 'candidate' });
    await world.promote(c);
    const sequences = async (query?: { aliasName?: string; limit?: number }) =>
      (await world.store.ledger(MODEL, query)).map((line) => line.sequence);
    expect(await sequences()).to.deep.equal([6, 5, 4, 3, 2, 1]);
    expect(await sequences({ limit: 2 })).to.deep.equal([6, 5]);
    expect(await sequences({ limit: 0 })).to.deep.equal([]);
    expect(await sequences({ aliasName: 'production' })).to.deep.equal([6, 4]);
    expect(await sequences({ aliasName: 'production', limit: 1 })).to.deep.equal([6]);
    expect(await sequences({ aliasName: 'candidate', limit: 1 })).to.deep.equal([5]);
  });

  it('reads a ledger of many pages', async () => {
    for (let i = 0; i < 60; i++) {
      await Promise.all(Array.from({ length: 20 }, (_, j) => world.promote(j % 2 ? a : b, { aliasName: 'candidate' })));
    }
    const lines = await world.store.ledger(MODEL);
    expect(lines.length).to.be.greaterThan(1000);
    expect(lines.at(-1)?.sequence).to.equal(1);
    expect(new Set(lines.map((line) => line.sequence)).size).to.equal(lines.length);
  });

  it('writes the environment on every line', async () => {
    await world.promote(a);
    const lines = await world.raw.xrange(world.keys.ledger(MODEL), '-', '+');
    for (const [, fields] of lines) expect(fields[fields.indexOf('environment') + 1]).to.equal('test');
  });

  it('keeps everything of a model under one hash tag', async () => {
    await world.putInForce();
    await world.promote(a);
    await world.promote(b);
    await world.store.beginUpload(MODEL, 5);
    const keys = await world.raw.keys(`${world.prefix}*`);
    const others = keys.filter((key) => !key.startsWith(`${world.prefix}parley:{${MODEL}}:`));
    expect(others).to.deep.equal([world.keys.models]);
  });

  describe('behind the gate', () => {
    const guarded = (version: string, contract: { fingerprint: string; fixtureFingerprint?: string }) =>
      world.store.moveAlias({
        ...BY,
        model: MODEL,
        aliasName: 'production',
        version,
        action: 'promote',
        gate: { contractFingerprint: contract.fingerprint, fixtureFingerprint: contract.fixtureFingerprint ?? '' },
      });

    it('moves to a version that passed what is in force', async () => {
      const contract = await world.putInForce();
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(contract, true) });
      expect(await guarded(a, contract)).to.include({ version: a, contractFingerprint: 'c1' });
    });

    it('does not move to a version that was not judged', async () => {
      const contract = await world.putInForce();
      const error = await failure(guarded(a, contract));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.include('not been judged');
      expect(await world.pointsAt()).to.equal(undefined);
    });

    it('does not move to a version that failed', async () => {
      const contract = await world.putInForce();
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(contract, false) });
      const error = await failure(guarded(a, contract));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.include('failed');
    });

    it('follows the latest verdict', async () => {
      const contract = await world.putInForce();
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(contract, true) });
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(contract, false) });
      expect((await failure(guarded(a, contract))).code).to.equal('NOT_ACCEPTED');
    });

    it('does not move on a verdict for a contract that is no longer in force', async () => {
      const old = await world.putInForce('c1');
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(old, true) });
      await world.putInForce('c2');
      const error = await failure(guarded(a, old));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.include('c2');
    });

    it('does not move on a verdict by other fixtures', async () => {
      const old = await world.putInForce('c1', Buffer.from('few rows'));
      await world.store.recordVerdict({ ...BY, model: MODEL, version: a, verdict: verdictFor(old, true) });
      await world.putInForce('c1', Buffer.from('more rows'));
      expect((await failure(guarded(a, old))).code).to.equal('NOT_ACCEPTED');
    });

    it('does not stay on a version that has not passed as if it had', async () => {
      const contract = await world.putInForce();
      await world.promote(a);
      expect((await failure(guarded(a, contract))).code).to.equal('NOT_ACCEPTED');
    });
  });

  it('is not moved as one without a contract when a contract came into force meanwhile', async () => {
    const version = await world.publish('a');
    const move = () =>
      world.store.moveAlias({
        ...BY,
        model: MODEL,
        aliasName: 'production',
        version,
        action: 'promote',
        uncontracted: true,
      });
    await world.putInForce('c1');
    const error = await failure(move());
    expect(error.code).to.equal('NOT_ACCEPTED');
    expect(error.message).to.include('c1').and.include('parley accept');
    expect(await world.pointsAt()).to.equal(undefined);
  });
});
