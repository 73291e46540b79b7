/** Ctrl-C in the middle of a training: nothing is half done, nothing is left over. */
import { expect } from 'chai';
import { expectInterruptible, expectNothingLeft, leftovers, newTraining, stored } from './interruptions.js';
import { placeForEach, until } from './parley.js';
import { useTrained } from './trained.js';

describe('an interrupted training', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  for (const stage of ['fit: ', 'evaluate: '])
    it(`leaves nothing half done when it is interrupted after "${stage.trim()}"`, () =>
      expectInterruptible(place(), stage));

  it("leaves nothing half done when a terminal's Ctrl-C reaches all of its processes", async () => {
    const before = await stored(place());
    const training = newTraining(place(), { detached: true });
    await training.says('evaluate: ');
    process.kill(-training.child.pid!, 'SIGINT');
    const { code } = await training.ended;
    expect(code).to.equal(130);
    expectNothingLeft(place());
    expect(await stored(place())).to.deep.equal(before);
  });

  it('ends at once the second time, and the next command finds all in order', async () => {
    const before = await stored(place());
    const training = newTraining(place());
    await training.says('evaluate: ');
    await until('the rehearsal', () => leftovers(place()).length > 0);
    // With a Redis that does not answer, going away in order takes its time.
    const redis = place().redisPid()!;
    process.kill(redis, 'SIGSTOP');
    const begun = performance.now();
    training.child.kill('SIGINT');
    training.child.kill('SIGTERM');
    const { code } = await training.ended;
    const tookMs = performance.now() - begun;
    process.kill(redis, 'SIGCONT');
    expect(code).to.equal(130);
    expect(tookMs).to.be.below(2_000);
    // By the rehearsal's process, once it sees that it is alone.
    await until('its folder to go', () => leftovers(place()).length === 0);
    expect(await stored(place())).to.deep.equal(before);
    expect(place().redisPid()).to.equal(undefined);
  });
});
