/** What goes wrong between us and Redis, as errors that say what to do. */
import { conflict, internal, ParleyError, storeUnavailable } from '../errors.js';

/** A command whose connection was lost, or that got no reply in time: whether it was carried out is not known. */
export class LostReply extends Error {
  override readonly name = 'LostReply';
}

/** No connection was there in time: nothing was sent. */
export class Unreached extends Error {
  override readonly name = 'Unreached';
  /** @param shown what to tell a user of it */
  constructor(readonly shown: ParleyError) {
    super(shown.message);
  }
}

/** What had to come before it was lost with the connection: it was not sent itself. */
export class Unsent extends Error {
  override readonly name = 'Unsent';
  constructor(override readonly cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

const CLIENT_CERTIFICATE =
  'wants to see a certificate, or another one; show one with --redis-cert FILE and --redis-key FILE';
const START_REDIS = 'start it, or look at it with `parley doctor`';

/** What a user of Redis must be allowed, for ACL SETUSER; cluster and asking are for a cluster. */
export const ACL_RULES =
  '~*parley:* &*parley:* +@read +@write +@connection +@transaction +@scripting +@pubsub -@dangerous +info +wait +time +cluster|slots +asking';

/** Refusals of a Redis that answers: the word that its error starts with (inside a script: contains) -> why, way out. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/\bLOADING\b/, 'is still loading its data; try again in a moment'],
  [
    /\bREADONLY\b/,
    'is a read-only replica; give the address of the primary, or that of its Sentinels (redis+sentinel://host:port,…/primary)',
  ],
  [/\bMOVED\b|\bASK\b/, 'is a node of a cluster; write its address as redis+cluster://host:port'],
  [/\bTRYAGAIN\b/, 'is a cluster that is moving these keys to another node; try again in a moment'],
  [/cluster support disabled/, 'is no cluster; write its address as redis://host:port'],
  [/got an invalid reply: null|No such master/, 'is not known to its Sentinels: none has a primary of that name'],
  [/\bOOM\b/, 'has no memory left (maxmemory) and refuses writes; raise its maxmemory'],
  [/\bMASTERDOWN\b/, 'is a replica that has lost its primary; give the address of the primary, or start it'],
  [/\bMISCONF\b/, 'cannot write to its disk and refuses writes; free disk space and look into its log'],
  [/\bNOREPLICAS\b/, 'has too few replicas connected and refuses writes; start them'],
  [/\bCLUSTERDOWN\b/, 'is a cluster of which a part is down; start the missing nodes'],
  [/\bBUSY\b/, "is busy with another program's script; wait, or end it with SCRIPT KILL"],
  [/max number of clients/, 'has no connection left; raise its maxclients, or end some of its clients'],
  [
    /to sentinel .*(NOAUTH|WRONGPASS|NOPERM|invalid password)/,
    'has Sentinels that want a password of their own, or another one; end the address in ?sentinel-user=…&sentinel-password=…',
  ],
  [
    /self-signed certificate|unable to (verify|get)|UNABLE_TO|unknown ca/i,
    'has a certificate that nobody vouches for whom this machine trusts; name the CA that signed it with --redis-ca FILE',
  ],
  [/alert certificate required|alert handshake failure/i, CLIENT_CERTIFICATE],
  [/does not match certificate's altnames/, 'has a certificate for another name; use the name that it is for'],
  [/\bNOAUTH\b/, 'wants a password; put it into the address: redis://:password@host:port'],
  [
    /\bWRONGPASS\b|invalid password/,
    'refuses the user or the password; correct the address: redis://user:password@host:port',
  ],
  [
    /\bNOPERM\b|user executing the script can't/,
    `does not let this user do that; grant it: ACL SETUSER name ${ACL_RULES}`,
  ],
  [
    /without any password configured|no password is set/,
    'has no password, and one was given; take it out of the address',
  ],
  [/DB index is out of range/, 'has no database of that number; correct the address'],
  [/unknown command/i, 'lacks a command; Redis 6.2 or newer, or Valkey, is needed'],
];

const LOST =
  /Connection is closed|writeable|max retries per request|aborted due to connection close|ETIMEDOUT|All sentinels are unreachable|timed out/;
const LOST_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EACCES',
  'EPERM',
  'ENOTSOCK',
  'ECONNABORTED',
  'EADDRNOTAVAIL',
  'EPROTO',
]);

/** Whether the connection is to blame, so that a later try may get through. */
export function isLost(error: unknown): boolean {
  if (error instanceof LostReply) return true;
  if (!(error instanceof Error)) return false;
  // A change that was made and not confirmed tells of what went wrong behind it.
  if (error instanceof ParleyError)
    return !(error.cause instanceof LostReply) && (isLost(error.cause) || isDemoted(error.cause));
  return LOST.test(error.message) || ('code' in error && typeof error.code === 'string' && LOST_CODES.has(error.code));
}

/** As Redis or ioredis said it. What we tell ourselves may quote them, and be of a change that was made. */
const isRaw = (error: unknown): error is Error => error instanceof Error && !(error instanceof ParleyError);

/** Whether the command has certainly not been carried out, and may be in a moment: never sent, or Redis is still loading. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unsent) return true;
  return isRaw(error) && /Stream isn't writeable|^LOADING/.test(error.message);
}

/** Whether the one that refused a write was the primary once, or is going to be: certainly not carried out. */
export function isDemoted(error: unknown): boolean {
  return isRaw(error) && /\bREADONLY\b|\bMASTERDOWN\b|^UNBLOCKED\b/.test(error.message);
}

/** Whether another node of a cluster has what was asked for, now or in a moment: certainly not carried out. */
export function isElsewhere(error: unknown): boolean {
  if (!isRaw(error)) return false;
  return /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|EXECABORT|LOADING)\b/.test(error.message) || isDemoted(error);
}

/** Where a slot of a cluster is for the one next command. */
export function askedNode(error: unknown): string | undefined {
  return error instanceof Error ? /^ASK \d+ (\S+)$/.exec(error.message)?.[1] : undefined;
}

/**
 * The error to show for whatever a Redis command failed with.
 *
 * @param address as messages name it
 * @param lastProblem what the connection met most recently: says more than "closed"
 */
export function storeError(error: unknown, address: string, lastProblem?: Error): ParleyError {
  if (error instanceof ParleyError) return error;
  const refusal = refusalOf(error, address);
  if (refusal !== undefined) return refusal;
  if (isLost(error)) return lostError(error, address, lastProblem);
  const message = messageOf(error);
  if (message.includes('WRONGTYPE')) return foreignKey(error, address);
  if (isProtocolError(error)) return notRedis(error, address);
  return internal(`Redis at ${address} answered with an error that Parley does not know: ${message}`, { cause: error });
}

/** A value at one of our keys that is not ours. */
export function foreignValue(key: string, address: string, expected: string, cause?: unknown): ParleyError {
  return conflict(
    `the Redis key ${key} at ${address} does not hold what Parley stores there (${expected}); another program seems to use ` +
      'it: give Parley a Redis or a database of its own, or delete the key if nobody needs it',
    { cause },
  );
}

function refusalOf(error: unknown, address: string): ParleyError | undefined {
  const message = messageOf(error);
  const row = REFUSALS.find(([pattern]) => pattern.test(message));
  return row && storeUnavailable(`Redis at ${address} ${row[1]}`, { cause: error });
}

function lostError(error: unknown, address: string, lastProblem: Error | undefined): ParleyError {
  if (lastProblem !== undefined) {
    const refusal = refusalOf(lastProblem, address);
    if (refusal !== undefined) return refusal;
    if (isProtocolError(lastProblem)) return notRedis(lastProblem, address);
    if (lastProblem instanceof ParleyError) return lastProblem;
  }
  if (error instanceof LostReply) {
    return storeUnavailable(`${error.message}; ${START_REDIS}`, { cause: error });
  }
  const why = lastProblem === undefined ? 'the connection was lost' : messageOf(lastProblem);
  // Redis refuses a client without a certificate after it has let it in.
  const closed = address.startsWith('rediss') && /ECONNRESET|EPIPE/.test(why);
  const hint = closed ? `${START_REDIS}; where it ${CLIENT_CERTIFICATE}` : START_REDIS;
  return storeUnavailable(`Redis at ${address} cannot be reached (${why}); ${hint}`, {
    cause: lastProblem ?? error,
  });
}

function notRedis(error: unknown, address: string): ParleyError {
  return storeUnavailable(
    `what listens at ${address} does not speak Redis's protocol; check host and port (Redis's usual port is 6379), and ` +
      'whether it wants TLS (rediss://)',
    { cause: error },
  );
}

function foreignKey(error: unknown, address: string): ParleyError {
  return foreignValue(`(one of: ${keysOf(error).join(', ')})`, address, 'a key of another type', error);
}

/** The keys that a failed command named; ioredis keeps the command with its error. */
function keysOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || !('command' in error)) return ['unknown'];
  const { name, args } = error.command as { name?: string; args?: readonly unknown[] };
  if (args === undefined) return ['unknown'];
  const texts = args.map(String);
  return name === 'eval' || name === 'evalsha' ? texts.slice(2, 2 + Number(texts[1])) : texts.slice(0, 1);
}

function isProtocolError(error: unknown): boolean {
  const message = messageOf(error);
  return /Protocol error|Please report this|unknown RESP type|wrong version number|packet length too long/i.test(
    message,
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a transaction, the refusal of its first command says why; a lost connection is its own previous error.
  if ('previousErrors' in error && Array.isArray(error.previousErrors)) {
    const first: unknown = error.previousErrors.find((each) => each !== error);
    if (first instanceof Error) return first.message;
  }
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error.message;
}
