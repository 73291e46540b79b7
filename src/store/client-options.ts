/** What ioredis is told for one connection. Its own queue, resending and pub/sub renewal are off: see connection.ts. */
import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from './address.js';

/** With several Sentinels to ask and then the primary, each has a part of a call's time. */
const SENTINEL_CONNECT_MS = 800;
const SENTINEL_REPLY_MS = 500;

export interface ClientSettings {
  readonly name: string;
  readonly connectMs: number;
  /** Milliseconds until the next try; null to give up. */
  readonly retry: (times: number) => number | null;
}

export type ClientOptions = RedisOptions & { readonly replyMapping: 'legacy' };

export function clientOptions(address: RedisAddress, { name, connectMs, retry }: ClientSettings): ClientOptions {
  const { username, password, db } = address;
  return {
    ...placeOf(address, retry),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: { ...address.certificates } } : {}),
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
    connectTimeout: address.sentinel === undefined ? connectMs : SENTINEL_CONNECT_MS,
    disconnectTimeout: 100,
    retryStrategy: retry,
  };
}

function placeOf(address: RedisAddress, retry: ClientSettings['retry']): RedisOptions {
  const { host, port, path, sentinel } = address;
  if (sentinel === undefined) return path === undefined ? { host: host!, port: port! } : { path };
  return {
    sentinels: [...sentinel.endpoints],
    name: sentinel.primary,
    role: 'master',
    // The list in the address is the whole list: what Sentinels call each other need not be reachable from here.
    updateSentinels: false,
    sentinelRetryStrategy: retry,
    sentinelCommandTimeout: SENTINEL_REPLY_MS,
    enableTLSForSentinelMode: address.tls,
    ...(address.tls ? { sentinelTLS: { ...address.certificates } } : {}),
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
  };
}
