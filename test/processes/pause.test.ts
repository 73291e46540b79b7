import { expect } from 'chai';
import { pauseBeforeMs } from '#parley/processes/pause.js';

describe('a process that ended', () => {
  it('is replaced at once, and each further one that ends in its start after twice the pause', () => {
    expect([1, 2, 3, 4, 5].map(pauseBeforeMs)).to.deep.equal([0, 100, 200, 400, 800]);
  });

  it('never waits for longer than ten seconds', () => {
    expect([9, 100, 10_000].map(pauseBeforeMs)).to.deep.equal([10_000, 10_000, 10_000]);
  });
});
