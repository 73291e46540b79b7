/** Somebody who promotes one version after the other, and writes down what was acknowledged. */
import { setTimeout } from 'node:timers/promises';
import { ParleyError } from '#parley/errors.js';
import type { LedgerEntry } from '#parley/model/version.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { until } from './redis-server.js';
import { BY, MODEL, type World } from './world.js';

const PAUSE_MS = 10;

export class Writer {
  readonly acknowledged: LedgerEntry[] = [];
  /** Promotions that failed with STORE_UNAVAILABLE. */
  unavailable = 0;
  /** Whatever else they failed with. */
  readonly unexpected: string[] = [];
  private stopping = false;
  private readonly running: Promise<void>;

  private constructor(
    private readonly store: RedisStore,
    private readonly versions: readonly string[],
  ) {
    this.running = this.run();
  }

  static async on(world: World, store: RedisStore = world.another()): Promise<Writer> {
    return new Writer(store, [await world.publish('one'), await world.publish('two')]);
  }

  /** Resolves when so many promotions have been acknowledged. */
  async until(count: number, deadlineMs?: number): Promise<void> {
    await until(`${count} promotions`, () => this.acknowledged.length >= count, deadlineMs);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    for (let turn = 0; !this.stopping; turn++) {
      await this.promote(this.versions[turn % this.versions.length]!);
      await setTimeout(PAUSE_MS);
    }
  }

  private async promote(version: string): Promise<void> {
    try {
      const request = { ...BY, model: MODEL, aliasName: 'production', version, action: 'promote' } as const;
      this.acknowledged.push(await this.store.moveAlias(request));
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'STORE_UNAVAILABLE') this.unavailable++;
      else this.unexpected.push(String(error));
    }
  }
}
