import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { failure, World } from './world.js';

const MIB = 1024 * 1024;

describe('uploads to the store', () => {
  const redis = sharedRedis();
  let world: World;
  beforeEach(() => {
    world = new World(redis);
  });
  afterEach(() => world.close());

  it('takes parts in any order and repeatedly', async () => {
    const bytes = randomBytes(2 * MIB + 7);
    const id = await world.store.beginUpload('a.model', bytes.length);
    expect(id).to.match(/^a\.model\./);
    const part = (n: number) => world.store.uploadPart(id, n * MIB, bytes.subarray(n * MIB, (n + 1) * MIB));
    expect(await part(2)).to.equal(7);
    expect(await part(0)).to.equal(MIB + 7);
    expect(await part(0)).to.equal(MIB + 7);
    expect(await part(1)).to.equal(bytes.length);
    expect(await world.readUpload(id)).to.deep.equal(bytes);
  });

  it('takes parts at the same time', async () => {
    const bytes = randomBytes(8 * MIB);
    const id = await world.store.beginUpload('m', bytes.length);
    const parts = Array.from({ length: 8 }, (_, n) =>
      world.store.uploadPart(id, n * MIB, bytes.subarray(n * MIB, (n + 1) * MIB)),
    );
    expect(Math.max(...(await Promise.all(parts)))).to.equal(bytes.length);
    expect(await world.readUpload(id)).to.deep.equal(bytes);
  });

  it('says what is missing', async () => {
    const id = await world.store.beginUpload('m', 3 * MIB);
    await world.store.uploadPart(id, MIB, randomBytes(MIB));
    const error = await failure(world.readUpload(id));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include('2 parts are missing, at offsets 0, 2097152');
  });

  it('names no model', async () => {
    await world.store.beginUpload('m', 1);
    expect(await world.store.models()).to.deep.equal([]);
  });

  it('expires, and a late part does not bring it back', async () => {
    const id = await world.store.beginUpload('m', 1);
    const key = world.keys.upload('m', id.slice(2));
    expect(await world.raw.ttl(key)).to.be.within(3500, 3600);
    await world.store.uploadPart(id, 0, randomBytes(1));
    expect(await world.raw.ttl(key)).to.be.within(3500, 3600);
    await world.raw.del(key);
    expect((await failure(world.store.uploadPart(id, 0, randomBytes(1)))).code).to.equal('NOT_FOUND');
    expect((await failure(world.readUpload(id))).message).to.include('expired');
    expect(await world.raw.exists(key)).to.equal(0);
  });

  for (const [what, offset, length] of [
    ['an offset between parts', 5, MIB],
    ['a negative offset', -MIB, MIB],
    ['an offset beyond the end', 2 * MIB, 1],
    ['a part that is too short', 0, 10],
    ['a last part that is too long', MIB, 11],
    ['no bytes', 0, 0],
    ['an offset that is no number', Number.NaN, MIB],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const id = await world.store.beginUpload('m', MIB + 10);
      const error = await failure(world.store.uploadPart(id, offset, randomBytes(length)));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include(id);
    });
  }

  for (const size of [0, -1, 1.5, Number.NaN, 3 * 1024 ** 3]) {
    it(`refuses to begin with ${size} bytes`, async () => {
      expect((await failure(world.store.beginUpload('m', size))).code).to.equal('INVALID_INPUT');
    });
  }

  for (const id of ['', 'm', 'm.', `m.${'0'.repeat(24)}`, `.${'0'.repeat(24)}`, 'x'.repeat(5000)]) {
    it(`knows no upload ${JSON.stringify(id.slice(0, 30))}`, async () => {
      expect((await failure(world.readUpload(id))).code).to.be.oneOf(['NOT_FOUND', 'INVALID_INPUT']);
    });
  }
});
