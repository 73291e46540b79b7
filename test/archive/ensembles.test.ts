/** Ensembles that move house: their members come along, and are kept from then on. */
import { expect } from 'chai';
import type { Artifact } from '#parley/model/trained.js';
import { fieldsOf } from '#parley/model-types/record-fields.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { Archives } from '#parley/registry/archive/archives.js';
import { ensembleOf, tabular, versionOf } from '../model-types/samples.js';
import { sharedRedis } from '../store/redis-server.js';
import { BY, failure, MODEL, World } from '../store/world.js';
import { exported, imported } from './world.js';

const members = [1, 2].map((slope) => tabular(['no', 'yes'], slope, 0));
const other = tabular(['no', 'yes'], 3, 0);
const ensemble = ensembleOf(members, 'average', [1, 3]);
const names = ensemble.metadata.members as readonly string[];

/** Past the rehearsal, which an import does without, too. */
async function put({ store }: World, artifact: Artifact, more: { members?: readonly string[] } = {}): Promise<void> {
  const { modelType } = artifact;
  const record = { version: versionOf(artifact), modelType, typeFields: fieldsOf(artifact), metrics: {} };
  await store.publishVersion({
    ...BY,
    model: MODEL,
    bytes: modelTypeOf(modelType).serialize(artifact),
    record,
    ...more,
  });
}

describe('an archive with an ensemble', () => {
  const redis = sharedRedis();
  const version = versionOf(ensemble);
  let archive: Buffer;
  before(async () => {
    const from = new World(redis);
    for (const artifact of [...members, other]) await put(from, artifact);
    await put(from, ensemble, { members: names });
    await from.promote(version);
    archive = await exported(from);
    await from.close();
  });

  let world: World;
  beforeEach(() => {
    world = new World(redis);
  });
  afterEach(() => world.close());

  async function expectKept(): Promise<void> {
    expect(await world.raw.hgetall(world.keys.ensembles(MODEL))).to.deep.equal({ [version]: names.join(' ') });
    expect((await failure(world.retire(names[0]!))).message).to.include(`the ensemble ${version} is made of it`);
    expect(await world.prune(names[1]!, 0)).to.equal(undefined);
    const record = await world.store.version(MODEL, version);
    expect(record?.typeFields).to.include({ combine: 'average', weights: JSON.stringify(ensemble.metadata.weights) });
  }

  it('restores it, with what keeps its members', async () => {
    await imported(world, archive);
    await expectKept();
  });

  it('merges it, with what keeps its members', async () => {
    await put(world, other);
    const [model] = await imported(world, archive);
    expect(model).to.include({ outcome: 'merged' });
    expect(model!.imported).to.have.members([...names, version]);
    await expectKept();
  });

  it('brings its members along where it alone is brought, as an alias', async () => {
    const [model] = await imported(world, archive, { as: 'candidate' });
    expect(model!.imported).to.have.members([...names, version]);
    expect(model!.imported.at(-1)).to.equal(version);
    expect(await world.pointsAt('candidate')).to.equal(version);
    await expectKept();
  });

  it('does not bring it where a member is retired', async () => {
    await put(world, members[0]!);
    await world.retire(versionOf(members[0]!));
    const error = await failure(imported(world, archive, { as: 'candidate' }));
    expect(error.code).to.equal('NOT_FOUND');
    expect(error.message).to.match(new RegExp(`version ${versionOf(members[0]!)} .*is retired since`));
    expect(await world.store.version(MODEL, version)).to.equal(undefined);
  });

  it('brings no field that its type does not allow', async () => {
    const bytes = modelTypeOf(ensemble.modelType).serialize(ensemble);
    async function* piece() {
      yield bytes;
    }
    const staged = await world.store.archive.stage(MODEL, version, bytes.length, piece());
    const typeFields = { ...fieldsOf(ensemble), weights: '[0]' };
    const record = { version, modelType: 'ensemble', typeFields, metrics: {}, sizeBytes: bytes.length };
    const request = { ...BY, model: MODEL, record, staged, verdicts: [], evidenceJson: '{}' };
    const error = await failure(world.store.archive.importVersion(request));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include('weights');
    await world.store.archive.discard([staged]);
  });

  it('has no graph to give', async () => {
    await imported(world, archive);
    const error = await failure(new Archives(world.store, 'ada').graph(MODEL));
    expect(error.code).to.equal('UNSUPPORTED');
    expect(error.message).to.include('has no graph of its own');
  });
});
