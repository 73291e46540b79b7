import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { defineScripts } from '#parley/store/scripts.js';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, sha256, World } from './world.js';

const MIB = 1024 * 1024;

describe('versions in the store', () => {
  const redis = sharedRedis();
  let world: World;
  beforeEach(() => {
    world = new World(redis);
  });
  afterEach(() => world.close());

  it('gives back what was published, with its record', async () => {
    const bytes = Buffer.from('an envelope');
    const record = {
      version: sha256(bytes),
      modelType: 'tabular-classifier',
      metrics: { accuracy: 0.97, loss: -0.25 },
      runId: 'run-1',
      contractService: 'Penguins',
      contractFingerprint: 'c1',
      description: 'first — ünïcode',
    };
    const before = Date.now() * 1000;
    const reply = await world.store.publishVersion({ ...BY, model: MODEL, bytes, record });
    expect(reply.published).to.equal(true);
    expect(reply.record).to.deep.include({ ...record, sizeBytes: 11 });
    expect(reply.record.publishedAt).to.be.within(before - 1e6, Date.now() * 1000 + 1e6);
    expect(await world.store.readVersion(MODEL, record.version)).to.deep.equal(bytes);
    expect(await world.store.version(MODEL, record.version)).to.deep.equal(reply.record);
  });

  for (const size of [1, MIB - 1, MIB, MIB + 1, 9 * MIB + 17]) {
    it(`keeps an envelope of ${size} bytes`, async () => {
      const bytes = randomBytes(size);
      const version = await world.publish(bytes);
      expect(sha256(await world.store.readVersion(MODEL, version))).to.equal(version);
      expect(await world.raw.hlen(world.keys.blob(MODEL, version))).to.equal(Math.ceil(size / MIB));
    });
  }

  it('publishes a view into a larger buffer', async () => {
    const bytes = new Uint8Array(randomBytes(3 * MIB)).subarray(100, 2 * MIB + 5);
    const version = await world.publish(bytes);
    expect(sha256(await world.store.readVersion(MODEL, version))).to.equal(version);
  });

  it('lists newest first, and models by name', async () => {
    const a = await world.publish('a');
    const b = await world.publish('b');
    const c = await world.publish('c');
    expect((await world.store.versions(MODEL)).map((record) => record.version)).to.deep.equal([c, b, a]);
    expect(await world.store.models()).to.deep.equal([MODEL]);
  });

  it('keeps the first record of a version that is published again, and adds no line', async () => {
    const version = await world.publish('same', { description: 'first' });
    await world.publish('later');
    const bytes = Buffer.from('same');
    const again = await world.store.publishVersion({
      ...BY,
      model: MODEL,
      bytes,
      record: { version, modelType: 'tensor', metrics: {}, description: 'second', runId: 'run-2' },
      runConfigurationJson: '{"seed":2}',
    });
    expect(again.published).to.equal(false);
    expect(again.record.description).to.equal('first');
    expect(await world.store.ledger(MODEL)).to.have.length(2);
    expect((await world.store.versions(MODEL))[1]?.version).to.equal(version);
    expect(await world.store.runConfiguration(MODEL, 'run-2')).to.equal('{"seed":2}');
  });

  it('publishes once when many publish the same at the same time', async () => {
    const bytes = randomBytes(2 * MIB);
    const record = { version: sha256(bytes), modelType: 'tensor', metrics: {} };
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => world.store.publishVersion({ ...BY, model: MODEL, bytes, record })),
    );
    expect(replies.filter((reply) => reply.published)).to.have.length(1);
    expect(await world.store.ledger(MODEL)).to.have.length(1);
    expect(await world.store.readVersion(MODEL, record.version)).to.deep.equal(bytes);
    expect(await world.raw.keys(`${world.prefix}*staging*`)).to.deep.equal([]);
  });

  it('keeps published bytes for ever, and leaves no staging behind', async () => {
    const version = await world.publish('forever');
    expect(await world.raw.ttl(world.keys.blob(MODEL, version))).to.equal(-1);
    expect(await world.raw.keys(`${world.prefix}*staging*`)).to.deep.equal([]);
  });

  it('refuses bytes that are not the version they are called', async () => {
    const record = { version: sha256(Buffer.from('x')), modelType: 'tensor', metrics: {} };
    const error = await failure(world.store.publishVersion({ ...BY, model: MODEL, bytes: Buffer.from('y'), record }));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include(sha256(Buffer.from('y')));
    expect(await world.store.models()).to.deep.equal([]);
  });

  it('refuses an empty envelope', async () => {
    expect((await failure(world.publish(''))).code).to.equal('INVALID_INPUT');
  });

  it('shows nothing of a version whose parts were lost before it was published', async () => {
    const { keys, raw } = world;
    const version = sha256(Buffer.from('lost'));
    const staging = keys.staging(MODEL, 'half');
    await raw.hset(staging, '0', 'lo');
    const scriptKeys = [
      staging,
      keys.upload(MODEL, 'none'),
      keys.blob(MODEL, version),
      keys.version(MODEL, version),
      keys.versions(MODEL),
      keys.ensembles(MODEL),
      keys.run(MODEL, 'r'),
      keys.epoch(MODEL),
      keys.ledger(MODEL),
    ];
    const settings = [keys.events, MODEL, version, 2, '', '', '', '{}', 'ada', '', '', 'sizeBytes', 4];
    expect(await defineScripts(raw).publishVersion(...scriptKeys, ...settings)).to.deep.equal(['INCOMPLETE', 1]);
    expect(await raw.exists(...scriptKeys.slice(1))).to.equal(0);
    expect((await failure(world.store.readVersion(MODEL, version))).code).to.equal('NOT_FOUND');
  });

  it('names the digest of stored bytes that were changed', async () => {
    const version = await world.publish('whole');
    await world.raw.hset(world.keys.blob(MODEL, version), '0', 'wHole');
    const error = await failure(world.store.readVersion(MODEL, version));
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message)
      .to.include(version)
      .and.include(sha256(Buffer.from('wHole')));
  });

  it('names the part that is missing or cut', async () => {
    const version = await world.publish(randomBytes(3 * MIB));
    await world.raw.hdel(world.keys.blob(MODEL, version), '1');
    const missing = await failure(world.store.readVersion(MODEL, version));
    expect(missing.code).to.equal('MODEL_BROKEN');
    expect(missing.message).to.include('part 1 of 3 is missing');
    await world.raw.hset(world.keys.blob(MODEL, version), '1', 'short');
    expect((await failure(world.store.readVersion(MODEL, version))).message).to.include(
      'has 5 bytes instead of 1048576',
    );
  });

  it('restores bytes that are gone when the version is published again', async () => {
    const version = await world.publish('restored');
    await world.raw.del(world.keys.blob(MODEL, version));
    await world.publish('restored');
    expect(String(await world.store.readVersion(MODEL, version))).to.equal('restored');
    expect(await world.store.ledger(MODEL)).to.have.length(1);
  });

  it('finds a version by its first characters', async () => {
    const version = await world.publish('a');
    expect(await world.store.resolveVersion(MODEL, version.slice(0, 8).toUpperCase())).to.equal(version);
    expect(await world.store.resolveVersion(MODEL, version)).to.equal(version);
    expect((await failure(world.store.resolveVersion(MODEL, '00000000'))).code).to.equal('NOT_FOUND');
    expect((await failure(world.store.resolveVersion(MODEL, version.slice(0, 7)))).code).to.equal('INVALID_INPUT');
  });

  it('names the versions between which a prefix does not decide', async () => {
    const names = ['1', '2'].map((end) => 'abcdef01'.padEnd(63, '0') + end);
    await world.publish('a');
    await world.raw.zadd(world.keys.versions(MODEL), 2, names[0]!, 3, names[1]!);
    const error = await failure(world.store.resolveVersion(MODEL, 'abcdef01'));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include(names[0]).and.include(names[1]);
  });

  it('knows nothing of what is not there', async () => {
    expect(await world.store.models()).to.deep.equal([]);
    expect(await world.store.versions(MODEL)).to.deep.equal([]);
    expect(await world.store.version(MODEL, 'a'.repeat(64))).to.equal(undefined);
    expect(await world.store.runConfiguration(MODEL, 'none')).to.equal(undefined);
    expect(await world.store.state(MODEL)).to.deep.equal({ model: MODEL, epoch: 0, aliases: [] });
    expect(await world.store.ledger(MODEL)).to.deep.equal([]);
  });

  it('passes over a name whose publication never happened', async () => {
    await world.raw.sadd(world.keys.models, 'ghost');
    await world.publish('a');
    expect(await world.store.models()).to.deep.equal([MODEL]);
  });

  for (const model of ['', 'a b', 'a{b}', 'a:b', '.a', 'x'.repeat(129)]) {
    it(`refuses the model name ${JSON.stringify(model.slice(0, 12))}`, async () => {
      const error = await failure(world.store.versions(model));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.problems[0]?.path).to.equal('model');
    });
  }

  it('refuses a version that is none', async () => {
    expect((await failure(world.store.readVersion(MODEL, 'latest'))).code).to.equal('INVALID_INPUT');
  });

  it('says which key another program has taken', async () => {
    await world.raw.set(world.keys.ledger(MODEL), 'mine');
    const error = await failure(world.publish('a'));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include(world.keys.ledger(MODEL)).and.include('another program');
    expect(await world.raw.exists(world.keys.versions(MODEL), world.keys.epoch(MODEL))).to.equal(0);
  });

  it('says which record is not its own', async () => {
    const version = await world.publish('a');
    await world.raw.hset(world.keys.version(MODEL, version), 'metrics', 'not packed');
    const error = await failure(world.store.version(MODEL, version));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include(world.keys.version(MODEL, version));
  });

  it('changes nothing when the epoch and the ledger disagree', async () => {
    await world.publish('a');
    await world.raw.del(world.keys.epoch(MODEL));
    const error = await failure(world.publish('b'));
    expect(error.code).to.equal('INTERNAL');
    expect(await world.raw.zcard(world.keys.versions(MODEL))).to.equal(1);
  });
});
