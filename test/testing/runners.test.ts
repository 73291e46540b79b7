import { join } from 'node:path';
import { expect } from 'chai';
import type { ProjectFolder } from '../unit/training/projects.js';
import { acceptedProject, LOW_ROSES, MISSED, TITLES } from './flowers.js';
import { runMocha } from './runners.js';

describe('acceptance in mocha', function () {
  this.timeout(120_000);
  let folder: ProjectFolder;
  before(async () => {
    folder = await acceptedProject(LOW_ROSES);
  });
  after(() => folder.remove());

  it('is one test a criterion; those whose bounds are missed fail with a diff of the rows', async () => {
    const { stats, tests, failures } = await runMocha(folder);
    expect(tests.map(({ title }) => title)).to.deep.equal(TITLES);
    expect(failures.map(({ title }) => title)).to.deep.equal(MISSED);
    expect(stats).to.include({ passes: 2, failures: 3 });
    const { message, expected, actual } = failures[1].err;
    expect(message).to.include('measured 0 (interval').and.to.include('4 of 4 fixtures count against it');
    expect(message).to.match(/row 24: rose, answered tulip \(0\.\d+\); height 55, color yellow/);
    expect(expected?.split('\n')).to.have.members([
      'recall(rose)[color=yellow] >= 0.9',
      'row 21: rose',
      'row 22: rose',
      'row 23: rose',
      'row 24: rose',
    ]);
    expect(actual).to.match(/row 21: tulip \(0\.\d+\)/);
  });

  it('is a test that fails where the project is wrong', async () => {
    const { failures } = await runMocha(folder, join(folder.path, 'nowhere'));
    expect(failures.map(({ title }) => title)).to.deep.equal(['has a suite that can be run']);
    expect(failures[0].err.message).to.include('no file').and.to.include('parley.yaml');
  });
});
