import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { sharedRedis } from './redis-server.js';
import { BY, failure, MODEL, sha256, verdictFor, World } from './world.js';

describe('contracts in the store', () => {
  const redis = sharedRedis();
  let world: World;
  beforeEach(() => {
    world = new World(redis);
  });
  afterEach(() => world.close());

  it('puts a contract and its fixtures in force', async () => {
    const contract = await world.putInForce('c1', Buffer.from('rows'));
    expect(await world.store.contract(MODEL)).to.deep.equal(contract);
    expect((await world.store.state(MODEL)).contractFingerprint).to.equal('c1');
    expect(String(await world.store.fixtures(MODEL, sha256(Buffer.from('rows'))))).to.equal('rows');
    expect(await world.store.models()).to.deep.equal([MODEL]);
  });

  it('keeps the earlier contract beside the one in force', async () => {
    const first = await world.putInForce('c1');
    const second = await world.putInForce('c2');
    expect(await world.store.contract(MODEL)).to.deep.equal(second);
    expect(await world.store.contract(MODEL, 'c1')).to.deep.equal(first);
    expect(await world.store.contract(MODEL, 'c3')).to.equal(undefined);
  });

  it('adds a line only for what differs', async () => {
    await world.putInForce('c1', Buffer.from('rows'));
    await world.putInForce('c1', Buffer.from('rows'));
    expect(await world.store.ledger(MODEL)).to.have.length(1);
    await world.putInForce('c1', Buffer.from('other rows'));
    await world.putInForce('c2', Buffer.from('other rows'));
    const lines = await world.store.ledger(MODEL);
    expect(lines.map((line) => line.action)).to.deep.equal(['contract', 'contract', 'contract']);
    expect(lines[0]).to.include({ contractFingerprint: 'c2', fixtureFingerprint: sha256(Buffer.from('other rows')) });
  });

  it('takes a contract without fixtures', async () => {
    const contract = { fingerprint: 'c1', idl: 'service A {}', includes: {}, services: ['A'] };
    await world.store.publishContract({ ...BY, model: MODEL, contract });
    expect(await world.store.contract(MODEL)).to.deep.equal(contract);
  });

  it('takes fixtures that are stored already by their fingerprint', async () => {
    const { fixtureFingerprint } = await world.putInForce('c1');
    const contract = {
      fingerprint: 'c2',
      idl: 'service A {}',
      includes: {},
      services: ['A'],
      fixtureFingerprint: fixtureFingerprint!,
    };
    await world.store.publishContract({ ...BY, model: MODEL, contract });
    expect((await world.store.contract(MODEL))?.fixtureFingerprint).to.equal(fixtureFingerprint);
  });

  it('refuses a contract whose fixtures are nowhere', async () => {
    const contract = { fingerprint: 'c1', idl: '', includes: {}, services: [], fixtureFingerprint: 'f'.repeat(64) };
    expect((await failure(world.store.publishContract({ ...BY, model: MODEL, contract }))).code).to.equal('NOT_FOUND');
    expect(await world.store.contract(MODEL)).to.equal(undefined);
  });

  it('refuses fixtures that are not the ones the contract names', async () => {
    const contract = { fingerprint: 'c1', idl: '', includes: {}, services: [], fixtureFingerprint: 'f'.repeat(64) };
    const fixtures = Buffer.from('rows');
    const error = await failure(world.store.publishContract({ ...BY, model: MODEL, contract, fixtures }));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include(sha256(fixtures));
  });

  it('keeps large fixtures, and notices when they are damaged', async () => {
    const rows = randomBytes(2 * 1024 * 1024 + 3);
    const { fixtureFingerprint } = await world.putInForce('c1', rows);
    expect(await world.store.fixtures(MODEL, fixtureFingerprint!)).to.deep.equal(rows);
    expect(await world.raw.ttl(world.keys.fixtures(MODEL, fixtureFingerprint!))).to.equal(-1);
    await world.raw.hset(world.keys.fixtures(MODEL, fixtureFingerprint!), '2', 'abc');
    expect((await failure(world.store.fixtures(MODEL, fixtureFingerprint!))).code).to.equal('MODEL_BROKEN');
    expect((await failure(world.store.fixtures(MODEL, 'none'))).code).to.equal('NOT_FOUND');
  });

  it('stores a verdict with its evidence', async () => {
    const contract = await world.putInForce();
    const version = await world.publish('a');
    const verdict = verdictFor(contract, true);
    await world.store.recordVerdict({ ...BY, model: MODEL, version, verdict });
    const { contractFingerprint, fixtureFingerprint } = verdict;
    expect(await world.store.verdict(MODEL, version, contractFingerprint, fixtureFingerprint)).to.deep.equal(verdict);
    expect(await world.store.verdict(MODEL, version, 'c2', fixtureFingerprint)).to.equal(undefined);
    const [line] = await world.store.ledger(MODEL);
    expect(line).to.include({ action: 'accept', version, contractFingerprint, fixtureFingerprint });
    expect(JSON.parse(line!.evidenceJson!).criteria[0].measured).to.equal(0.97);
  });

  it('stores a verdict whose figures could not be measured', async () => {
    const contract = await world.putInForce();
    const version = await world.publish('a');
    const verdict = verdictFor(contract, false);
    const unmeasured = { ...verdict, criteria: [{ ...verdict.criteria[0]!, measured: Number.NaN }] };
    await world.store.recordVerdict({ ...BY, model: MODEL, version, verdict: unmeasured });
    const stored = await world.store.verdict(MODEL, version, contract.fingerprint, contract.fixtureFingerprint!);
    expect(stored?.criteria[0]?.measured).to.be.NaN;
    expect((await world.store.ledger(MODEL))[0]?.action).to.equal('reject');
  });

  it('refuses a verdict on a version that is not there', async () => {
    const verdict = verdictFor(await world.putInForce(), true);
    const error = await failure(world.store.recordVerdict({ ...BY, model: MODEL, version: 'a'.repeat(64), verdict }));
    expect(error.code).to.equal('NOT_FOUND');
    expect(await world.store.ledger(MODEL)).to.have.length(1);
  });
});
