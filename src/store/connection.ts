/**
 * One named connection to Redis that comes back by itself: to one address, or to the primary that Sentinels name.
 *
 * No call waits longer than its deadline: while Redis is away, calls wait for it a moment and then fail with
 * STORE_UNAVAILABLE. A reply that was lost with the connection is asked for again where asking twice is harmless.
 * ioredis's own queue and its resending are off, because they would repeat changes and wait without a bound.
 */
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type ParleyError, shuttingDown, storeUnavailable } from '../errors.js';
import type { RedisAddress } from './address.js';
import { clientOptions } from './client-options.js';
import { withDeadline } from './deadline.js';
import { Durability, type IsStillPrimary, type Peer } from './durability.js';
import type { Ask, Command, Link, LinkEvents, QueueCommand } from './link.js';
import { isDemoted, isLost, isPassing, LostReply, storeError, Unreached, Unsent } from './redis-errors.js';
import { defineScripts, type ScriptClient } from './scripts.js';
import { sentinelProblem, sentinelsAgree } from './sentinels.js';

/** Long enough for a Redis that restarts, short enough for a person who waits. */
export const DEADLINE_MS = 2_500;
const LONGEST_RETRY_MS = 500;
export const BETWEEN_TRIES_MS = 20;

export interface ConnectionEvents extends LinkEvents {
  /** Of a node whose standing others know; Sentinels are asked without it. */
  readonly isStillPrimary?: IsStillPrimary;
}

export class Connection implements Link {
  private readonly client: ScriptClient;
  private readonly durability: Durability;
  private readonly waiting = new Set<() => void>();
  private readonly readyListeners: (() => void)[] = [];
  private lastProblem: Error | undefined;
  private failedGreeting: Error | undefined;
  /** Connected to whom we want: with Sentinels, to a Redis that says of itself that it is the primary. */
  private admitted = false;
  private refused = false;
  private closing = false;
  private ending = false;

  /** @param name of the connection in CLIENT LIST */
  constructor(
    readonly address: RedisAddress,
    name: string,
    private readonly events: ConnectionEvents = {},
  ) {
    const retry = (times: number) =>
      this.closing || this.ending ? null : Math.min(25 * 2 ** (times - 1), LONGEST_RETRY_MS);
    const client = new Redis(clientOptions(address, { name, connectMs: DEADLINE_MS - 500, retry }));
    client.on('error', (error: Error) => this.problem(error));
    client.on('sentinelError', (error: Error) => this.problem(error));
    client.on('ready', () => void this.ready());
    client.on('close', () => this.lost());
    this.client = defineScripts(client);
    const asked = address.sentinel === undefined ? undefined : (peer: Peer) => sentinelsAgree(address, peer);
    this.durability = new Durability(address, { isStillPrimary: events.isStillPrimary ?? asked, warn: events.warn });
  }

  get connected(): boolean {
    return this.usable && !this.refused && !this.closing;
  }

  /** Whether anything was ever asked here. */
  get used(): boolean {
    return this.client.status !== 'wait';
  }

  onReady(listener: () => void): void {
    this.readyListeners.push(listener);
  }

  onClose(listener: () => void): void {
    this.client.on('close', listener);
  }

  onMessage(listener: (message: string) => void): void {
    this.client.on('message', (_channel: string, message: string) => listener(message));
  }

  async open(): Promise<void> {
    try {
      await withDeadline(this.client.connect(), DEADLINE_MS, () => this.silence());
      if (this.failedGreeting !== undefined) throw this.failedGreeting;
      await this.untilReady(performance.now() + DEADLINE_MS);
    } catch (error) {
      if (this.address.sentinel !== undefined)
        this.lastProblem = (await sentinelProblem(this.address)) ?? this.lastProblem;
      throw storeError(rootOf(error), this.address.text, this.lastProblem);
    }
  }

  async ask<T>(command: Command<T>, how: Ask = {}): Promise<T> {
    const until = performance.now() + (how.deadlineMs ?? DEADLINE_MS);
    for (;;) {
      try {
        return await this.attempt(command, how, until);
      } catch (error) {
        if (!this.mayRepeat(error, how) || this.closing || performance.now() >= until) throw this.told(error);
        await setTimeout(BETWEEN_TRIES_MS);
      }
    }
  }

  /**
   * One try of {@link ask}, whose errors are for {@link told}: what Redis or ioredis said, or Unreached where nothing was sent.
   *
   * @param reachBy until when a connection is waited for
   */
  async attempt<T>(
    command: Command<T>,
    how: Ask,
    until: number,
    reachBy = performance.now() + DEADLINE_MS,
  ): Promise<T> {
    await this.untilReady(Math.min(until, reachBy));
    if (how.change !== undefined) await this.mayChange(until);
    const { stream } = this.client;
    const reply = await this.inTime(command(this.client), until);
    if (how.change !== undefined) await this.confirm(how.change, stream);
    this.refused = false;
    return reply;
  }

  /** The error to show for what {@link attempt} failed with. */
  told(error: unknown): ParleyError {
    const known = storeError(rootOf(error), this.address.text, this.lastProblem);
    if (known.code === 'STORE_UNAVAILABLE') this.refused = true;
    if (isDemoted(known.cause)) this.client.disconnect(true);
    return known;
  }

  async askEach(keys: readonly string[], queue: QueueCommand): Promise<readonly unknown[]> {
    if (keys.length === 0) return [];
    return this.ask((redis) => replies(queued(redis, keys, queue)));
  }

  async askPrimaries<T>(command: Command<T>): Promise<readonly { node: string; reply: T }[]> {
    return [{ node: this.address.text, reply: await this.ask(command) }];
  }

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const wake of this.waiting) wake();
    if (this.client.status === 'ready') {
      await withDeadline(this.client.quit(), 1_000, () => new LostReply('')).catch(ignoreLostReply);
    }
    this.client.disconnect();
  }

  expectEnd(): void {
    this.ending = true;
  }

  /** Nothing was sent where this fails, so that a lost reply here is no lost reply of the change. */
  private async mayChange(until: number): Promise<void> {
    try {
      await this.inTime(this.durability.check(this.client), until);
    } catch (error) {
      throw isLost(error) && !(error instanceof LostReply) ? new Unsent(error) : error;
    }
  }

  /** On the connection of the change itself: another one may lead to a Redis that never had it. */
  private async confirm(key: string, stream: unknown): Promise<void> {
    const unchanged = () => this.client.stream === stream && this.usable;
    try {
      await this.inTime(
        this.durability.confirm(this.client, key, unchanged),
        performance.now() + Durability.DEADLINE_MS,
      );
    } catch (error) {
      // Whoever is the primary now: with Sentinels, they are asked again.
      if (this.address.sentinel !== undefined) this.client.disconnect(true);
      throw this.durability.unconfirmed(error);
    }
  }

  private inTime<T>(work: Promise<T>, until: number): Promise<T> {
    return withDeadline(work, until - performance.now(), () => this.silence());
  }

  private mayRepeat(error: unknown, how: Ask): boolean {
    if (isPassing(error)) return true;
    if (this.address.sentinel !== undefined && isDemoted(error)) {
      this.client.disconnect(true);
      return true;
    }
    return how.repeat !== false && isLost(error) && !(error instanceof LostReply);
  }

  /** ioredis goes on after a failed SELECT, in another database than the one that was asked for; we do not. */
  private problem(error: Error): void {
    const summary = error.message.startsWith('All sentinels are unreachable');
    if (!summary || this.lastProblem === undefined) this.lastProblem = error;
    if (this.client.status === 'connect') this.failedGreeting = error;
  }

  private async ready(): Promise<void> {
    if (this.failedGreeting !== undefined) return;
    if (this.address.sentinel !== undefined && !(await this.isPrimary())) return;
    this.admitted = true;
    this.lastProblem = undefined;
    this.refused = false;
    for (const wake of this.waiting) wake();
    for (const listener of this.readyListeners) listener();
  }

  /** Sentinels may name a Redis that has just been demoted, or is not promoted yet. */
  private async isPrimary(): Promise<boolean> {
    const { stream } = this.client;
    try {
      await withDeadline(this.durability.checkRole(this.client), DEADLINE_MS, () => new LostReply(''));
      return this.client.stream === stream;
    } catch (error) {
      this.lastProblem = error as Error;
      if (this.client.stream === stream) this.client.disconnect(true);
      return false;
    }
  }

  private lost(): void {
    this.failedGreeting = undefined;
    this.admitted = false;
    if (!this.closing && !this.ending) this.events.onLost?.();
  }

  private get usable(): boolean {
    return this.client.status === 'ready' && this.admitted && this.failedGreeting === undefined;
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
      await withDeadline(woken, until - performance.now(), () => new Unreached(this.unreachable()));
    } finally {
      this.waiting.delete(wake);
    }
    if (this.closing) throw shuttingDown(`the store at ${this.address.text} has been closed`);
  }

  private unreachable(): ParleyError {
    // Connected, and the greeting is not answered: only a new connection finds out whether anybody is still there.
    const silent = this.client.status === 'connect';
    const error = silent ? this.silence() : new Error('Connection is closed.');
    return storeError(error, this.address.text, this.lastProblem);
  }

  /** Redis keeps a connection open and does not answer on it. */
  private silence(): Error {
    const reached = this.client.status === 'connect' || this.client.status === 'ready';
    this.client.disconnect(true);
    if (!reached && this.lastProblem !== undefined) return new Error('Connection is closed.');
    return new LostReply(`Redis at ${this.address.text} does not answer (no reply in time)`);
  }
}

/** A pipeline with the command of each key. */
export function queued(redis: ScriptClient, keys: readonly string[], queue: QueueCommand) {
  const pipeline = redis.pipeline();
  for (const key of keys) queue(pipeline, key);
  return pipeline;
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

function rootOf(error: unknown): unknown {
  if (error instanceof Unreached) return error.shown;
  return error instanceof Unsent ? error.cause : error;
}

function ignoreLostReply(): void {
  // Nothing to do: 'error' and 'close' have told why, and the connection is given up or tried again anyway.
}
