/** What a store does, whatever shape its Redis has: one suite that all shapes pass. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { ModelState } from '#parley/model/store-port.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { until } from './redis-server.js';
import { BY, failure, MODEL, sha256, verdictFor, type World } from './world.js';

/** In a cluster of three, so many names are on all nodes as good as surely. */
const SEVERAL = Array.from({ length: 12 }, (_, i) => `model-${i}`);

export function behavesAsAStore(worldOf: () => World): void {
  const publishFor = (store: RedisStore, model: string, bytes: Uint8Array) =>
    store.publishVersion({ ...BY, model, bytes, record: { version: sha256(bytes), modelType: 'tensor', metrics: {} } });

  it('publishes a version of several parts, once, and reads it back', async () => {
    const { store } = worldOf();
    const bytes = randomBytes(5 * 1024 * 1024 + 17);
    expect((await publishFor(store, MODEL, bytes)).published).to.equal(true);
    expect((await publishFor(store, MODEL, bytes)).published).to.equal(false);
    expect((await store.readVersion(MODEL, sha256(bytes))).equals(bytes)).to.equal(true);
    expect(await store.resolveVersion(MODEL, sha256(bytes).slice(0, 8))).to.equal(sha256(bytes));
  });

  it('takes an upload in parts, and makes a version of it', async () => {
    const { store } = worldOf();
    const bytes = randomBytes(store.partBytes + 5);
    const id = await store.beginUpload(MODEL, bytes.length);
    await store.uploadPart(id, 0, bytes.subarray(0, store.partBytes));
    expect(await store.uploadPart(id, store.partBytes, bytes.subarray(store.partBytes))).to.equal(bytes.length);
    const parts: Uint8Array[] = [];
    for await (const part of (await store.openUpload(id)).parts()) parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).to.equal(true);
    const upload = { uploadId: id, header: Buffer.from('header') };
    const whole = Buffer.concat([upload.header, bytes]);
    const record = { version: sha256(whole), modelType: 'tensor', metrics: {} };
    await store.publishVersion({ ...BY, model: MODEL, bytes: whole, record, upload });
    expect((await store.readVersion(MODEL, record.version)).equals(whole)).to.equal(true);
    await store.releaseUpload(id);
  });

  it('promotes what its contract has accepted, and nothing else', async () => {
    const world = worldOf();
    const [good, bad] = [await world.publish('good'), await world.publish('bad')];
    const contract = await world.putInForce();
    for (const version of [good, bad])
      await world.store.recordVerdict({
        ...BY,
        model: MODEL,
        version,
        verdict: verdictFor(contract, version === good),
      });
    expect((await world.store.verdict(MODEL, good, 'c1', contract.fixtureFingerprint!))?.accepted).to.equal(true);
    const gate = { contractFingerprint: 'c1', fixtureFingerprint: contract.fixtureFingerprint! };
    const promote = (version: string) =>
      world.store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action: 'promote', gate });
    expect((await failure(promote(bad))).code).to.equal('NOT_ACCEPTED');
    expect((await promote(good)).version).to.equal(good);
    expect((await world.store.contract(MODEL))?.fingerprint).to.equal('c1');
    expect((await world.store.fixtures(MODEL, contract.fixtureFingerprint!)).toString()).to.equal('island,species\n');
  });

  it('runs a canary, holds, releases and rolls back, and has it all in the ledger', async () => {
    const world = worldOf();
    const [a, b] = [await world.publish('a'), await world.publish('b')];
    await world.promote(a);
    await world.canary(b, 0.1);
    await world.hold('hold', { reason: 'incident' });
    expect((await failure(world.promote(b))).code).to.equal('CONFLICT');
    await world.hold('release');
    await world.promote(b);
    await world.rollback(a);
    expect(await world.pointsAt()).to.equal(a);
    expect((await world.store.aliases(MODEL))[0]?.lastChange?.action).to.equal('rollback');
    const lines = [...(await world.store.ledger(MODEL))].reverse();
    expect(lines.map(({ action }) => action)).to.deep.equal([
      ...['publish', 'publish', 'promote', 'canary', 'hold', 'release', 'promote', 'rollback'],
    ]);
    expect(lines.map(({ sequence }) => sequence)).to.deep.equal(lines.map((_, i) => i + 1));
  });

  it('retires and prunes', async () => {
    const world = worldOf();
    const [a, b, c] = [await world.publish('a'), await world.publish('b'), await world.publish('c')];
    await world.promote(c);
    await world.retire(a);
    expect((await failure(world.store.readVersion(MODEL, a))).message).to.include('retired');
    expect((await world.prune(b, 0))?.action).to.equal('prune');
    expect(await world.store.version(MODEL, b)).to.equal(undefined);
    expect(await world.prune(c, 0)).to.equal(undefined);
  });

  it('holds several models at once, and lists them', async () => {
    const { store } = worldOf();
    await Promise.all(SEVERAL.map((model) => publishFor(store, model, Buffer.from(model))));
    expect(await store.models()).to.deep.equal([...SEVERAL].sort());
    for (const model of SEVERAL) expect(await store.versions(model)).to.have.length(1);
  });

  it('tells a watcher of the changes of all models, by announcement and by comparison', async () => {
    const world = worldOf();
    const told = new Map<string, ModelState>();
    const onChange = (state: ModelState) => void told.set(state.model, state);
    await world.another({ pollMs: 1_000_000_000 }).watch({ onChange });
    const compared = new Map<string, ModelState>();
    await world.another({ pollMs: 100 }).watch({ onChange: (state) => void compared.set(state.model, state) });
    for (const model of SEVERAL) {
      await publishFor(world.store, model, Buffer.from('1'));
      const version = sha256(Buffer.from('1'));
      await world.store.moveAlias({ ...BY, model, aliasName: 'production', version, action: 'promote' });
    }
    const all = (states: Map<string, ModelState>) => SEVERAL.every((model) => states.get(model)?.epoch === 2);
    await until('the announcements', () => all(told));
    await until('the comparisons', () => all(compared));
  });
}
