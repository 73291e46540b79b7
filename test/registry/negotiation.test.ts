/** How contracts come into force: compared with the one that is, agreed to where that is asked for. */
import { expect } from 'chai';
import { Registry } from '#parley/registry/registry.js';
import { FIXTURES, idlOf, MODEL, summing } from '../serving/models.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { RegistryWorld } from './world.js';

/** Another method, which nobody tested and nobody relied on. */
const WIDER = idlOf().replace(
  '} (model',
  '  list<Answer> score_many(1: list<Question> questions) throws (1: parley.ParleyError error)\n} (model',
);
const AGREED = idlOf({ accept: ', changes = "agreed"' });
/** In one field more than `AGREED`. */
const AGREED_WIDER = AGREED.replace(
  '1: optional double a',
  '3: optional double c (missing = "allowed"), 1: optional double a',
);

describe('a contract that comes into force', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: RegistryWorld, bob: Registry;
  beforeEach(() => {
    world = new RegistryWorld(redis);
    bob = new Registry(world.store, 'bob');
  });
  afterEach(() => world.close());

  const inForce = async () => (await world.store.state(MODEL)).contractFingerprint;
  const lines = async (action: string) => (await world.store.ledger(MODEL)).filter((line) => line.action === action);

  describe('published by one', () => {
    it('is refused with all that breaks callers, and nothing is changed', async () => {
      const { fingerprint } = await world.publishContract({ fields: ['a', 'b', 'c'] });
      const error = await failure(world.publishContract({ fields: ['a'] }));
      expect(error.code).to.equal('CONTRACT_MISMATCH');
      expect(error.problems.map(({ path }) => path)).to.deep.equal(['Question.b', 'Question.c']);
      const blank = world.publishContract({ fields: ['a'] }, FIXTURES, { allowBreaking: ' ' });
      expect((await failure(blank)).code).to.equal('CONTRACT_MISMATCH');
      expect(error.message).to.contain('--allow-breaking').and.to.contain(fingerprint.slice(0, 12));
      expect(await inForce()).to.equal(fingerprint);
      expect(await lines('contract')).to.have.length(1);
    });

    it('is refused in few words where there is much to say, and with all problems', async () => {
      const fields = Array.from({ length: 30 }, (_, i) => `field_${i}`);
      await world.publishContract({ fields: ['a', ...fields] }, '');
      const error = await failure(world.publishContract({ fields: ['a'] }, ''));
      expect(error.message.split('\n')).to.have.length(23);
      expect(error.message).to.contain('and 10 more');
      expect(error.problems).to.have.length(30);
    });

    it('may break callers for a reason, which the ledger keeps with the contract before and the differences', async () => {
      const before = await world.publishContract();
      const after = await world.publishContract({ fields: ['a'] }, FIXTURES, { allowBreaking: 'nobody sends b' });
      expect(after.differences.map(({ path, kind }) => [path, kind])).to.deep.include(['Question.b', 'field-removed']);
      expect(after.verdictsStand).to.equal(false);
      const [line] = await lines('contract');
      expect(line).to.include({
        contractFingerprint: after.fingerprint,
        previousContractFingerprint: before.fingerprint,
        reason: 'nobody sends b',
      });
      const evidence = JSON.parse(line!.evidenceJson!) as { differences: { path: string }[]; verdicts_stand: boolean };
      expect(evidence.verdicts_stand).to.equal(false);
      expect(evidence.differences.map(({ path }) => path)).to.include('Question.b');
    });

    it('tells no differences of the first one, and none of the same one', async () => {
      expect(await world.publishContract())
        .to.deep.include({ differences: [] })
        .and.not.to.have.property('verdictsStand');
      expect((await world.publishContract()).differences).to.deep.equal([]);
      expect(await lines('contract')).to.have.length(1);
    });

    it('is refused where another one has come into force since it was compared', async () => {
      const first = await world.publishContract();
      const record = (await world.store.contract(MODEL))!;
      await world.registry.publishContract({ idl: WIDER });
      const late = { ...record, fingerprint: 'f'.repeat(64) };
      const error = await failure(
        world.store.publishContract({ actor: 'eve', model: MODEL, contract: late, expected: first.fingerprint }),
      );
      expect(error.code).to.equal('CONFLICT');
      expect(await inForce()).not.to.equal(late.fingerprint);
    });

    it('replaces one that this release cannot read only for a reason', async () => {
      const contract = { fingerprint: 'e'.repeat(64), idl: 'service {', includes: {}, services: ['Scores'] };
      await world.store.publishContract({ actor: 'eve', model: MODEL, contract });
      expect((await failure(world.publishContract())).code).to.equal('CONTRACT_MISMATCH');
      const { fingerprint } = await world.publishContract({}, FIXTURES, { allowBreaking: 'was never read' });
      expect(await inForce()).to.equal(fingerprint);
    });
  });

  describe('leaves verdicts', () => {
    it('standing where it differs in nothing that was tested, through several contracts', async () => {
      const first = await world.publishContract();
      const { version } = await world.publishModel(summing());
      await world.registry.accept(MODEL, version);
      const wider = await world.registry.publishContract({ idl: WIDER });
      expect(wider).to.include({ verdictsStand: true });
      const { fingerprint } = await world.registry.publishContract({
        idl: WIDER.replaceAll('score_many', 'rate_many'),
        allowBreaking: 'a better name',
      });
      expect((await world.registry.listVersions({ model: MODEL })).items[0]).to.include({ accepted: true });
      expect(await world.registry.promote({ model: MODEL, version })).to.include({
        contractFingerprint: fingerprint,
        previousContractFingerprint: first.fingerprint,
      });
      const { version: second } = await world.publishModel(summing(['a', 'b'], 0.1));
      expect((await failure(world.registry.promote({ model: MODEL, version: second }))).code).to.equal('NOT_ACCEPTED');
    });

    it('for a canary too, and names no earlier contract where the version was accepted under the one in force', async () => {
      const first = await world.publishContract();
      const old = await world.release(summing());
      const { version } = await world.publishModel(summing(['a', 'b'], 0.1));
      await world.registry.accept(MODEL, version);
      await world.registry.publishContract({ idl: WIDER });
      expect(await world.registry.promote({ model: MODEL, version, canaryWeight: 0.5 })).to.include({
        previousContractFingerprint: first.fingerprint,
      });
      await world.registry.accept(MODEL, old);
      await world.registry.promote({ model: MODEL, version: old });
      await world.registry.accept(MODEL, version);
      const line = await world.registry.promote({ model: MODEL, version });
      expect(line).not.to.have.property('previousContractFingerprint');
    });

    it('fallen where something that was tested is different, and a rejection under the one in force counts first', async () => {
      await world.publishContract();
      const { version } = await world.publishModel(summing());
      await world.registry.accept(MODEL, version);
      const { fingerprint, verdictsStand } = await world.publishContract({ accept: ', accept.rmse = "<= 0.1"' });
      expect(verdictsStand).to.equal(false);
      expect((await failure(world.registry.promote({ model: MODEL, version }))).code).to.equal('NOT_ACCEPTED');
      expect((await world.registry.listVersions({ model: MODEL })).items[0]).to.include({ accepted: false });

      await world.registry.accept(MODEL, version);
      const { idl } = (await world.store.contract(MODEL, fingerprint))!;
      const wider = await world.registry.publishContract({
        idl: idl.replace('} (model', '  list<Answer> all(1: list<Question> questions)\n} (model'),
      });
      expect(wider.verdictsStand).to.equal(true);
      const verdict = (await world.store.verdict(MODEL, version, fingerprint, wider.fixtureFingerprint!))!;
      const rejected = { ...verdict, accepted: false, contractFingerprint: wider.fingerprint };
      await world.store.recordVerdict({ actor: 'eve', model: MODEL, version, verdict: rejected });
      expect((await failure(world.registry.promote({ model: MODEL, version }))).code).to.equal('NOT_ACCEPTED');
    });

    it('of other fixtures uncounted', async () => {
      await world.publishContract();
      const { version } = await world.publishModel(summing());
      await world.registry.accept(MODEL, version);
      await world.registry.publishContract({ idl: WIDER });
      await world.publishContract({}, 'a,b,value\n1,1,2\n', { allowBreaking: 'back' });
      expect((await failure(world.registry.promote({ model: MODEL, version }))).code).to.equal('NOT_ACCEPTED');
    });
  });

  describe('proposed by one and agreed to by another', () => {
    const propose = (idl = WIDER, by: Registry = world.registry) =>
      by.publishContract({ idl, propose: true, reason: 'for lists' });

    it('is in force with the agreement, and both names are in the ledger', async () => {
      const before = await world.publishContract();
      const proposed = await propose();
      expect(proposed).to.include({ proposed: true });
      expect(await inForce()).to.equal(before.fingerprint);
      expect((await lines('propose'))[0]).to.include({
        actor: 'ada',
        reason: 'for lists',
        contractFingerprint: proposed.fingerprint,
      });
      const [waiting] = await bob.contractProposals(MODEL);
      expect(waiting).to.include({ proposedBy: 'ada', fingerprint: proposed.fingerprint, idl: WIDER });
      expect(waiting!.differences.map(({ kind }) => kind)).to.deep.equal(['method-added']);

      await bob.agreeContract({ model: MODEL, fingerprint: proposed.fingerprint.slice(0, 8) });
      expect(await inForce()).to.equal(proposed.fingerprint);
      const fixtureFingerprint = before.fixtureFingerprint!;
      expect((await lines('contract'))[0]).to.include({
        actor: 'bob',
        proposedBy: 'ada',
        reason: 'for lists',
        previousContractFingerprint: before.fingerprint,
        fixtureFingerprint,
      });
      expect(await bob.contractProposals()).to.deep.equal([]);
    });

    it('is agreed to with the fixtures that were looked at, or not at all', async () => {
      const before = await world.publishContract();
      const { fingerprint, fixtureFingerprint } = await world.publishContract({}, 'a,b,value\n1,1,2\n', {
        propose: true,
      });
      for (const [looked, code] of [
        [before.fixtureFingerprint!, 'CONFLICT'],
        ['44bb', 'INVALID_INPUT'],
      ] as const)
        expect(
          (await failure(bob.agreeContract({ model: MODEL, fingerprint, fixtureFingerprint: looked }))).code,
        ).to.equal(code);
      expect((await bob.contractProposals(MODEL)).length).to.equal(1);
      await bob.agreeContract({ model: MODEL, fingerprint, fixtureFingerprint: fixtureFingerprint!.slice(0, 8) });
      expect((await world.store.contract(MODEL))?.fixtureFingerprint).to.equal(fixtureFingerprint);
    });

    it('brings its fixtures along', async () => {
      const fixtures = 'a,b,value\n1,1,2\n';
      const proposed = await world.publishContract({}, fixtures, { propose: true });
      await bob.agreeContract({ model: MODEL, fingerprint: proposed.fingerprint });
      expect(String(await world.store.fixtures(MODEL, proposed.fixtureFingerprint!))).to.equal(fixtures);
    });

    it('is not for the one who proposed it to agree to', async () => {
      await world.publishContract();
      const { fingerprint } = await propose();
      const error = await failure(world.registry.agreeContract({ model: MODEL, fingerprint }));
      expect(error.code).to.equal('PERMISSION_DENIED');
      expect(error.message).to.contain('ada');
      // Whoever asks the store itself is told the same.
      const { contract } = (await world.store.proposedContracts(MODEL))[0]!;
      const expected = (await inForce())!;
      const direct = world.store.agreeContract({ actor: 'ada', model: MODEL, contract, expected });
      expect((await failure(direct)).code).to.equal('PERMISSION_DENIED');
      expect(await inForce()).not.to.equal(fingerprint);
    });

    it('is to be proposed again when another one has come into force', async () => {
      await world.publishContract();
      const { fingerprint } = await propose();
      await world.publishContract({ accept: ', accept.rmse = "<= 1"' });
      const error = await failure(bob.agreeContract({ model: MODEL, fingerprint }));
      expect(error.code).to.equal('CONFLICT');
      expect(await inForce()).not.to.equal(fingerprint);
    });

    it('is to be proposed again when other fixtures have come into force, which it would take back', async () => {
      await world.publishContract();
      const { fingerprint } = await propose();
      const { fixtureFingerprint } = await world.publishContract({}, 'a,b,value\n1,1,2\n');
      const error = await failure(bob.agreeContract({ model: MODEL, fingerprint }));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.contain(`${fixtureFingerprint}, which are by now; propose it again`);

      // Now it brings those that are in force; by whom does not matter.
      await propose(WIDER, bob);
      await world.registry.agreeContract({ model: MODEL, fingerprint });
      expect(await world.store.contract(MODEL)).to.include({ fingerprint, fixtureFingerprint });
    });

    it('may break callers for a reason only', async () => {
      await world.publishContract();
      const idl = idlOf({ fields: ['a'] });
      expect((await failure(propose(idl))).code).to.equal('CONTRACT_MISMATCH');
      const allowed = { idl, propose: true, allowBreaking: 'nobody sends b' };
      const { fingerprint } = await world.registry.publishContract(allowed);
      await bob.agreeContract({ model: MODEL, fingerprint });
      expect((await lines('contract'))[0]?.reason).to.contain('nobody sends b');
    });

    it('is taken back', async () => {
      await world.publishContract();
      const { fingerprint } = await propose();
      const { contract } = (await world.store.proposedContracts(MODEL))[0]!;
      const expected = (await inForce())!;
      expect(await bob.withdrawContract({ model: MODEL, fingerprint, reason: 'no lists' })).to.include({
        action: 'withdraw',
        actor: 'bob',
        proposedBy: 'ada',
        reason: 'no lists',
      });
      expect(await world.registry.contractProposals(MODEL)).to.deep.equal([]);
      expect((await failure(bob.agreeContract({ model: MODEL, fingerprint }))).code).to.equal('NOT_FOUND');
      expect((await failure(bob.withdrawContract({ model: MODEL, fingerprint }))).code).to.equal('NOT_FOUND');
      const late = world.store.agreeContract({ actor: 'bob', model: MODEL, contract, expected });
      expect((await failure(late)).code).to.equal('NOT_FOUND');
    });

    it('is proposed once, and by one', async () => {
      await world.publishContract();
      const { fingerprint } = await propose();
      await propose();
      expect(await lines('propose')).to.have.length(1);
      const error = await failure(propose(WIDER, bob));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.contain(`parley contract agree ${MODEL} ${fingerprint.slice(0, 12)}`);
      expect((await failure(propose(idlOf()))).code).to.equal('INVALID_INPUT');
    });
  });

  describe('that is to be agreed to', () => {
    it('is not published by one alone, and the refusal says how else', async () => {
      const error = await failure(world.registry.publishContract({ idl: AGREED }));
      expect(error.code).to.equal('PERMISSION_DENIED');
      expect(error.message).to.contain('--propose').and.to.contain(`parley contract agree ${MODEL}`);
      expect(await world.store.contract(MODEL)).to.equal(undefined);
    });

    it('guards the next one as well, also one that would end it', async () => {
      const { fingerprint } = await world.registry.publishContract({ idl: AGREED, propose: true });
      await bob.agreeContract({ model: MODEL, fingerprint });
      for (const idl of [AGREED_WIDER, idlOf()])
        expect((await failure(world.registry.publishContract({ idl, allowBreaking: 'so be it' }))).code).to.equal(
          'PERMISSION_DENIED',
        );
      // What is in force may be said again, as each training does.
      await world.registry.publishContract({ idl: AGREED });
      const ended = await bob.publishContract({ idl: idlOf(), propose: true, allowBreaking: 'over' });
      await world.registry.agreeContract({ model: MODEL, fingerprint: ended.fingerprint });
      await world.registry.publishContract({ idl: WIDER });
    });
  });
});
