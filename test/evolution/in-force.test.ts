import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runHere } from '../cli/command.js';
import { failure } from '../store/world.js';
import { temporaryFolder } from '../unit/sources/reading.js';
import { changedText, PENGUINS } from './changes.js';
import { EvolutionWorld, servedText } from './world.js';

describe('the contract that is in force', function () {
  this.timeout(30_000);
  const place = temporaryFolder();
  let world: EvolutionWorld;
  before(async () => {
    world = await EvolutionWorld.open();
    await world.serve(PENGUINS, 1);
  });
  after(async () => {
    await world.close();
    place.remove();
  });
  // Commands leave their exit code there.
  afterEach(() => {
    process.exitCode = undefined;
  });

  it('is told by its model, by the store and by a server alike', async () => {
    const [stored, served] = await Promise.all(
      [world.registry, world.client].map((registry) => registry.contractInForce('penguins-1')),
    );
    expect(stored!.services.map(({ name }) => name)).to.deep.equal(['Penguins_1']);
    expect(served!.fingerprint).to.equal(stored!.fingerprint);
  });

  it('is none of a model that has none', async () => {
    expect(await world.registry.contractInForce('walruses')).to.equal(undefined);
    expect(await failure(world.client.contractInForce('walruses'))).to.have.property('code', 'NOT_FOUND');
  });

  it('is compared with a file by the name of its model', async () => {
    const file = join(place.path, 'new.thrift');
    writeFileSync(file, servedText(changedText({ edits: [['max = "80"', 'max = "70"']] }), 1));
    const { code, stdout } = await runHere(['contract', 'diff', 'penguins-1', file], undefined, world.registry);
    expect(code).to.equal(1);
    expect(stdout).to.match(/^callers +Penguin\.bill_length_mm +range-narrowed/m);
  });
});
