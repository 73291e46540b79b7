import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { joined, streamOf, wholeOf } from '#parley/model/byte-stream.js';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, sha256, World } from './world.js';

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

  describe('once it is read', () => {
    const bytes = randomBytes(2 * MIB + 7);
    const complete = async (model = MODEL) => {
      const id = await world.store.beginUpload(model, bytes.length);
      for (let at = 0; at < bytes.length; at += MIB) await world.store.uploadPart(id, at, bytes.subarray(at, at + MIB));
      await world.store.openUpload(id);
      return id;
    };
    const publication = (uploadId: string, header = new TextEncoder().encode('a header'), model = MODEL) => ({
      ...BY,
      model,
      bytes: joined(streamOf(header), streamOf(bytes)),
      upload: { uploadId, header },
      record: { version: sha256(Buffer.concat([header, bytes])), modelType: 'tensor', metrics: {} },
    });
    /** Sends nothing: what it is given to send cannot be read. */
    const unreadable = (uploadId: string) => {
      const request = publication(uploadId);
      const parts = (): never => {
        throw new Error('was read');
      };
      return { ...request, bytes: { sizeBytes: request.bytes.sizeBytes, parts } };
    };

    it('takes the same part again, and no other bytes', async () => {
      const id = await complete();
      const stream = await world.store.openUpload(id);
      expect(await world.store.uploadPart(id, MIB, bytes.subarray(MIB, 2 * MIB))).to.equal(bytes.length);
      const error = await failure(world.store.uploadPart(id, MIB, randomBytes(MIB)));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.include(id).and.include('begin another one');
      expect(await wholeOf(stream)).to.deep.equal(bytes);
      expect(await world.readUpload(id)).to.deep.equal(bytes);
    });

    it('becomes the version without being sent again, behind its header', async () => {
      const request = unreadable(await complete());
      const { published, record } = await world.store.publishVersion(request);
      expect(published).to.equal(true);
      expect(record.sizeBytes).to.equal(bytes.length + 8);
      const stored = await world.store.readVersion(MODEL, record.version);
      expect(sha256(stored)).to.equal(record.version);
      const exported: Uint8Array[] = [];
      for await (const piece of world.store.archive.versionBytes(MODEL, record.version)) exported.push(piece);
      expect(exported.map(({ length }) => length)).to.deep.equal([MIB, MIB, 15]);
      expect(sha256(Buffer.concat(exported))).to.equal(record.version);
      expect(await world.raw.ttl(world.keys.blob(MODEL, record.version))).to.equal(-1);
      expect(await world.raw.hkeys(world.keys.blob(MODEL, record.version))).to.have.members(['header', '0', '1', '2']);
    });

    it('is read from its version when the publication is repeated, and goes soon', async () => {
      const id = await complete();
      const { record } = await world.store.publishVersion(unreadable(id));
      expect(await world.readUpload(id)).to.deep.equal(bytes);
      expect((await world.store.publishVersion(unreadable(id))).published).to.equal(false);
      const later = await failure(world.store.uploadPart(id, 0, bytes.subarray(0, MIB)));
      expect(later.code).to.equal('CONFLICT');
      expect(await world.raw.ttl(world.keys.upload(MODEL, id.slice(MODEL.length + 1)))).to.be.within(1, 60);
      await world.prune(record.version, 0);
      expect((await failure(world.readUpload(id))).code).to.equal('NOT_FOUND');
    });

    it('becomes two versions by two headers, the second of which is sent', async () => {
      const id = await complete();
      await world.store.publishVersion(unreadable(id));
      const { record } = await world.store.publishVersion(publication(id, new TextEncoder().encode('another')));
      expect(sha256(await world.store.readVersion(MODEL, record.version))).to.equal(record.version);
    });

    it("is sent where it is another model's", async () => {
      const id = await complete('other');
      const { record } = await world.store.publishVersion(publication(id));
      expect(sha256(await world.store.readVersion(MODEL, record.version))).to.equal(record.version);
      expect(await world.readUpload(id)).to.deep.equal(bytes);
    });

    it('is sent where it has expired meanwhile', async () => {
      const id = await complete();
      const random = id.slice(MODEL.length + 1);
      await world.raw.del(world.keys.upload(MODEL, random), world.keys.staging(MODEL, random));
      const { record } = await world.store.publishVersion(publication(id));
      expect(sha256(await world.store.readVersion(MODEL, record.version))).to.equal(record.version);
    });

    it('expires with all that is its own', async () => {
      const id = await complete();
      for (const key of await world.raw.keys(`${world.prefix}*`))
        expect(await world.raw.ttl(key)).to.be.within(1, 3600);
      await world.store.releaseUpload(id);
      for (const key of await world.raw.keys(`${world.prefix}*`)) expect(await world.raw.ttl(key)).to.be.within(1, 60);
    });
  });

  it('is not brought back by a part of a store that knows it still', async () => {
    const id = await world.store.beginUpload('m', 1);
    const key = world.keys.upload('m', id.slice(2));
    await world.store.uploadPart(id, 0, randomBytes(1));
    await world.raw.del(key);
    expect((await failure(world.store.uploadPart(id, 0, randomBytes(1)))).code).to.equal('NOT_FOUND');
    expect(await world.raw.exists(key)).to.equal(0);
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
