/** The scripts behind the claims on metrics and intervals, with the scikit-learn that pip installs. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { skip } from '../../skip.js';

describe('scripts/metrics-against-scikit', function () {
  this.timeout(600_000);

  it('finds no figure that differs, on data that nobody chose', function () {
    const seed = String(1 + (Date.now() % 1_000_000));
    const run = spawnSync('scripts/metrics-against-scikit', ['--seed', seed], { encoding: 'utf8' });
    if (run.status === 3) skip(this, `pip cannot install scikit-learn: ${run.stderr.trim().split('\n').at(-1)}`);
    expect(run.status, `--seed ${seed}\n${run.stdout}${run.stderr}`).to.equal(0);
    expect(run.stdout).to.match(/\d{5} figures of 760 cases; the largest difference is \S+, within 1e-9\n$/);
  });
});

describe('scripts/interval-coverage', function () {
  this.timeout(600_000);

  // The whole table takes a quarter of an hour; these rows have both kinds of interval. Samples are always the same.
  for (const figure of ['accuracy', 'recall'])
    it(`finds the coverage that docs/acceptance.md claims for ${figure}`, () => {
      const run = spawnSync('scripts/interval-coverage', ['--trials', '1200', '--only', figure], { encoding: 'utf8' });
      expect(run.status, run.stdout).to.equal(0);
      expect(run.stdout).to.match(/Wilson[\s\S]*bca[\s\S]*all within 0\.95 \+- 0\.02/);
    });
});
