import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { ModelVersion } from '#parley/model/version.js';
import { digestOf, encodeEnvelope } from '#parley/model-types/envelope.js';
import { upload } from '#parley/training/publish-run.js';
import { envelopeOf, FIXTURES, idlOf, MODEL, summary, summing } from '../serving/models.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { expectedOf, RegistryWorld } from './world.js';

describe('the registry', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: RegistryWorld;
  beforeEach(() => {
    world = new RegistryWorld(redis);
  });
  afterEach(() => world.close());

  /** What of a publication's refusal is visible: its code and message, and that nothing was published. */
  async function refused(act: Promise<unknown>): Promise<{ code: string; message: string }> {
    const { code, message } = await failure(act);
    expect(await world.store.versions(MODEL)).to.deep.equal([]);
    return { code, message };
  }

  describe('publishes', () => {
    it('a version that fits, under its digest, bound to the contract in force', async () => {
      const { fingerprint } = await world.publishContract();
      const expectedUploadId = await upload(world.registry, MODEL, expectedOf([1, 2], [3, 4], [4, 6]));
      const made = await world.publishModel(summing(), { expectedUploadId, runId: 'r1', metrics: { mae: 0.1 } });
      expect(made).to.deep.include({
        model: MODEL,
        version: digestOf(envelopeOf(summing())),
        modelType: 'tabular-regressor',
        contractFingerprint: fingerprint,
        accepted: false,
        aliases: [],
        runId: 'r1',
        metrics: { mae: 0.1 },
      });
      expect(await world.store.version(MODEL, made.version)).to.include({ contractService: 'Scores' });
    });

    it('what has no contract yet', async () => {
      expect(await world.publishModel(summing())).to.not.have.property('contractFingerprint');
    });

    it('the same bytes once, and keeps their first record', async () => {
      const first = await world.publishModel(summing(), { description: 'first' });
      const second = await world.publishModel(summing(), { description: 'second' });
      expect(second).to.deep.equal(first);
    });

    it('and lets go of the uploads soon', async () => {
      await world.publishContract();
      const expectedUploadId = await upload(world.registry, MODEL, expectedOf([1], [3], [4]));
      await world.publishModel(summing(), { expectedUploadId });
      const keys = await world.raw.keys(`${world.prefix}*:upload:*`);
      expect(keys).to.have.length(3);
      for (const key of keys) expect(await world.raw.ttl(key)).to.be.within(1, 60);
    });
  });

  describe('refuses to publish', () => {
    it('another model type than was announced', async () => {
      const { code, message } = await refused(world.publishModel(summing(), { modelType: 'tabular-classifier' }));
      expect(code).to.equal('INVALID_INPUT');
      expect(message).to.contain('the envelope holds a tabular-regressor');
    });

    it('a graph that does not fit the contract', async () => {
      await world.publishContract({ fields: ['a', 'c'] });
      const { code, message } = await refused(world.publishModel(summing()));
      expect(code).to.equal('CONTRACT_MISMATCH');
      expect(message).to.contain('service "Scores"');
    });

    it('a graph that answers otherwise than its trainer, by a ten-thousandth', async () => {
      await world.publishContract();
      const expectedUploadId = await upload(world.registry, MODEL, expectedOf([0.1, 0.2], [0.3, 0.4], [0.4, 0.6001]));
      const { code, message } = await refused(world.publishModel(summing(), { expectedUploadId }));
      expect(code).to.equal('MODEL_BROKEN');
      expect(message).to.contain('output "value", row 2');
    });

    it('a graph that no server could load', async () => {
      await world.publishContract();
      expect(await refused(world.publishModel(summary()))).to.include({ code: 'MODEL_BROKEN' });
    });

    it('expected answers that cannot be read', async () => {
      const expectedUploadId = await upload(world.registry, MODEL, randomBytes(100));
      expect(await refused(world.publishModel(summing(), { expectedUploadId }))).to.include({ code: 'INVALID_INPUT' });
    });

    it('random bytes', async () => {
      expect(await refused(world.publishModel(randomBytes(500)))).to.include({ code: 'MODEL_BROKEN' });
    });

    it('a plain ONNX graph that the runtime cannot serve, and says why', async () => {
      const graph = summing().graph;
      const { code, message } = await refused(world.publishModel(graph.slice(0, graph.length - 3)));
      expect(code).to.equal('MODEL_BROKEN');
      expect(message).to.contain('cut short');
    });

    it('a truncated envelope', async () => {
      const whole = envelopeOf(summing());
      for (const length of [12, 40, whole.length - 1]) {
        const { code, message } = await refused(world.publishModel(whole.slice(0, length)));
        expect(code).to.equal('MODEL_BROKEN');
        expect(message).to.contain('cut short');
      }
    });

    it('an envelope that says of its graph what is not so', async () => {
      const { graph, inputs, outputs } = summing();
      const signature = { inputs: [...inputs].reverse(), outputs };
      const lie = encodeEnvelope({ modelType: 'tabular-regressor', graph, signature, metadata: {} });
      const { code, message } = await refused(world.publishModel(lie));
      expect(code).to.equal('MODEL_BROKEN');
      expect(message).to.contain('the envelope says of its graph');
    });

    it('for a service that the contract does not have, and for one without a contract', async () => {
      const first = await refused(world.publishModel(summing(), { contractService: 'Scores' }));
      expect(first).to.include({ code: 'NOT_FOUND' });
      expect(first.message).to.contain('has no contract');
      await world.publishContract();
      const second = await refused(world.publishModel(summing(), { contractService: 'Nothing' }));
      expect(second.message).to.contain('it has Scores');
    });

    it('a model whose name is none, and an upload that is not there', async () => {
      const uploadId = `${MODEL}.${'0'.repeat(24)}`;
      expect(await failure(world.registry.publish({ model: 'a b', uploadId }))).to.include({ code: 'INVALID_INPUT' });
      expect(await failure(world.registry.publish({ model: MODEL, uploadId }))).to.include({ code: 'NOT_FOUND' });
    });
  });

  describe('a contract', () => {
    it('must not name a service that another model answers', async () => {
      await world.publishContract();
      const error = await failure(world.publishContract({ model: 'others' }));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.contain(`service "Scores" is already answered by model "${MODEL}"`);
      await world.publishContract({ model: 'others', service: 'Others' });
    });

    it('keeps the fixtures in force where none are given', async () => {
      const first = await world.publishContract();
      const second = await world.publishContract({ accept: ', accept.rmse = "<= 1"' }, '');
      expect(second.fingerprint).to.not.equal(first.fingerprint);
      expect(second.fixtureFingerprint).to.equal(first.fixtureFingerprint);
    });

    it('comes with fixtures of a known format', async () => {
      const fixturesUploadId = await upload(world.registry, MODEL, Buffer.from('a'));
      for (const format of [undefined, 'txt']) {
        const request = { idl: idlOf(), fixturesUploadId, ...(format && { fixturesFormat: format as 'csv' }) };
        const error = await failure(world.registry.publishContract(request));
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.contain('csv, jsonl, parquet');
      }
      expect(await world.store.contract(MODEL)).to.equal(undefined);
    });
  });

  describe('promotes', () => {
    it('what has been accepted, and nothing before', async () => {
      await world.publishContract();
      const { version } = await world.publishModel(summing());
      const early = await failure(world.registry.promote({ model: MODEL, version }));
      expect(early.code).to.equal('NOT_ACCEPTED');
      expect(early.message).to.contain(`parley accept ${MODEL} ${version.slice(0, 12)}`);
      expect(await world.registry.accept(MODEL, version.slice(0, 8))).to.include({ accepted: true });
      const line = await world.registry.promote({ model: MODEL, version: version.slice(0, 8), reason: 'good' });
      expect(line).to.include({ action: 'promote', aliasName: 'production', version, reason: 'good', actor: 'ada' });
      expect((await world.registry.listVersions({ model: MODEL })).items[0]).to.deep.include({
        accepted: true,
        aliases: ['production'],
      });
    });

    it('nothing that has failed, and says by how much', async () => {
      await world.publishContract();
      const { version } = await world.publishModel(summing(['a', 'b'], 7));
      expect(await world.registry.accept(MODEL, version)).to.include({ accepted: false });
      const error = await failure(world.registry.promote({ model: MODEL, version }));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.contain('mae').and.contain('measured 7');
      expect(error.problems).to.have.length(1);
    });

    it('nothing by a verdict on other fixtures, or for another contract', async () => {
      await world.publishContract();
      const { version } = await world.publishModel(summing());
      await world.registry.accept(MODEL, version);
      await world.publishContract({}, 'a,b,value\n1,1,2\n');
      const fixtures = await failure(world.registry.promote({ model: MODEL, version }));
      await world.publishContract({ accept: ', accept.rmse = "<= 1"' });
      const contract = await failure(world.registry.promote({ model: MODEL, version }));
      expect([fixtures.code, contract.code]).to.deep.equal(['NOT_ACCEPTED', 'NOT_ACCEPTED']);
      await world.publishContract({}, FIXTURES, { allowBreaking: 'asked too much' });
      await world.registry.promote({ model: MODEL, version });
    });

    it('to an unguarded alias what nobody has judged, and to a guarded one not', async () => {
      await world.publishContract({ accept: ', accept.guards = "staging"' });
      const { version } = await world.publishModel(summing());
      await world.registry.promote({ model: MODEL, version, aliasName: 'candidate' });
      const error = await failure(world.registry.promote({ model: MODEL, version, aliasName: 'staging' }));
      expect(error.code).to.equal('NOT_ACCEPTED');
    });

    it('nothing to a guarded alias while there are no fixtures', async () => {
      await world.publishContract({}, '');
      const { version } = await world.publishModel(summing());
      const error = await failure(world.registry.promote({ model: MODEL, version }));
      expect(error.code).to.equal('NOT_ACCEPTED');
      expect(error.message).to.contain('no fixtures');
      expect((await failure(world.registry.accept(MODEL, version))).message).to.contain('no fixtures');
    });

    it('only from where the caller saw the alias', async () => {
      const [one, two] = [await world.publishModel(summing()), await world.publishModel(summing(['a', 'b'], 1))];
      await world.registry.promote({ model: MODEL, version: one.version });
      const wrong = { model: MODEL, version: two.version, expectedVersion: two.version };
      expect(await failure(world.registry.promote(wrong))).to.include({ code: 'CONFLICT' });
      await world.registry.promote({ ...wrong, expectedVersion: one.version.slice(0, 8) });
    });
  });

  describe('rolls back', () => {
    it('to what the alias pointed at before, without a new verdict', async () => {
      await world.publishContract();
      const one = await world.release(summing()),
        two = await world.release(summing(['a', 'b'], 0.1));
      await world.publishContract({ accept: ', accept.rmse = "<= 1"' });
      const line = await world.registry.rollback({ model: MODEL, reason: 'odd answers' });
      expect(line).to.include({ action: 'rollback', version: one, previousVersion: two, reason: 'odd answers' });
      const none = await failure(world.registry.rollback({ model: MODEL }));
      expect(none.code).to.equal('NOT_FOUND');
      expect(none.message).to.contain('nothing to roll back to');
    });

    it('not to a version that no longer keeps the contract in force', async () => {
      await world.publishContract();
      await world.release(summing());
      await world.publishContract({ fields: ['a', 'c'] }, 'a,c,value\n1,2,3\n4,5,9\n');
      const two = await world.release(summing(['a', 'c']));
      const error = await failure(world.registry.rollback({ model: MODEL }));
      expect(error.code).to.equal('CONTRACT_MISMATCH');
      expect(error.message).to.contain('no longer keeps the contract in force');
      expect(error.problems).to.not.have.length(0);
      expect((await world.registry.aliases(MODEL))[0].version).to.equal(two);
    });

    it('not to where the alias has not been, and not an alias that is not there', async () => {
      const [one, two] = [await world.publishModel(summing()), await world.publishModel(summing(['a', 'b'], 1))];
      expect((await failure(world.registry.rollback({ model: MODEL }))).message).to.contain('no alias "production"');
      await world.registry.promote({ model: MODEL, version: one.version });
      const error = await failure(world.registry.rollback({ model: MODEL, toVersion: two.version }));
      expect(error.code).to.equal('NOT_FOUND');
      expect(error.message).to.contain('has not pointed at').and.contain('parley promote');
    });
  });

  it('says which models there are where one is not', async () => {
    const asks = [
      () => world.registry.accept('x', 'a'.repeat(64)),
      () => world.registry.promote({ model: 'x', version: 'a'.repeat(64) }),
      () => world.registry.rollback({ model: 'x' }),
      () => world.registry.history({ model: 'x' }),
      () => world.registry.aliases('x'),
      () => world.registry.listVersions({ model: 'x' }),
    ];
    for (const ask of asks) expect((await failure(ask())).message).to.contain('nothing has been published');
    await world.publishModel(summing());
    for (const ask of asks) {
      const error = await failure(ask());
      expect(error.code).to.equal('NOT_FOUND');
      expect(error.message).to.equal(`there is no model "x"; there are ${MODEL}`);
    }
    expect((await failure(world.registry.accept(MODEL, 'a'.repeat(64)))).message).to.contain('has no version');
    const { version } = await world.publishModel(summing());
    expect((await failure(world.registry.accept(MODEL, version))).message).to.contain('has no contract');
  });

  it('tells what was in force at a moment', async () => {
    const [one, two] = [await world.publishModel(summing()), await world.publishModel(summing(['a', 'b'], 1))];
    const first = await world.registry.promote({ model: MODEL, version: one.version });
    await world.registry.promote({ model: MODEL, version: two.version, aliasName: 'candidate' });
    const last = await world.registry.promote({ model: MODEL, version: two.version });
    const inForce = async (at: number, aliasName?: string) =>
      (await world.registry.history({ model: MODEL, at, ...(aliasName && { aliasName }) })).map(
        (line) => `${line.aliasName} ${line.version === one.version ? 'one' : 'two'}`,
      );
    expect(await inForce(first.at - 1)).to.deep.equal([]);
    expect(await inForce(first.at)).to.deep.equal(['production one']);
    expect(await inForce(last.at - 1)).to.have.members(['production one', 'candidate two']);
    expect(await inForce(last.at)).to.have.members(['production two', 'candidate two']);
    expect(await inForce(last.at, 'production')).to.deep.equal(['production two']);
    expect(await world.registry.history({ model: MODEL, limit: 1 })).to.deep.equal([last]);
  });

  describe('lists versions', () => {
    /** Records without graphs: a listing reads none. */
    async function many(model: string, count: number): Promise<string[]> {
      const made: string[] = [];
      for (let i = 0; i < count; i++) {
        const bytes = Buffer.from(`${model} ${i}`),
          version = digestOf(bytes);
        const record = { version, modelType: 'tabular-regressor', metrics: {} };
        await world.store.publishVersion({ actor: 'ada', model, bytes, record });
        made.unshift(version);
      }
      return made;
    }

    it('in pages, newest first, each once, also when one is published meanwhile', async () => {
      const all = await many(MODEL, 7);
      const seen: ModelVersion[] = [];
      let pageToken: string | undefined;
      do {
        const page = await world.registry.listVersions({ model: MODEL, limit: 3, ...(pageToken && { pageToken }) });
        seen.push(...page.items);
        pageToken = page.nextPageToken;
        await world.publish(randomBytes(8));
        await world.store.publishVersion({
          actor: 'ada',
          model: MODEL,
          bytes: Buffer.from(`later ${seen.length}`),
          record: {
            version: digestOf(Buffer.from(`later ${seen.length}`)),
            modelType: 'tabular-regressor',
            metrics: {},
          },
        });
      } while (pageToken !== undefined);
      expect(seen.map(({ version }) => version)).to.deep.equal(all);
    });

    it('of all models together', async () => {
      const [one, other] = [await many('one', 2), await many('other', 2)];
      const { items, nextPageToken } = await world.registry.listVersions({});
      expect(items.map(({ version }) => version)).to.deep.equal([...other, ...one]);
      expect(nextPageToken).to.equal(undefined);
    });

    it('and refuses a limit and a token that are none', async () => {
      await many(MODEL, 1);
      for (const limit of [0, -1, 1.5])
        expect(await failure(world.registry.listVersions({ limit }))).to.include({ code: 'INVALID_INPUT' });
      for (const pageToken of ['', '1', 'x', '-1', '1:m:v'])
        expect(await failure(world.registry.listVersions({ pageToken }))).to.include({ code: 'INVALID_INPUT' });
    });
  });
});
