/** What Sentinels say of a primary, and why they say nothing. */
import { Redis } from 'ioredis';
import { type Endpoint, endpointText, type RedisAddress } from './address.js';
import type { Peer } from './durability.js';

const REPLY_MS = 800;

/**
 * Whether most of the Sentinels of the address hold this Redis for the primary, and for one that is up, and none of those
 * that can be asked does not: the one that leads a failover knows of it before the others do.
 */
export async function sentinelsAgree(address: RedisAddress, peer: Peer): Promise<boolean> {
  const endpoints = address.sentinel?.endpoints ?? [];
  const answers = await Promise.all(endpoints.map((endpoint) => names(address, endpoint, peer)));
  const agree = answers.filter((answer) => answer === true).length;
  return agree > endpoints.length / 2 && !answers.includes(false);
}

/** Why a Sentinel cannot be asked; ioredis says no more of it than that a connection was closed. */
export async function sentinelProblem(address: RedisAddress): Promise<Error | undefined> {
  for (const endpoint of address.sentinel?.endpoints ?? []) {
    try {
      await ask(address, endpoint);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return new Error(`failed to connect to sentinel ${endpointText(endpoint)} because ${why}`, { cause });
    }
  }
  return undefined;
}

/** @returns undefined where it cannot be asked */
async function names(
  address: RedisAddress,
  endpoint: Endpoint,
  { runId, host, port }: Peer,
): Promise<boolean | undefined> {
  try {
    const fields = await ask(address, endpoint);
    // For some seconds after a failover a Sentinel knows no more of the new primary than its place.
    const isIt = fields.get('runid')
      ? fields.get('runid') === runId
      : fields.get('ip') === host && fields.get('port') === String(port);
    return isIt && fields.get('flags') === 'master';
  } catch {
    return undefined;
  }
}

/** What the Sentinel knows of the primary, by field. */
async function ask(address: RedisAddress, endpoint: Endpoint): Promise<ReadonlyMap<string, string | undefined>> {
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
  let problem: Error | undefined;
  client.on('error', (error: Error) => {
    problem = error;
  });
  try {
    const reply: unknown = await client.call('SENTINEL', 'MASTER', primary);
    const texts = Array.isArray(reply) ? reply.map(String) : [];
    return new Map(texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1]] as const] : [])));
  } catch (error) {
    throw problem ?? error;
  } finally {
    client.disconnect();
  }
}
