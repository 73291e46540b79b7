/** What Sentinels say of a primary. */
import { Redis } from 'ioredis';
import type { RedisAddress } from './address.js';

const REPLY_MS = 800;

/** Whether most of the Sentinels of the address hold the Redis of this run id for the primary, and for one that is up. */
export async function sentinelsAgree(address: RedisAddress, runId: string): Promise<boolean> {
  const endpoints = address.sentinel?.endpoints ?? [];
  const answers = await Promise.all(endpoints.map((endpoint) => names(address, endpoint, runId)));
  return answers.filter(Boolean).length > endpoints.length / 2;
}

async function names(address: RedisAddress, endpoint: { host: string; port: number }, runId: string): Promise<boolean> {
  const { primary, username, password } = address.sentinel!;
  const client = new Redis({
    ...endpoint,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: { ...address.certificates } } : {}),
    protocol: 2,
    disableClientInfo: true,
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: REPLY_MS,
    commandTimeout: REPLY_MS,
  });
  client.on('error', () => {});
  try {
    const reply: unknown = await client.call('SENTINEL', 'MASTER', primary);
    const texts = Array.isArray(reply) ? reply.map(String) : [];
    const fields = new Map(texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1]] as const] : [])));
    return fields.get('runid') === runId && fields.get('flags') === 'master';
  } catch {
    // One that cannot be asked does not agree.
    return false;
  } finally {
    client.disconnect();
  }
}
