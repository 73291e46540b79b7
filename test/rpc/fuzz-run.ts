/** What scripts/fuzz runs: a Redis, a filled store, a server in a process of its own, and the hunt. */
import { TestRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { ServerProcess } from './fork.js';
import { Dice, Hunter, validFrames } from './fuzzing.js';
import { fillStore } from './served.js';

/** Before memory is looked at for the first time: code is compiled, and models are loaded by then. */
const WARM_UP_MS = 10_000;
/** The server's memory comes back to within this of what it took then. */
const MOST_GROWN_BYTES = 100e6;
const TOLD_EVERY_MS = 60_000;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** @returns the exit status */
export async function fuzz(seed: number, minutes: number): Promise<number> {
  console.log(`seed ${seed}, ${minutes} minutes`);
  const redis = await new TestRedis().start(),
    world = new World(redis);
  let server: ServerProcess | undefined;
  try {
    await fillStore(world.store);
    server = await ServerProcess.start(world);
    const hunter = new Hunter(server.address, validFrames());
    await hunter.hunt(seed, Math.min(WARM_UP_MS, minutes * 60_000));
    const begin = await server.state();
    await huntAndTell(hunter, server, seed, minutes);
    const { cases, outcomes } = hunter;
    const grown = (await server.state()).rssBytes - begin.rssBytes;
    console.log(
      `${cases} cases: ${Object.entries(outcomes)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
    );
    console.log(`the server has grown by ${megabytes(grown)}`);
    if (grown > MOST_GROWN_BYTES) throw new Error(`that is more than ${megabytes(MOST_GROWN_BYTES)}`);
    return 0;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    await server?.stop();
    await world.close();
    await redis.stop();
  }
}

/** In parts, each of which begins with the valid frames again. */
async function huntAndTell(hunter: Hunter, server: ServerProcess, seed: number, minutes: number): Promise<void> {
  const end = performance.now() + minutes * 60_000,
    dice = new Dice(seed + 1);
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) {
    await hunter.hunt(dice.below(2 ** 31), Math.min(left, TOLD_EVERY_MS));
    const { rssBytes, liveBytes } = await server.state();
    console.error(
      `${hunter.cases} cases; the server takes ${megabytes(rssBytes)}, of which ${megabytes(liveBytes)} live`,
    );
  }
}
