/** Some seconds of what scripts/fuzz does for longer. */
import { expect } from 'chai';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { ServerProcess } from './fork.js';
import { Hunter, validFrames } from './fuzzing.js';
import { fillStore } from './served.js';

const SEED = 20_240_607,
  DURATION_MS = 15_000;

describe('mutations of valid frames', () => {
  const redis = sharedRedis();
  let world: World, server: ServerProcess;
  before(async function () {
    this.timeout(60_000);
    world = new World(redis);
    await fillStore(world.store);
    server = await ServerProcess.start(world);
  });
  after(async () => {
    if (server !== undefined) expect(await server.stop()).to.equal(0);
    await world?.close();
  });

  it(`are replied to once or closed, and harm nobody (seed ${SEED})`, async function () {
    this.timeout(60_000);
    const hunter = new Hunter(server.address, validFrames());
    await hunter.hunt(SEED, DURATION_MS);
    const { cases, outcomes } = hunter;
    expect(cases).to.be.above(500);
    // What is mutated is still near enough to what is valid that it gets everywhere.
    expect(outcomes).to.include.keys('answer', 'closed', 'error 1', 'error 2', 'error 13', 'exception 1');
    expect(outcomes).to.include.keys('stream', 'valid stream', 'cut');
  });
});
