/** From a development store to a production one: real graphs, a real contract, real verdicts. */
import { expect } from 'chai';
import { Archives } from '#parley/registry/archive/archives.js';
import { RegistryWorld } from '../registry/world.js';
import { MODEL, summing } from '../serving/models.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { exported, imported } from './world.js';

describe('an archive brought as an alias', () => {
  const redis = sharedRedis();
  let development: RegistryWorld;
  let good: string;
  let archive: Buffer;
  before(async function () {
    this.timeout(60_000);
    development = new RegistryWorld(redis);
    await development.publishContract();
    await development.publishModel(summing(['a', 'b'], 0.1));
    good = await development.release(summing());
    archive = await exported(development, MODEL);
  });
  after(() => development.close());

  let production: RegistryWorld;
  beforeEach(() => {
    production = new RegistryWorld(redis);
  });
  afterEach(() => production.close());

  const aliasOf = async (name: string) =>
    (await production.store.state(MODEL)).aliases.find(({ aliasName }) => aliasName === name)?.version;
  const asCandidate = { as: 'candidate', reason: 'from development' };

  it('brings what is in production, and its contract where there is none', async () => {
    const [model] = await imported(production, archive, asCandidate);
    expect(model).to.include({ outcome: 'merged', contract: true });
    expect(model!.imported).to.deep.equal([good]);
    expect(model!.promoted).to.include({ action: 'promote', aliasName: 'candidate', version: good });
    expect((await production.store.versions(MODEL)).map(({ version }) => version)).to.deep.equal([good]);
    expect(await aliasOf('candidate')).to.equal(good);
    expect(await aliasOf('production')).to.equal(undefined);
  });

  it('changes nothing the second time', async () => {
    await imported(production, archive, asCandidate);
    const { epoch } = await production.store.state(MODEL);
    const [again] = await imported(production, archive, asCandidate);
    expect(again).to.include({ outcome: 'unchanged' });
    expect((await production.store.state(MODEL)).epoch).to.equal(epoch);
  });

  it('brings its verdict, so that the very same contract and fixtures need no second judgement', async () => {
    await imported(production, archive, asCandidate);
    await production.registry.promote({ model: MODEL, version: good });
    expect(await aliasOf('production')).to.equal(good);
  });

  it('brings no way around a contract that is in force here', async () => {
    await production.publishContract({}, 'a,b,value\n1,1,2\n5,5,10\n');
    const [model] = await imported(production, archive, asCandidate);
    expect(model).to.include({ contract: false });
    const error = await failure(production.registry.promote({ model: MODEL, version: good }));
    expect(error.code).to.equal('NOT_ACCEPTED');
    await production.registry.accept(MODEL, good);
    await production.registry.promote({ model: MODEL, version: good });
  });

  it('stops at a held alias, and keeps the version', async () => {
    const { version } = await production.publishModel(summing(['a', 'b'], 0.3));
    await production.registry.promote({ model: MODEL, version, aliasName: 'candidate' });
    await production.registry.hold({ model: MODEL, aliasName: 'candidate', reason: 'compared' });
    const error = await failure(imported(production, archive, asCandidate));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('compared');
    expect(await aliasOf('candidate')).to.equal(version);
    expect(await production.store.version(MODEL, good)).to.include({ version: good });
  });

  it('gives the plain graph, which can be published again and answers the same', async () => {
    const archives = new Archives(development.store, 'ada');
    const { version, graph } = await archives.graph(MODEL);
    expect(version).to.equal(good);
    await production.publishContract();
    const again = await production.publishModel(graph);
    const verdict = await production.registry.accept(MODEL, again.version);
    expect(verdict.accepted).to.equal(true);
    const byPrefix = await archives.graph(MODEL, good.slice(0, 10));
    expect(Buffer.from(byPrefix.graph).equals(graph)).to.equal(true);
  });

  it('has no graph of a model or version that is not there, or not in production', async () => {
    const archives = new Archives(production.store, 'ada');
    expect((await failure(archives.graph('nobody'))).message).to.include('the store is empty');
    await production.publish('a');
    expect((await failure(archives.graph('nobody'))).message).to.include('the models are');
    expect((await failure(archives.graph('penguins'))).message).to.include('--model-version');
    const unknown = await failure(archives.graph('penguins', '0123456789'));
    expect(unknown.code).to.equal('NOT_FOUND');
  });
});
