import { expect } from 'chai';
import type { ProjectFolder } from '../unit/training/projects.js';
import { acceptedProject, FITTING, LOW_ROSES, MISSED, TITLES } from './flowers.js';
import { runMocha, runNodeTest } from './runners.js';

describe('acceptance in test runners', function () {
  this.timeout(120_000);
  let folder: ProjectFolder;
  before(async () => {
    folder = await acceptedProject();
  });
  after(() => folder.remove());

  it('passes in mocha where the model fits', async () => {
    folder.write('fixtures.csv', FITTING);
    const { stats, tests } = await runMocha(folder);
    expect(tests.map(({ title }) => title)).to.deep.equal(TITLES);
    expect(stats).to.include({ passes: 5, failures: 0 });
  });

  it('is the same in node:test, by functions that are handed in', async () => {
    folder.write('fixtures.csv', LOW_ROSES);
    const { code, text } = await runNodeTest(folder);
    expect(code).to.equal(1);
    for (const [index, title] of TITLES.entries())
      expect(text).to.include(`${MISSED.includes(title) ? 'not ok' : 'ok'} ${index + 1} - ${title}`);
  });
});
