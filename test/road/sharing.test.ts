/** Commands at the same time on one data folder share its Redis, and each finds whole things. */
import { expect } from 'chai';
import type { LedgerEntry, ModelVersion } from '#parley/model/version.js';
import { placeForEach } from './parley.js';

interface Outcome {
  readonly version: ModelVersion;
  readonly promotion?: LedgerEntry;
}

describe('commands at the same time', function () {
  this.timeout(120_000);
  const place = placeForEach();

  it('share one data folder, from the first on: two trainings, and who looks at the history meanwhile', async () => {
    const project = place().project();
    const one = place().start(['train', project, '--promote', '--json']);
    const two = place().start(['train', project, '--promote', '--set', 'trainer.l2=0.5', '--json']);
    const looks: LedgerEntry[][] = [];
    while (one.running || two.running) {
      const { code, stdout, stderr } = await place().run('history', 'penguins', '--json');
      if (code === 0) looks.push(JSON.parse(stdout) as LedgerEntry[]);
      else expect(stderr).to.match(/^error NOT_FOUND: there is no model "penguins"/);
    }
    const outcomes = await Promise.all(
      [one, two].map(async (training) => {
        const { code, stdout, stderr } = await training.ended;
        expect(code, stderr).to.equal(0);
        return JSON.parse(stdout) as Outcome;
      }),
    );
    const ledger = await place().json<LedgerEntry[]>('history', 'penguins');
    // A contract once, and of each training a publication, a verdict and a promotion.
    expect(ledger.map(({ sequence }) => sequence)).to.deep.equal([7, 6, 5, 4, 3, 2, 1]);
    for (const look of looks) expect(ledger.slice(ledger.length - look.length)).to.deep.equal(look);
    const versions = await place().json<ModelVersion[]>('versions', 'penguins');
    expect(versions.map(({ version }) => version)).to.have.members(outcomes.map(({ version }) => version.version));
    const last = outcomes.find(({ promotion }) => promotion!.sequence === 7)!;
    expect(versions.find(({ aliases }) => aliases.includes('production'))?.version).to.equal(last.version.version);
    expect(place().redisPid()).to.equal(undefined);
  });

  it('share it with a server, which goes on when they end', async () => {
    const server = await place().serve();
    await place().output('train', place().project(), '--promote');
    await Promise.all([place().output('history', 'penguins'), place().output('versions')]);
    expect(server.running).to.equal(true);
    const { code, stdout } = await place().run(
      'predict',
      'penguins',
      '{"bill_length_mm": 39, "bill_depth_mm": 18, "flipper_length_mm": 181, "body_mass_g": 3700, "island": "Torgersen"}',
      '--server',
      server.address,
    );
    expect(stdout).to.match(/^species +Adelie$/m);
    expect(code).to.equal(0);
  });
});
