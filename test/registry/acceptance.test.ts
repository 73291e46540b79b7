/** The acceptance suite in its child process: slices, what is in production, and checks.yaml. */
import { expect } from 'chai';
import type { Verdict } from '#parley/model/version.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { upload } from '#parley/training/publish-run.js';
import { serve } from '../rpc/served.js';
import { FIXTURES, idlOf, MODEL, summing } from '../serving/models.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { RegistryWorld } from './world.js';

const CHECKS = `directions:
  - name: more of a is more
    add: { a: 1 }
    must: increase
  - name: less of b is more
    multiply: { b: 0.5 }
    where: { a: 4 }
    must: increase
invariances:
  - name: a does not matter
    set: { a: 1 }
cases:
  - name: two and three
    row: { a: 2, b: 3 }
    answer: 5
  - name: three and three
    row: { a: 3, b: 3 }
    answer: 6.5
    tolerance: 0.25
`;

describe('the acceptance suite', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: RegistryWorld;
  beforeEach(() => {
    world = new RegistryWorld(redis);
  });
  afterEach(() => world.close());

  async function publish(accept: string, checks?: string): Promise<void> {
    const fixturesUploadId = await upload(world.registry, MODEL, Buffer.from(FIXTURES));
    const request = { idl: idlOf({ accept }), fixturesUploadId, fixturesFormat: 'csv' as const };
    await world.registry.publishContract({ ...request, ...(checks === undefined ? {} : { checks }) });
  }

  const criterion = ({ criteria }: Verdict, name: string) => criteria.find((each) => each.name === name)!;

  it('measures on the rows of a slice', async () => {
    await publish(', accept.1 = "mae[a=4] <= 0.5", accept.2 = "rmse[a=3] <= 0.5"');
    const { version } = await world.publishModel(summing(['a', 'b'], 0.25));
    const verdict = await world.registry.accept(MODEL, version);
    expect(verdict.criteria[1]).to.include({ name: 'mae', slice: 'a=4', rows: 1, measured: 0.25, passed: true });
    expect(verdict.criteria[2]).to.include({
      slice: 'a=3',
      rows: 0,
      passed: false,
      note: 'no fixture is in the slice',
    });
    const refused = await failure(world.registry.promote({ model: MODEL, version }));
    expect(refused.message).to.contain('rmse[a=3] <= 0.5, measured NaN (no fixture is in the slice)');
  });

  it('holds a version against the bounds of all services, whichever it was published for', async () => {
    const idl = `${idlOf()}
service Strict { Answer again(1: Question question) throws (1: parley.ParleyError error) } (
  model = "${MODEL}", accept.mae = "<= 0.1", accept.1 = "rmse[a=4] <= 0.1")`;
    const fixturesUploadId = await upload(world.registry, MODEL, Buffer.from(FIXTURES));
    await world.registry.publishContract({ idl, fixturesUploadId, fixturesFormat: 'csv' });
    const { version } = await world.publishModel(summing(['a', 'b'], 0.25));
    const { accepted, criteria } = await world.registry.accept(MODEL, version);
    expect(criteria.map(({ name, bound, passed }) => [name, bound, passed])).to.deep.include.members([
      ['mae', '<= 0.1', false],
      ['rmse', '<= 0.1', false],
    ]);
    expect(accepted).to.equal(false);
  });

  it('holds a version against the one in production, on the same rows', async () => {
    await publish(', accept.mae.drop = "<= 0.1"');
    const first = await world.release(summing());
    expect(criterion((await world.store.verdict(MODEL, first, ...(await inForce())))!, 'mae.drop')).to.deep.include({
      passed: true,
      note: 'nothing is in production to compare with',
    });
    const { version } = await world.publishModel(summing(['a', 'b'], 0.25));
    const drop = criterion(await world.registry.accept(MODEL, version), 'mae.drop');
    expect(drop).to.include({ measured: 0.25, compared: 0, passed: false });
    expect(drop.note).to.equal(`compared with ${first.slice(0, 12)} in production`);
  });

  it('says so where production does not keep the contract that is in force now', async () => {
    await publish('');
    const first = await world.release(summing());
    const idl = idlOf({ accept: ', accept.mae.drop = "<= 0"', fields: ['a', 'c'] });
    const fixturesUploadId = await upload(world.registry, MODEL, Buffer.from(FIXTURES.replace('a,b', 'a,c')));
    await world.registry.publishContract({ idl, fixturesUploadId, fixturesFormat: 'csv', allowBreaking: 'b is c' });
    const { version } = await world.publishModel(summing(['a', 'c'], 0.25));
    const drop = criterion(await world.registry.accept(MODEL, version), 'mae.drop');
    expect(drop.passed).to.equal(true);
    expect(drop.note).to.match(new RegExp(`^not compared with ${first.slice(0, 12)} in production: .*inputs.b`));
  });

  it('runs the checks, and tells which fixtures break one', async () => {
    await publish('', CHECKS);
    const { version } = await world.publishModel(summing());
    const verdict = await world.registry.accept(MODEL, version);
    expect(verdict.criteria.slice(1)).to.deep.equal([
      {
        name: 'a does not matter',
        bound: 'the value stays within 0.000001',
        rows: 3,
        measured: 0,
        passed: false,
        note: 'fixture 2: 9 became 6; fixture 3: 30 became 21; fixture 4: 8 became 2',
      },
      { name: 'more of a is more', bound: 'value must increase', rows: 4, measured: 1, passed: true },
      {
        name: 'less of b is more',
        bound: 'value must increase',
        slice: 'a=4',
        rows: 1,
        measured: 0,
        passed: false,
        note: 'fixture 2: 9 became 6.5',
      },
      { name: 'two and three', bound: 'answers 5', rows: 1, measured: 5, passed: true },
      { name: 'three and three', bound: 'answers 6.5 within 0.25', rows: 1, measured: 6, passed: false },
    ]);
    expect(verdict.accepted).to.equal(false);
  });

  it('leaves rows out that a change would take out of the contract, and refuses where none is left', async () => {
    const large = 'directions:\n  - { name: much more, add: { a: 992 }, must: increase }\n';
    await publish('', large);
    const { version } = await world.publishModel(summing());
    expect(criterion(await world.registry.accept(MODEL, version), 'much more')).to.include({ rows: 3, passed: true });
    await publish('', large.replace('992', '1500'));
    const none = criterion(await world.registry.accept(MODEL, version), 'much more');
    expect(none).to.include({ rows: 0, passed: false, note: 'no fixture can be changed so and keep the contract' });
  });

  it('gives a verdict on other checks no power over the gate', async () => {
    const checks = 'cases:\n  - { name: a case, row: { a: 1, b: 1 }, answer: 2 }\n';
    await publish('', checks);
    const { version } = await world.publishModel(summing());
    const first = await world.registry.accept(MODEL, version);
    expect(first).to.include({ accepted: true });
    expect(first.checksFingerprint).to.match(/^[0-9a-f]{64}$/);
    await publish('', checks.replace('answer: 2', 'answer: 3'));
    expect((await failure(world.registry.promote({ model: MODEL, version }))).code).to.equal('NOT_ACCEPTED');
    const second = await world.registry.accept(MODEL, version);
    expect(second).to.include({ accepted: false });
    expect(second.checksFingerprint).not.to.equal(first.checksFingerprint);
    await publish('');
    expect(await world.registry.accept(MODEL, version))
      .to.include({ accepted: true })
      .and.not.have.property('checksFingerprint');
  });

  it('refuses checks that do not fit when they are published, by line and column', async () => {
    const error = await failure(publish('', 'cases:\n  - name: a case\n    row: { a: 1, d: 2 }\n    answer: many\n'));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.problems.map(({ path }) => path)).to.deep.equal([
      'checks.yaml:3:21',
      'checks.yaml:3:10',
      'checks.yaml:4:13',
    ]);
    const alone = world.registry.publishContract({ idl: idlOf(), checks: CHECKS });
    expect((await failure(alone)).message).to.contain('send fixtures_upload_id too');
  });

  it('takes and answers the same through a server', async () => {
    const served = await serve(world.store);
    const client = await ParleyClient.connect(served);
    try {
      const fixturesUploadId = await upload(client, MODEL, Buffer.from(FIXTURES));
      await client.publishContract({ idl: idlOf(), fixturesUploadId, fixturesFormat: 'csv', checks: CHECKS });
      const { version } = await world.publishModel(summing());
      const { criteria, checksFingerprint } = await client.accept(MODEL, version);
      expect(criteria[3].note).to.equal('fixture 2: 9 became 6.5');
      expect(await world.store.verdict(MODEL, version, ...(await inForce()))).to.deep.include({
        criteria,
        checksFingerprint,
      });
    } finally {
      client.close();
      await served.close();
    }
  });

  async function inForce(): Promise<[string, string]> {
    const { fingerprint, fixtureFingerprint } = (await world.store.contract(MODEL))!;
    return [fingerprint, fixtureFingerprint!];
  }
});
