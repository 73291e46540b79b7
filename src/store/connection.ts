/**
 * One named connection to Redis that comes back by itself.
 *
 * No call waits longer than its deadline: while Redis is away, calls wait for it a moment and then fail with
 * STORE_UNAVAILABLE. A reply that was lost with the connection is asked for again where asking twice is harmless.
 * ioredis's own queue and its resending are off, because they would repeat changes and wait without a bound.
 */
import { setTimeout } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { shuttingDown, storeUnavailable } from '../errors.js';
import type { RedisAddress } from './address.js';
import { isLost, isPassing, LostReply, storeError } from './redis-errors.js';
import { defineScripts, type ScriptClient } from './scripts.js';

/** Long enough for a Redis that restarts, short enough for a person who waits. */
const DEADLINE_MS = 2_500;
const LONGEST_RETRY_MS = 500;
const BETWEEN_TRIES_MS = 20;

export interface Ask {
  /** For the reply; a connection is waited for no longer than usual. */
  readonly deadlineMs?: number;
  /** Whether the command may be sent again after its reply was lost; true unless said otherwise. */
  readonly repeat?: boolean;
}

export class Connection {
  private readonly client: ScriptClient;
  private readonly waiting = new Set<() => void>();
  private lastProblem: Error | undefined;
  private failedGreeting: Error | undefined;
  private refused = false;
  private closing = false;
  private ending = false;

  /**
   * @param name of the connection in CLIENT LIST
   * @param onLost called on each loss and each failed try to reconnect
   */
  constructor(
    readonly address: RedisAddress,
    name: string,
    private readonly onLost: () => void = () => {},
  ) {
    const client = new Redis(this.options(name));
    client.on('error', (error: Error) => this.problem(error));
    client.on('ready', () => this.ready());
    client.on('close', () => this.lost());
    this.client = defineScripts(client);
  }

  /** Whether Redis can be asked now, and answered the last time. */
  get connected(): boolean {
    return this.usable && !this.refused && !this.closing;
  }

  /** Called on each (re)connection. */
  onReady(listener: () => void): void {
    this.client.on('ready', listener);
  }

  onClose(listener: () => void): void {
    this.client.on('close', listener);
  }

  onMessage(listener: (message: string) => void): void {
    this.client.on('message', (_channel: string, message: string) => listener(message));
  }

  /** Connects; unlike {@link ask}, gives up at the first refusal. */
  async open(): Promise<void> {
    try {
      await withDeadline(this.client.connect(), DEADLINE_MS, () => this.silence());
      if (this.failedGreeting !== undefined) throw this.failedGreeting;
    } catch (error) {
      throw storeError(error, this.address.text, this.lastProblem);
    }
  }

  /**
   * Sends what `command` sends and awaits the reply.
   *
   * @throws STORE_UNAVAILABLE after the deadline, or what storeError makes of Redis's refusal
   */
  async ask<T>(command: (client: ScriptClient) => Promise<T>, how: Ask = {}): Promise<T> {
    const until = performance.now() + (how.deadlineMs ?? DEADLINE_MS);
    for (;;) {
      try {
        await this.untilReady(Math.min(until, performance.now() + DEADLINE_MS));
        const reply = await withDeadline(command(this.client), until - performance.now(), () => this.silence());
        this.refused = false;
        return reply;
      } catch (error) {
        const again = isPassing(error) || (how.repeat !== false && isLost(error) && !(error instanceof LostReply));
        if (again && !this.closing && performance.now() < until) {
          await setTimeout(BETWEEN_TRIES_MS);
          continue;
        }
        const known = storeError(error, this.address.text, this.lastProblem);
        if (known.code === 'STORE_UNAVAILABLE') this.refused = true;
        throw known;
      }
    }
  }

  /** Leaves no connection behind; Redis has taken note of it when this resolves, if it answers at all. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const wake of this.waiting) wake();
    if (this.client.status === 'ready') {
      await withDeadline(this.client.quit(), 1_000, () => new LostReply('')).catch(ignoreLostReply);
    }
    this.client.disconnect();
  }

  /** Expects Redis to end the connection: no reconnecting from now on. */
  expectEnd(): void {
    this.ending = true;
  }

  private options(name: string): RedisOptions & { readonly replyMapping: 'legacy' } {
    const { host, port, path, username, password, db, tls } = this.address;
    return {
      ...(path === undefined ? { host: host!, port: port! } : { path }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: {} } : {}),
      db,
      protocol: 2,
      replyMapping: 'legacy',
      lazyConnect: true,
      connectionName: name,
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      connectTimeout: DEADLINE_MS - 500,
      disconnectTimeout: 100,
      retryStrategy: (times) =>
        this.closing || this.ending ? null : Math.min(25 * 2 ** (times - 1), LONGEST_RETRY_MS),
    };
  }

  /** ioredis goes on after a failed SELECT, in another database than the one that was asked for; we do not. */
  private problem(error: Error): void {
    this.lastProblem = error;
    if (this.client.status === 'connect') this.failedGreeting = error;
  }

  private ready(): void {
    if (this.failedGreeting !== undefined) return;
    this.lastProblem = undefined;
    this.refused = false;
    for (const wake of this.waiting) wake();
  }

  private lost(): void {
    this.failedGreeting = undefined;
    if (!this.closing && !this.ending) this.onLost();
  }

  private get usable(): boolean {
    return this.client.status === 'ready' && this.failedGreeting === undefined;
  }

  private async untilReady(until: number): Promise<void> {
    if (this.closing) throw shuttingDown(`the store at ${this.address.text} has been closed`);
    if (this.usable) return;
    if (this.failedGreeting !== undefined) throw this.failedGreeting;
    if (this.client.status === 'wait' || this.client.status === 'end') this.client.connect().catch(ignoreLostReply);
    let wake = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.waiting.add(wake);
    try {
      await withDeadline(woken, until - performance.now(), () => this.unreachable());
    } finally {
      this.waiting.delete(wake);
    }
    if (this.closing) throw shuttingDown(`the store at ${this.address.text} has been closed`);
  }

  private unreachable(): Error {
    // Connected, and the greeting is not answered: only a new connection finds out whether anybody is still there.
    if (this.client.status === 'connect') return this.silence();
    return storeError(new Error('Connection is closed.'), this.address.text, this.lastProblem);
  }

  /** Redis keeps a connection open and does not answer on it. */
  private silence(): Error {
    this.client.disconnect(true);
    return new LostReply(`Redis at ${this.address.text} does not answer (no reply in time)`);
  }
}

/** The replies of a pipeline; the first error of any is thrown. */
export async function replies(pipeline: { exec(): Promise<[Error | null, unknown][] | null> }): Promise<unknown[]> {
  const results = await pipeline.exec();
  if (results === null) throw storeUnavailable('Redis gave up a pipeline');
  return results.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

function ignoreLostReply(): void {
  // Nothing to do: 'error' and 'close' have told why, and the connection is given up or tried again anyway.
}

/**
 * `work`, or the error of `onExpiry` once `ms` have passed.
 *
 * When the time is up, what the socket has already received is read first: after a long computation in this thread the
 * timer is due before the reply that came meanwhile.
 */
async function withDeadline<T>(work: Promise<T>, ms: number, onExpiry: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    const expire = () => reject(onExpiry());
    timer = globalThis.setTimeout(
      () => {
        setImmediate(() => {
          if (timer !== undefined) timer = globalThis.setTimeout(expire, 20);
        });
      },
      Math.max(0, ms),
    );
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
    timer = undefined;
  }
}
