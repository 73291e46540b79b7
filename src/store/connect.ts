/** Opening the store: a Redis of one's own by address, or else the embedded one of the data folder. */
import { setTimeout } from 'node:timers/promises';
import { ParleyError, storeUnavailable } from '../errors.js';
import type { CheckTypeFields } from '../model/store-port.js';
import { parseAddress } from './address.js';
import { type CertificateFiles, withCertificates } from './certificates.js';
import { EmbeddedRedis } from './embedded.js';
import { RedisStore, type RedisStoreOptions } from './redis-store.js';

const OLDEST_REDIS = [6, 2] as const;
/** A log of some gigabytes takes about so long. */
const LOADING_DEADLINE_MS = 300_000;
const BETWEEN_TRIES_MS = 100;

export interface OpenStore {
  /** As address.ts reads it; the embedded Redis where there is none. */
  readonly redisUrl?: string;
  /** For TLS to it. */
  readonly redisFiles?: CertificateFiles;
  /** Where the embedded Redis keeps its data; made if it is not there. */
  readonly dataFolder: string;
  /** Stands on every ledger line. */
  readonly environment?: string;
  /** Before every key; for tests that share one Redis. */
  readonly keyPrefix?: string;
  /** What fields of their types versions' records may have; any, when absent. */
  readonly checkTypeFields?: CheckTypeFields;
  /** Told of what an operator should know and no call fails of. */
  readonly warn?: (message: string) => void;
}

/**
 * Connects, and returns a store that answers.
 *
 * @throws INVALID_INPUT for an address or folder that cannot be right, STORE_UNAVAILABLE for a Redis that does not answer,
 *   or is older than 6.2
 */
export async function openStore(options: OpenStore): Promise<RedisStore> {
  return options.redisUrl === undefined ? openEmbedded(options) : openAddress(options.redisUrl, options);
}

async function openAddress(redisUrl: string, options: OpenStore): Promise<RedisStore> {
  const address = withCertificates(parseAddress(redisUrl), options.redisFiles ?? {});
  const store = new RedisStore({ connection: address, ...settingsOf(options) });
  return orClose(store, async () => {
    await store.open();
    await checkServer(store);
  });
}

async function openEmbedded(options: OpenStore): Promise<RedisStore> {
  const host = EmbeddedRedis.in(options.dataFolder);
  const store = new RedisStore({ connection: host.address, host, ...settingsOf(options) });
  return orClose(store, async () => {
    await host.join(() => store.open());
    await untilLoaded(store);
    await checkServer(store);
  });
}

async function orClose(store: RedisStore, open: () => Promise<void>): Promise<RedisStore> {
  try {
    await open();
    return store;
  } catch (error) {
    // The first error is the one to tell.
    await store.close().catch(() => {});
    throw error;
  }
}

async function untilLoaded(store: RedisStore): Promise<void> {
  const until = performance.now() + LOADING_DEADLINE_MS;
  for (;;) {
    try {
      return await store.ping();
    } catch (error) {
      const loading = error instanceof ParleyError && error.message.includes('loading');
      if (!loading || performance.now() > until) throw error;
      await setTimeout(BETWEEN_TRIES_MS);
    }
  }
}

async function checkServer(store: RedisStore): Promise<void> {
  await store.ping();
  const version = (await store.serverInfo()).get('redis_version') ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor >= OLDEST_REDIS[1])) return;
  throw storeUnavailable(
    `Redis at ${store.address.text} is version ${version}; Parley needs Redis ${OLDEST_REDIS.join('.')} or newer, or Valkey`,
  );
}

function settingsOf({
  environment,
  keyPrefix,
  checkTypeFields,
  warn,
}: OpenStore): Omit<RedisStoreOptions, 'connection' | 'host'> {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(checkTypeFields === undefined ? {} : { checkTypeFields }),
    ...(warn === undefined ? {} : { warn }),
  };
}
