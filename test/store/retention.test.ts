import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, verdictFor, World } from './world.js';

describe('versions that are no longer wanted', () => {
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

  const listed = async () => (await world.store.versions(MODEL)).map(({ version }) => version);

  it('may go while they are listed', async () => {
    const versions: string[] = [];
    for (let i = 0; i < 60; i++) versions.push(await world.publish(`many ${i}`));
    const reader = world.another();
    let done = false;
    const pruned = (async () => {
      for (const version of versions) await world.prune(version, 0);
      done = true;
    })();
    while (!done)
      for (const record of await reader.versions(MODEL)) expect(record.modelType).to.equal('tabular-classifier');
    await pruned;
    // As it is when one goes between the reading of the names and that of the records.
    await world.raw.zadd(world.keys.versions(MODEL), 1_000, 'f'.repeat(64));
    expect(await listed()).to.deep.equal([c, b, a]);
  });

  describe('retired', () => {
    it('stay on the record, marked, with their bytes', async () => {
      const entry = await world.retire(a, { reason: 'mislabelled' });
      expect(entry).to.deep.include({ sequence: 4, action: 'retire', version: a, actor: 'ada', reason: 'mislabelled' });
      expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
      expect(await listed()).to.deep.equal([c, b, a]);
      expect((await world.store.version(MODEL, a))?.retiredAt).to.equal(entry.at);
      expect((await world.store.version(MODEL, b))?.retiredAt).to.equal(undefined);
      expect(await world.raw.hgetBuffer(world.keys.blob(MODEL, a), '0')).to.deep.equal(Buffer.from('a'));
    });

    it('are out of reach: nothing loads them and no alias is pointed at them', async () => {
      await world.promote(b);
      await world.promote(c);
      await world.retire(a);
      await world.retire(b);
      const tries = {
        read: world.store.readVersion(MODEL, a),
        promote: world.promote(a),
        canary: world.canary(a, 0.1),
        rollback: world.rollback(b),
      };
      for (const [name, act] of Object.entries(tries)) {
        const error = await failure(act);
        expect(error.code, name).to.equal('NOT_FOUND');
        expect(error.message, name).to.match(/is retired since \d{4}-/);
      }
      expect(await world.pointsAt()).to.equal(c);
    });

    it('are not what an alias leads to, as its version or as its canary', async () => {
      await world.promote(a, { aliasName: 'candidate' });
      await world.promote(b);
      await world.canary(c, 0.1);
      for (const [version, alias] of [
        [a, 'candidate'],
        [b, 'production'],
        [c, 'production'],
      ]) {
        const error = await failure(world.retire(version!));
        expect(error.code).to.equal('CONFLICT');
        expect(error.message).to.include(`alias "${alias}" leads to it`);
      }
      expect(await world.epoch()).to.equal(6);
    });

    it('are retired once: the line that did it is told again', async () => {
      const first = await world.retire(a);
      await world.retire(b);
      expect(await world.retire(a)).to.deep.equal(first);
      expect(await world.epoch()).to.equal(5);
    });

    it('stay retired when the same bytes are published again', async () => {
      await world.retire(a);
      await world.publish('a');
      expect((await failure(world.promote(a))).message).to.include('is retired');
    });

    it('must have been published', async () => {
      expect((await failure(world.retire('0'.repeat(64)))).code).to.equal('NOT_FOUND');
    });
  });

  describe('pruned', () => {
    it('are gone with bytes, record and verdicts, and the ledger says so', async () => {
      const contract = await world.putInForce();
      for (const version of [a, b])
        await world.store.recordVerdict({ ...BY, model: MODEL, version, verdict: verdictFor(contract, true) });
      const entry = await world.prune(a, 2, { reason: 'old' });
      expect(entry).to.deep.include({ sequence: 7, action: 'prune', version: a, actor: 'ada', reason: 'old' });
      expect((await world.store.ledger(MODEL))[0]).to.deep.equal(entry);
      expect(await listed()).to.deep.equal([c, b]);
      expect((await failure(world.store.readVersion(MODEL, a))).code).to.equal('NOT_FOUND');
      expect(await world.raw.exists(world.keys.blob(MODEL, a), world.keys.version(MODEL, a))).to.equal(0);
      const judged = await world.raw.hkeys(world.keys.verdicts(MODEL));
      expect(judged.map((field) => field.slice(0, 64))).to.deep.equal([b]);
    });

    it('are none of the newest', async () => {
      expect(await world.prune(b, 2)).to.equal(undefined);
      expect(await world.prune(c, 1)).to.equal(undefined);
      expect(await listed()).to.deep.equal([c, b, a]);
      expect(await world.epoch()).to.equal(3);
    });

    it('were never what an alias led to, now or earlier', async () => {
      const d = await world.publish('d');
      await world.promote(a);
      await world.canary(b, 0.1);
      await world.promote(c, { aliasName: 'candidate' });
      await world.promote(d);
      for (const version of [a, b, c, d]) expect(await world.prune(version, 0), version).to.equal(undefined);
      expect(await listed()).to.deep.equal([d, c, b, a]);
    });

    it('are not what was promoted and rolled back, which no trail shows any more', async () => {
      await world.promote(a);
      await world.promote(b);
      await world.rollback(a);
      expect(await world.store.trail(MODEL, 'production')).to.deep.equal([]);
      expect(await world.prune(b, 0)).to.equal(undefined);
    });

    it('may have been retired', async () => {
      await world.retire(a);
      await world.prune(a, 0);
      expect(await listed()).to.deep.equal([c, b]);
    });

    it('are not pruned twice', async () => {
      await world.prune(a, 0);
      expect(await world.prune(a, 0)).to.equal(undefined);
      expect(await world.epoch()).to.equal(4);
    });

    it('can be published again, as if for the first time', async () => {
      await world.prune(a, 0);
      await world.publish('a');
      expect(await listed()).to.deep.equal([a, c, b]);
      expect((await world.store.readVersion(MODEL, a)).toString()).to.equal('a');
    });

    for (const keep of [-1, 1.5, Number.NaN]) {
      it(`are not chosen by keeping ${keep}`, async () => {
        expect((await failure(world.prune(a, keep))).code).to.equal('INVALID_INPUT');
      });
    }
  });
});
