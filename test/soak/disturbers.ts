/** What happens beside the load: callers that go away in all the wrong moments, promotions, and Redis going and coming. */
import { setTimeout } from 'node:timers/promises';
import { ParleyError } from '#parley/errors.js';
import type { Address } from '#parley/rpc/client/connection.js';
import type { ParleyClient } from '#parley/rpc/client/parley-client.js';
import type { Dice } from '../rpc/fuzzing.js';
import type { TestRedis } from '../store/redis-server.js';
import { type Account, Caller } from './callers.js';
import { frameOf, MODEL, sequenceOf } from './questions.js';

const RUDE_EVERY_MS = 50;
const REDIS_DOWN_MS = 3_000;

/** Something that goes on until it is stopped. */
abstract class Going {
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();

  start(): this {
    this.running = this.run().catch((error: unknown) => {
      if (!this.stopped.signal.aborted) throw error;
    });
    return this;
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  protected abstract run(): Promise<void>;

  protected get going(): boolean {
    return !this.stopped.signal.aborted;
  }

  /** @throws AbortError when it is stopped meanwhile */
  protected pause(ms: number): Promise<void> {
    return setTimeout(Math.max(0, ms), undefined, { signal: this.stopped.signal });
  }
}

/** Opens connections and leaves them: at once, with calls open, in the middle of a frame. */
export class RudeCallers extends Going {
  readonly counts: Record<string, number> = {};

  constructor(
    private readonly address: Address,
    private readonly account: Account,
    private readonly dice: Dice,
  ) {
    super();
  }

  protected async run(): Promise<void> {
    while (this.going) {
      await this.pause(this.dice.below(2 * RUDE_EVERY_MS));
      const caller = await Caller.open(this.address, this.account);
      const [name, leave] = this.dice.of(Object.entries(this.manners));
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      await leave(caller);
    }
  }

  private readonly manners: Readonly<Record<string, (caller: Caller) => Promise<void>>> = {
    'said nothing': async (caller) => caller.reset(),
    'reset with calls open': async (caller) => {
      caller.send(1 + this.dice.below(32), this.form);
      if (this.dice.below(2) === 0) await setTimeout(this.dice.below(4));
      caller.reset();
    },
    'cut in mid frame, reset': async (caller) => caller.reset(this.cutFrame()),
    'cut in mid frame behind calls, reset': async (caller) => {
      caller.send(1 + this.dice.below(8), this.form);
      caller.reset(this.cutFrame());
    },
    'cut in mid frame, closed': async (caller) => {
      caller.socket.end(this.cutFrame());
    },
    'asked, was answered, left': async (caller) => {
      caller.send(1 + this.dice.below(8), this.form);
      await caller.leave(5_000);
    },
  };

  private readonly form = (): number => this.dice.below(1 << 16);

  private cutFrame(): Buffer {
    const frame = frameOf(sequenceOf(0, this.form()));
    return frame.subarray(0, 1 + this.dice.below(frame.length - 1));
  }
}

/** Puts another version into production every so often. */
export class Promotions extends Going {
  acknowledged = 0;
  unavailable = 0;
  readonly others: string[] = [];
  /** Since Redis was last started. */
  sinceRestart = 0;

  constructor(
    private readonly client: ParleyClient,
    private readonly versions: readonly string[],
    private readonly everyMs: number,
  ) {
    super();
  }

  protected async run(): Promise<void> {
    while (this.going) {
      await this.pause(this.everyMs);
      await this.promote(this.versions[(this.acknowledged + 1) % this.versions.length] as string);
    }
  }

  private async promote(version: string): Promise<void> {
    try {
      await this.client.promote({ model: MODEL, version, aliasName: 'production' });
      this.acknowledged++;
      this.sinceRestart++;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'STORE_UNAVAILABLE') this.unavailable++;
      else this.others.push(String(error));
    }
  }
}

/** Ends Redis twice and starts it again: first as a crash would, then as an administrator does. */
export class Restarts extends Going {
  done = 0;

  constructor(
    private readonly redis: TestRedis,
    private readonly promotions: Promotions,
    private readonly atMs: readonly [number, number],
  ) {
    super();
  }

  protected async run(): Promise<void> {
    const [first, second] = this.atMs;
    await this.pause(first);
    await this.restart(() => this.redis.kill());
    await this.pause(second - first - REDIS_DOWN_MS);
    await this.restart(async () => {
      this.redis.signal('SIGTERM');
      await setTimeout(500);
      await this.redis.kill();
    });
  }

  private async restart(end: () => Promise<void>): Promise<void> {
    await end();
    try {
      await this.pause(REDIS_DOWN_MS);
    } finally {
      await this.redis.start();
    }
    this.promotions.sinceRestart = 0;
    this.done++;
  }
}
