/**
 * Sees to it that what a change wrote stays: keys cannot vanish, and a failover does not lose what was acknowledged.
 *
 * Replication is asynchronous, so that a primary that dies takes with it what no replica has yet. A change is therefore
 * done when a replica has it (WAIT). Where no replica is connected there is nothing to wait for, and refusing would turn
 * the loss of a replica into the loss of the registry; but a primary that was deposed while it was away is alone too, so
 * those who know are asked first: the Sentinels, or the other nodes of the cluster.
 */
import type { Socket } from 'node:net';
import { type ParleyError, storeUnavailable } from '../errors.js';
import type { RedisAddress } from './address.js';
import type { ScriptClient } from './scripts.js';

/** What replicas are given to have a change. */
const CONFIRM_MS = 1_000;
const MARK_SECONDS = 60;

/** The Redis at the other end of a connection. */
export interface Peer {
  readonly runId: string;
  /** As the connection has them. */
  readonly host: string;
  readonly port: number;
}

/** Whether others hold this one for the primary. */
export type IsStillPrimary = (peer: Peer) => Promise<boolean>;

export interface DurabilityOptions {
  readonly isStillPrimary?: IsStillPrimary | undefined;
  readonly warn?: ((message: string) => void) | undefined;
}

export class Durability {
  /** For everything that {@link confirm} does. */
  static readonly DEADLINE_MS = CONFIRM_MS + 1_500;

  private warned = false;
  private hadReplica = false;

  constructor(
    private readonly address: RedisAddress,
    private readonly options: DurabilityOptions,
  ) {}

  /** @throws STORE_UNAVAILABLE where Redis may throw away what is stored in it */
  async check(redis: ScriptClient): Promise<void> {
    const policy = fieldsOf(await redis.info('memory')).get('maxmemory_policy') ?? '';
    if (!losesKeys(policy)) return;
    throw storeUnavailable(
      `Redis at ${this.address.text} may throw models away (its maxmemory-policy is ${policy}), so that nothing is stored in ` +
        'it; mend it with redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
    );
  }

  /** @throws an error as Redis's own refusal of writes, where this is no primary */
  async checkRole(redis: ScriptClient): Promise<void> {
    const role = fieldsOf(await redis.info('replication')).get('role');
    if (role !== 'master') throw new Error(`READONLY its role is ${role}`);
  }

  /**
   * Resolves when a replica has all that was written up to now, or there is none.
   *
   * @param key is written, so that there is something to wait for also where the change had been made before: since Redis
   *   7.2, WAIT waits for this connection's own last write
   * @param isSame whether `redis` still has the connection of the change
   */
  async confirm(redis: ScriptClient, key: string, isSame: () => boolean): Promise<void> {
    const replicas = onlineReplicas(fieldsOf(await redis.info('replication')));
    if (replicas === 0) return this.alone(redis, isSame);
    const [, confirmed] = await Promise.all([redis.set(key, '', 'EX', MARK_SECONDS), redis.wait(1, CONFIRM_MS)]);
    if (!isSame()) throw new Error('the connection was lost');
    if (confirmed < 1) throw new Error(`no replica confirmed it within ${CONFIRM_MS} ms`);
    this.warned = false;
    this.hadReplica = true;
  }

  /** @param cause why it was not confirmed */
  unconfirmed(cause: unknown): ParleyError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return storeUnavailable(
      `the change was written on the primary at ${this.address.text}, but it is not certain to outlive a failover (${why}); ` +
        'repeat the call',
      { cause },
    );
  }

  private async alone(redis: ScriptClient, isSame: () => boolean): Promise<void> {
    const { isStillPrimary, warn } = this.options;
    if (isStillPrimary !== undefined) {
      const { remoteAddress = '', remotePort = 0 } = redis.stream as Socket;
      const runId = fieldsOf(await redis.info('server')).get('run_id') ?? '';
      if (!(await isStillPrimary({ runId, host: remoteAddress, port: remotePort })))
        throw new Error('it has no replica, and others do not hold it for the primary');
      if (!isSame()) throw new Error('the connection was lost');
    }
    const isExpected = isStillPrimary !== undefined || this.hadReplica;
    if (this.warned || !isExpected) return;
    this.warned = true;
    warn?.(
      `Redis at ${this.address.text} has no replica connected: until one is, changes are kept by the primary alone`,
    );
  }
}

/** Under this policy, keys without an expiry may vanish; the volatile ones take uploads at most, which are repeated. */
export function losesKeys(policy: string): boolean {
  return policy.startsWith('allkeys-');
}

/** What INFO says, by field. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

/** One that is still being sent the whole of the data can confirm nothing. */
function onlineReplicas(replication: ReadonlyMap<string, string>): number {
  return [...replication].filter(([name, value]) => /^slave\d+$/.test(name) && /\bstate=online\b/.test(value)).length;
}
