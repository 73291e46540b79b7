/** What scripts/fuzz runs: a Redis, a filled store, a server in a process of its own, and the hunt. */
import { TestRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { ServerProcess } from './fork.js';
import { Hunter, validFrames } from './fuzzing.js';
import { fillStore } from './served.js';

/** The server's memory comes back to within this of what it took at first. */
const MOST_GROWN_BYTES = 100e6;

/** @returns the exit status */
export async function fuzz(seed: number, minutes: number): Promise<number> {
  console.log(`seed ${seed}, ${minutes} minutes`);
  const redis = await new TestRedis().start(),
    world = new World(redis);
  let server: ServerProcess | undefined;
  try {
    await fillStore(world.store);
    server = await ServerProcess.start(world);
    const begin = await server.state();
    const { cases, outcomes } = await new Hunter(server.address, validFrames()).hunt(seed, minutes * 60_000);
    const grown = (await server.state()).rssBytes - begin.rssBytes;
    if (grown > MOST_GROWN_BYTES) throw new Error(`the server has grown by ${Math.round(grown / 1e6)} MB`);
    console.log(
      `${cases} cases: ${Object.entries(outcomes)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
    );
    console.log(`the server has grown by ${Math.round(grown / 1e6)} MB`);
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
