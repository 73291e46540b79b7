/** Every scenario, cut at every command: what must hold after each cut. */
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import { RedisStore } from '#parley/store/redis-store.js';
import type { TestRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { CuttingProxy, type Where } from './cutting-proxy.js';
import { checkInvariants } from './invariants.js';
import type { Prepared, Scenario } from './scenarios.js';

/** More would mean that the proxy does not cut what it counts. */
const MOST_COMMANDS = 200;

/** What a cut call may fail with: it says that it may be repeated. */
const CUT_OFF = ['STORE_UNAVAILABLE', 'SHUTTING_DOWN'];

/** @returns the commands at which it was cut @throws what breaks a promise, with the command in its message */
export async function cutEverywhere(redis: TestRedis, scenario: Scenario, where: Where): Promise<readonly string[]> {
  const cuts: string[] = [];
  for (let at = 1; at <= MOST_COMMANDS; at++) {
    const cut = await cutOnce(redis, scenario, at, where);
    if (cut === undefined) return cuts;
    cuts.push(cut);
  }
  throw new Error(`${scenario.name} sends more than ${MOST_COMMANDS} commands`);
}

/** @returns the command; undefined where the call ended before */
async function cutOnce(redis: TestRedis, scenario: Scenario, at: number, where: Where): Promise<string | undefined> {
  const world = new World(redis);
  const prepared = await scenario.prepare(world);
  const proxy = await new CuttingProxy(redis.socket, at, where).listen();
  const victim = new RedisStore({ connection: proxy.address, keyPrefix: world.prefix, environment: 'test' });
  // Nothing is tried again by one who is dead.
  proxy.onCut(() => void victim.close());
  try {
    await prepared.act(victim).catch(expectCutOff);
    const what = `${scenario.name}, cut ${where} command ${at} (${proxy.cutAt})`;
    await saying(what, async () => {
      await checkInvariants(world, world.store);
      await repeat(prepared, world.store);
      await prepared.done(world.store);
      await checkInvariants(world, world.store);
    });
    return proxy.cutAt;
  } finally {
    await victim.close();
    await proxy.close();
    const keys = await world.raw.keys(`${world.prefix}*`);
    if (keys.length > 0) await world.raw.del(keys);
    await world.close();
  }
}

async function repeat({ act, again }: Prepared, store: RedisStore): Promise<void> {
  await act(store).catch((error: unknown) => {
    if (!(error instanceof ParleyError) || error.code !== again) throw error;
  });
}

function expectCutOff(error: unknown): void {
  if (!(error instanceof ParleyError)) throw error;
  expect(CUT_OFF, error.message).to.include(error.code);
}

async function saying(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}: ${error.message}`;
    throw error;
  }
}
