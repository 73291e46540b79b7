/** A minute of fuzzing with frames that no other run has seen. */
import { expect } from 'chai';
import { fuzz } from './fuzz-run.js';

describe('a minute of mutations', () => {
  it('finds nothing, and leaves the server as large as it was', async function () {
    this.timeout(180_000);
    expect(await fuzz(Date.now() % 2 ** 31, 1)).to.equal(0);
  });
});
