/** Checks of Redis: the program for the embedded one, and the store as commands open it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreSettings } from '../config.js';
import { ParleyError } from '../errors.js';
import { openStore } from '../store/connect.js';
import { fieldsOf, losesKeys } from '../store/durability.js';
import { linkTo } from '../store/open-link.js';
import type { RedisStore } from '../store/redis-store.js';
import { failed, isAtLeast, type Outcome, ok, oneLine, versionText, warning } from './doctor-check.js';

const OLDEST_REDIS = [6, 2] as const;
/** The store's for commands, and ours to look behind it. */
const OWN_CONNECTIONS = 2;
const KEEP_KEYS = 'CONFIG SET maxmemory-policy noeviction';
const INSTALL =
  'install one (Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; macOS: brew install redis), or use a Redis that runs elsewhere: --redis redis://HOST:6379';

/** The programs as the embedded Redis looks for them, in that order. */
export async function checkRedisServer({ redisUrl }: StoreSettings): Promise<Outcome> {
  if (redisUrl !== undefined) return ok('not needed with a Redis of your own');
  for (const program of ['redis-server', 'valkey-server']) {
    const text = await versionText(program, '--version');
    if (text !== undefined) return judgeServer(program, text);
  }
  return failed('neither redis-server nor valkey-server is on PATH', INSTALL);
}

/** @param text `Redis server v=7.0.15 sha=…`; Valkey's, of whatever version, is new enough */
export function judgeServer(program: string, text: string): Outcome {
  const version = /\bv=([\d.]+)/.exec(text)?.[1];
  if (version === undefined)
    return warning(
      `${program} says "${text.slice(0, 60)}" of its version`,
      `see that it is Redis ${OLDEST_REDIS.join('.')} or newer, or Valkey`,
    );
  if (isAtLeast(version, OLDEST_REDIS)) return ok(`${program} ${version}`);
  return failed(
    `${program} ${version} is too old; Redis ${OLDEST_REDIS.join('.')} or newer is needed, or Valkey`,
    INSTALL,
  );
}

/** @param server what {@link checkRedisServer} finds; without one there is no embedded Redis to try */
export async function checkStore(settings: StoreSettings, server: Promise<Outcome>): Promise<Outcome> {
  if (((await server.catch(() => undefined))?.status ?? 'failed') === 'failed')
    return failed('not tried without a Redis server', 'mend that first');
  try {
    return settings.redisUrl === undefined
      ? await checkEmbedded(settings)
      : await lookAt(settings, (store, seen) => judgeOwn(store.address.text, seen));
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    return failed(
      oneLine(error),
      settings.redisUrl === undefined
        ? 'see the message; the log is redis/redis.log in the data folder'
        : 'see that Redis runs there, and that address, user and password are right',
    );
  }
}

/** An embedded Redis is shared with whoever uses it; where nobody does, the last to leave stops it, and that is us. */
async function checkEmbedded(settings: StoreSettings): Promise<Outcome> {
  if (!existsSync(join(settings.dataFolder, 'redis'))) return tryElsewhere();
  return lookAt(settings, (_, seen) => {
    const use = seen.clients > OWN_CONNECTIONS ? 'running and in use' : 'at rest: it was used for this check alone';
    return ok(`embedded ${seen.name} in ${settings.dataFolder}, ${use}`);
  });
}

/** Where nothing is stored yet, nothing is made: the trial runs in a folder that is gone afterwards. */
async function tryElsewhere(): Promise<Outcome> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'parley-doctor-'));
  const remove = () => rmSync(dataFolder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await lookAt({ dataFolder }, (_, seen) =>
      ok(`an embedded ${seen.name} starts and stops; the first command that stores something makes one`),
    );
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

export interface Seen {
  /** With its version. */
  readonly name: string;
  readonly clients: number;
  readonly policy: string;
  readonly isAppendOnly: boolean;
}

async function lookAt(settings: StoreSettings, judge: (store: RedisStore, seen: Seen) => Outcome): Promise<Outcome> {
  const store = await openStore(settings);
  try {
    return judge(store, await seenAt(store));
  } finally {
    await store.close();
  }
}

async function seenAt(store: RedisStore): Promise<Seen> {
  const link = linkTo(store.address, `doctor:${process.pid}`);
  try {
    await link.open();
    const primaries = await link.askPrimaries((redis) => redis.info());
    return primaries.map(({ reply }) => seenIn(fieldsOf(reply))).reduce(worse);
  } finally {
    await link.close();
  }
}

function seenIn(fields: ReadonlyMap<string, string>): Seen {
  const valkey = fields.get('valkey_version');
  return {
    name: valkey === undefined ? `Redis ${fields.get('redis_version') ?? 'of unknown version'}` : `Valkey ${valkey}`,
    clients: Number(fields.get('connected_clients') ?? 0),
    policy: fields.get('maxmemory_policy') ?? 'unknown',
    isAppendOnly: fields.get('aof_enabled') === '1',
  };
}

/** Of the primaries of a cluster, each must keep what it has. */
function worse(one: Seen, other: Seen): Seen {
  const rank = ({ policy }: Seen) => (losesKeys(policy) ? 2 : policy === 'noeviction' ? 0 : 1);
  const isAppendOnly = one.isAppendOnly && other.isAppendOnly;
  return { ...(rank(other) > rank(one) ? other : one), clients: one.clients, isAppendOnly };
}

/** A Redis of one's own: it must not throw models away, and should keep them over a crash. */
export function judgeOwn(address: string, { name, policy, isAppendOnly }: Seen): Outcome {
  const answers = `${name} at ${address} answers`;
  if (losesKeys(policy)) {
    return failed(
      `${answers}, but its policy is ${policy}: it may throw models away, so that nothing is stored in it`,
      `${KEEP_KEYS} with redis-cli, and the same in redis.conf`,
    );
  }
  const wrong: string[] = [];
  const mends: string[] = [];
  if (policy !== 'noeviction') {
    wrong.push(`its policy is ${policy}, so that it may throw uploads away`);
    mends.push(KEEP_KEYS);
  }
  if (!isAppendOnly) {
    wrong.push('its append-only file is off, so that a crash may lose what was published last');
    mends.push('CONFIG SET appendonly yes');
  }
  if (wrong.length === 0) return ok(`${answers}, keeps everything (noeviction, append-only)`);
  return warning(
    `${answers}, but ${wrong.join(', and ')}`,
    `${mends.join(' and ')} with redis-cli, and the same in redis.conf`,
  );
}
