import { expect } from 'chai';
import { Archives } from '#parley/registry/archive/archives.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, failure, MODEL, sha256, verdictFor, World } from '../store/world.js';
import { everythingOf, expectNothing, exported, imported, type Life, live } from './world.js';

describe('an archive', () => {
  const redis = sharedRedis();
  let from: World;
  let to: World;
  let life: Life;
  let archive: Buffer;
  before(async () => {
    from = new World(redis);
    life = await live(from);
    archive = await exported(from);
  });
  after(() => from.close());
  beforeEach(() => {
    to = new World(redis);
  });
  afterEach(() => to.close());

  it('is the same bytes for the same state', async () => {
    expect((await exported(from)).equals(archive)).to.equal(true);
  });

  it('cannot be made of a model that is not there', async () => {
    const error = await failure(exported(from, 'nobody'));
    expect(error.code).to.equal('NOT_FOUND');
    expect(error.message).to.include('nobody');
  });

  it('is not made of damaged bytes', async () => {
    await to.publish('whole');
    const version = await to.publish('damaged');
    await to.raw.hset(to.keys.blob(MODEL, version), '0', 'dam.ged');
    const error = await failure(exported(to));
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.include(version);
  });

  describe('brought into a store without the model', () => {
    it('brings back which verdicts stand, and leaves proposals behind', async () => {
      const small = new World(redis);
      const { fixtureFingerprint = '', ...before } = await small.putInForce('c0');
      const version = await small.publish('a');
      const verdict = verdictFor({ ...before, fixtureFingerprint }, true);
      await small.store.recordVerdict({ ...BY, model: MODEL, version, verdict });
      const contract = { ...before, fixtureFingerprint, fingerprint: 'c1' };
      await small.store.publishContract({ ...BY, model: MODEL, contract, verdictsStand: true });
      const proposed = { ...contract, fingerprint: 'c2' };
      await small.store.proposeContract({ ...BY, model: MODEL, contract: proposed, expected: 'c1' });
      await imported(to, await exported(small));
      await small.close();
      expect(await to.store.contract(MODEL)).to.deep.equal({ ...contract, testedAs: ['c0'] });
      expect(await to.store.proposedContracts(MODEL)).to.deep.equal([]);
      expect((await to.store.ledger(MODEL)).map(({ action }) => action)).to.include('propose');
      const move = { ...BY, model: MODEL, version, aliasName: 'production', action: 'promote' as const };
      const gate = { contractFingerprint: 'c1', fixtureFingerprint };
      expect(await to.store.moveAlias({ ...move, gate })).to.include({ previousContractFingerprint: 'c0' });
    });

    for (const pieceBytes of [1, 4_096, 10_000_000])
      it(`brings back all of it, in pieces of ${pieceBytes} bytes`, async function () {
        this.timeout(60_000);
        // Byte by byte a smaller one will do.
        if (pieceBytes === 1) {
          const small = new World(redis);
          await small.publish('a');
          await imported(to, await exported(small), {}, 1);
          expect((await everythingOf(to)).bytes).to.deep.equal((await everythingOf(small)).bytes);
          return small.close();
        }
        const [model] = await imported(to, archive, { reason: 'moving' }, pieceBytes);
        expect(model).to.include({ model: MODEL, outcome: 'restored', contract: true });
        const [was, is] = [await everythingOf(from), await everythingOf(to)];
        expect(is.snapshot).to.deep.equal(was.snapshot);
        expect(is.bytes).to.deep.equal(was.bytes);
        expect(is.lines.slice(0, -1)).to.deep.equal(was.lines);
        expect(is.epoch).to.equal(was.epoch + 1);
        expect(is.lines.at(-1)).to.include({ action: 'import', actor: 'grace', reason: 'moving', sequence: is.epoch });
        expect(JSON.parse(is.lines.at(-1)!.evidenceJson!)).to.include({ lines: was.epoch });
      });

    it('leaves a store that goes on as the other would', async () => {
      await imported(to, archive);
      await to.canary(life.third, 0);
      await to.rollback(life.first);
      expect(await to.pointsAt()).to.equal(life.first);
      expect((await failure(to.promote(life.first, { aliasName: 'candidate' }))).message).to.include('compared');
      expect((await failure(to.promote(life.retired))).message).to.include('retired');
      const fixtures = await to.store.fixtures(MODEL, (await to.store.contract(MODEL))!.fixtureFingerprint!);
      expect(fixtures.length).to.equal(2_500_000);
      for (const key of await to.raw.keys(`${to.prefix}*`)) expect(await to.raw.ttl(key), key).to.equal(-1);
    });

    it('is seen by those who watch, at once and whole', async () => {
      const seen: string[] = [];
      const watch = await to.another().watch({
        onChange: ({ model, aliases }) => {
          seen.push(`${model} ${aliases.map(({ aliasName }) => aliasName).join(' ')}`);
        },
      });
      await imported(to, archive);
      await until('the model to be seen', () => seen.length > 0);
      expect(seen).to.deep.equal([`${MODEL} candidate production`]);
      await watch.stop();
    });

    it('changes nothing when it is brought again', async () => {
      await imported(to, archive);
      const before = await everythingOf(to);
      const [again] = await imported(to, archive);
      expect(again).to.include({ outcome: 'unchanged' });
      expect(await everythingOf(to)).to.deep.equal(before);
    });
  });

  describe('brought into a store that has the model', () => {
    it('adds versions and verdicts that are missing, and moves nothing', async () => {
      await to.publish('first');
      const own = await to.publish('own');
      await to.promote(own);
      const contract = await to.putInForce('c9');
      const [model] = await imported(to, archive, { reason: 'shared' });
      expect(model).to.include({ outcome: 'merged', contract: false });
      expect(model!.there).to.deep.equal([life.first]);
      expect(model!.retired).to.deep.equal([life.retired]);
      expect(model!.imported).to.have.length(4).and.include.members([life.second, life.third, life.large]);
      expect(await to.pointsAt()).to.equal(own);
      expect(await to.pointsAt('candidate')).to.equal(undefined);
      expect((await to.store.contract(MODEL))!.fingerprint).to.equal(contract.fingerprint);
      const verdict = await to.store.verdict(
        MODEL,
        life.second,
        'c1',
        (await from.store.contract(MODEL))!.fixtureFingerprint!,
      );
      expect(verdict).to.deep.equal(verdictFor((await from.store.contract(MODEL))!, true));
      const lines = (await to.store.ledger(MODEL)).filter(({ action }) => action === 'import');
      // Four versions, and the verdict on the one that was there.
      expect(lines).to.have.length(5);
      expect(lines.every(({ reason, actor }) => reason === 'shared' && actor === 'grace')).to.equal(true);
      expect((await to.store.readVersion(MODEL, life.large)).length).to.equal(3_500_000);
      const record = (await to.store.version(MODEL, life.first))!;
      expect(record.promotedAt).to.equal(undefined);
    });

    it('brings back the bytes of a version that has lost them', async () => {
      await imported(to, archive);
      const before = await everythingOf(to);
      await to.raw.del(to.keys.blob(MODEL, life.large));
      const [model] = await imported(to, archive);
      expect(model!.there).to.include(life.large);
      expect(await everythingOf(to)).to.deep.equal(before);
    });

    it('changes nothing the second time', async () => {
      await to.publish('first');
      await imported(to, archive);
      const before = await everythingOf(to);
      const [again] = await imported(to, archive);
      expect(again).to.include({ outcome: 'unchanged' });
      expect(again!.imported).to.deep.equal([]);
      expect(await everythingOf(to)).to.deep.equal(before);
    });
  });

  describe('brought as an alias', () => {
    it('needs a version in production there', async () => {
      const bare = new World(redis);
      await bare.publish('a');
      const error = await failure(imported(to, await exported(bare), { as: 'candidate' }));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include('no version in production');
      await expectNothing(to);
      await bare.close();
    });
  });

  describe('with several models', () => {
    it('brings all of them, in the order of their names', async () => {
      const several = new World(redis);
      await several.publish('a');
      const bytes = Buffer.from('other');
      const record = { version: sha256(bytes), modelType: 'tensor', metrics: {} };
      await several.store.publishVersion({ ...BY, model: 'b', bytes, record });
      const models = await imported(to, await exported(several, MODEL, 'b', MODEL));
      expect(models.map(({ model }) => model)).to.deep.equal(['b', MODEL]);
      expect(await to.store.models()).to.deep.equal(['b', MODEL]);
      await several.close();
    });

    it('refuses one whose service another model answers here', async () => {
      const contract = { fingerprint: 'x', idl: '', includes: {}, services: ['Penguins'] };
      await to.store.publishContract({ ...BY, model: 'birds', contract });
      const error = await failure(imported(to, archive));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.include('"Penguins"').and.include('"birds"');
      expect(await to.store.models()).to.deep.equal(['birds']);
    });
  });

  describe('that is damaged', () => {
    const lengths = [0, 1, 7, 8, 11, 12, 40, 1_000, 100_000, 2_600_000, 5_000_000];
    for (const length of lengths)
      it(`is refused whole when it is cut to ${length} bytes`, async () => {
        const error = await failure(imported(to, archive.subarray(0, length), {}, 65_536));
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.match(/archive/);
        await expectNothing(to);
      });

    it('is refused when its last byte is missing, or one is too many', async () => {
      const short = await failure(imported(to, archive.subarray(0, -1), {}, 65_536));
      expect(short.message).to.include('cut short');
      const long = await failure(imported(to, Buffer.concat([archive, Buffer.from('x')]), {}, 65_536));
      expect(long.message).to.include('after its end');
    });

    for (const share of [0.0001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.9999])
      it(`is refused when a bit at ${share} of it is another`, async () => {
        const damaged = Buffer.from(archive);
        // The last frame seals the file, and the model is whole before it.
        const at = Math.floor((damaged.length - 200) * share);
        damaged[at]! ^= 1;
        const error = await failure(imported(to, damaged, {}, 65_536));
        expect(error.code).to.equal('INVALID_INPUT');
        await expectNothing(to);
      });

    it('is read no further', async () => {
      let closed = false;
      async function* source() {
        try {
          yield archive.subarray(0, 100_000);
          yield Buffer.alloc(1_000_000, 1);
          yield archive;
        } finally {
          closed = true;
        }
      }
      const archives = new Archives(to.store, 'grace');
      const error = await failure(archives.importModels(source(), {}).next());
      expect(error.code).to.equal('INVALID_INPUT');
      expect(closed).to.equal(true);
    });

    it('is refused when it is something else', async () => {
      for (const bytes of [Buffer.from('PARLEY1\nenvelope'), Buffer.alloc(1_000, 7), Buffer.from('<html></html>')]) {
        const error = await failure(imported(to, bytes));
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.include('parley export');
      }
    });
  });
});
