/** `parley train`: what it prints, what it stores, and that the same training makes the same version. */
import { expect } from 'chai';
import type { ModelVersion } from '#parley/model/version.js';
import { openStore } from '#parley/store/connect.js';
import { Place, placeForEach } from './parley.js';
import { useTrained } from './trained.js';

interface Outcome {
  readonly run_id: string;
  readonly published: boolean;
  readonly version: ModelVersion;
  readonly metrics: Readonly<Record<string, number>>;
}

interface Configuration {
  readonly trainer: Readonly<Record<string, unknown>>;
  readonly split: Readonly<Record<string, unknown>>;
  readonly fitted: { readonly summary: { readonly iterations: number } };
  readonly contract_fingerprint: string;
}

async function configurationOf({ dataFolder }: Place, runId: string): Promise<Configuration> {
  const store = await openStore({ dataFolder });
  try {
    return JSON.parse((await store.runConfiguration('penguins', runId))!) as Configuration;
  } finally {
    await store.close();
  }
}

describe('parley train', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach();

  it('prints the metrics beside the baseline, and the digest', async () => {
    const { code, stdout, stderr } = await place().run('train', place().project());
    expect(stdout).to.match(/^on held-out rows +model +baseline\n/);
    for (const name of ['accuracy', 'precision', 'recall', 'f1', 'log_loss', 'brier'])
      expect(stdout).to.match(new RegExp(`^${name} +\\d\\.?\\d* +\\d\\.?\\d*$`, 'm'));
    expect(stdout).to.include(`version ${trained().good}\n`);
    expect(stdout).not.to.include('read:');
    expect(stderr).to.match(/^read: 269 rows: \d+ to learn from, \d+ held out\n/);
    expect(stderr).to.include(`next: parley accept penguins ${trained().good.slice(0, 12)}`);
    expect(code).to.equal(0);
  });

  it('makes the same version from the same training, in another data folder too', async () => {
    const { version } = await place().json<Outcome>('train', place().project());
    expect(version.version).to.equal(trained().good);
  });

  it('adds no ledger line for a version that is there, and says so', async () => {
    const there = new Place(trained().folder);
    try {
      const project = there.project();
      const [before, versions] = [await there.history(), await there.versions()];
      const stored = versions.find(({ version }) => version === trained().good)!;
      const { stdout, code } = await there.run('train', project);
      expect(stdout).to.include(
        `"penguins" has this version already, from run ${stored.runId}; nothing new was published`,
      );
      expect(code).to.equal(0);
      const again = await there.json<Outcome>('train', project);
      expect(again.published).to.equal(false);
      expect(again.run_id).not.to.equal(stored.runId);
      expect(again.version).to.deep.equal(stored);
      expect(await there.history()).to.deep.equal(before);
    } finally {
      await there.leave();
    }
  });

  it('takes --set, and keeps it in the stored configuration of the run', async () => {
    const { run_id, published, version } = await place().json<Outcome>(
      'train',
      place().project(),
      '--set',
      'trainer.max_iterations=2',
      '--set',
      'split.seed=7',
    );
    expect(version.version).not.to.equal(trained().good);
    expect(published).to.equal(true);
    expect(version.runId).to.equal(run_id);
    const configuration = await configurationOf(place(), run_id);
    expect(configuration.trainer).to.deep.include({ name: 'logistic-regression', max_iterations: 2 });
    expect(configuration.split).to.deep.include({ seed: 7 });
    expect(configuration.fitted.summary.iterations).to.equal(2);
    expect(configuration.contract_fingerprint).to.equal(version.contractFingerprint);
  });

  const wrongKeys: [key: string, says: string][] = [
    ['trainer.max_iteration=2', 'trainer.max_iteration: there is no such key (did you mean "max_iterations"?)'],
    ['trainr.l2=2', 'trainr: there is no such key (did you mean "trainer"?)'],
    ['split.sede=2', 'split.sede: there is no such key (did you mean "seed"?)'],
  ];
  for (const [setting, says] of wrongKeys) {
    it(`names the nearest key for --set ${setting}`, async () => {
      const { code, stderr } = await place().run('train', place().project(), '--set', setting);
      expect(stderr).to.include(says);
      expect(code).to.equal(1);
    });
  }

  it('says so when the fit did not converge', async () => {
    const { stderr } = await place().run('train', place().project(), '--set', 'trainer.max_iterations=2');
    expect(stderr).to.include('note: the fit did not converge; give trainer.max_iterations a higher value');
  });
});
