/**
 * Settings: command-line flags, then the environment, then defaults. The only file that reads the environment.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { invalidInput } from './errors.js';

export const DEFAULT_PORT = 9090;
export const DEFAULT_HOST = '127.0.0.1';

const packageFile = new URL('../package.json', import.meta.url);

export const parleyVersion = (): string =>
  (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;

/** Every variable that Parley reads, with its meaning; `parley --help` prints it. */
export const ENVIRONMENT = {
  PARLEY_DATA_DIR: 'folder of the embedded Redis (default .parley in the working folder)',
  PARLEY_REDIS_URL:
    'a Redis of your own: redis://HOST:PORT, redis+sentinel://HOST:PORT,…/PRIMARY, redis+cluster://HOST:PORT,…, rediss… for TLS, or unix:///PATH',
  PARLEY_REDIS_CA: "PEM file of the CA that signed Redis's certificate",
  PARLEY_REDIS_CERT: 'PEM file of the certificate to show to Redis',
  PARLEY_REDIS_KEY: 'PEM file of its key',
  PARLEY_ENVIRONMENT: 'name of this environment, such as staging; stands on every line of the ledger',
  PARLEY_SERVER: 'the server that commands talk to, as HOST:PORT',
  PARLEY_TOKEN: 'the token that they show it',
  PARLEY_SERVER_TLS: 'true: it is reached over TLS',
  PARLEY_SERVER_CA: "PEM file of the CA that signed the server's certificate",
  PARLEY_SERVER_CERT: 'PEM file of the certificate to show to the server',
  PARLEY_SERVER_KEY: 'PEM file of its key',
  PARLEY_TLS_CERT: 'PEM file of the certificate that "parley serve" shows',
  PARLEY_TLS_KEY: 'PEM file of its key',
  PARLEY_TLS_CLIENT_CA: "PEM file of the CA that signed callers' certificates, which are asked for then",
  PARLEY_TOKENS: 'the file of tokens of "parley serve" and "parley token"',
  PARLEY_LOG_LEVEL: 'trace, debug, info, warn, error or silent',
  PARLEY_REQUIRE_CONTRACT: 'true: what has no contract is not put in production',
} as const;

export interface StoreSettings {
  readonly dataFolder: string;
  /** Absent: the embedded Redis. */
  readonly redisUrl?: string;
  /** PEM files for TLS to it. */
  readonly redisFiles?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Stands on every line of the ledger. */
  readonly environment?: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Absent: without TLS. Paths of PEM files. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** How commands reach a server. */
export interface ServerFlags {
  readonly server?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** How a server is protected. */
export interface ProtectionFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly tokens?: string;
}

export interface StoreFlags {
  readonly dataDir?: string;
  readonly redis?: string;
  readonly redisCa?: string;
  readonly redisCert?: string;
  readonly redisKey?: string;
}

export function storeSettings(flags: StoreFlags, environment: NodeJS.ProcessEnv = process.env): StoreSettings {
  const redisUrl = flags.redis ?? nonEmpty(environment.PARLEY_REDIS_URL);
  const name = nonEmpty(environment.PARLEY_ENVIRONMENT);
  return {
    dataFolder: resolve(flags.dataDir ?? nonEmpty(environment.PARLEY_DATA_DIR) ?? '.parley'),
    ...(redisUrl === undefined ? {} : { redisUrl, redisFiles: redisFiles(flags, environment) }),
    ...(name === undefined ? {} : { environment: name }),
  };
}

function redisFiles(flags: StoreFlags, environment: NodeJS.ProcessEnv): NonNullable<StoreSettings['redisFiles']> {
  const ca = flags.redisCa ?? nonEmpty(environment.PARLEY_REDIS_CA);
  const cert = flags.redisCert ?? nonEmpty(environment.PARLEY_REDIS_CERT);
  const key = flags.redisKey ?? nonEmpty(environment.PARLEY_REDIS_KEY);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The server named by a flag or the environment, if any. @throws ParleyError INVALID_INPUT */
export function serverAddress(
  flags: ServerFlags,
  environment: NodeJS.ProcessEnv = process.env,
): ServerAddress | undefined {
  const text = flags.server ?? nonEmpty(environment.PARLEY_SERVER);
  return text === undefined ? undefined : { ...parseAddress(text), ...serverTls(flags, environment) };
}

/** Any of the files means TLS. @throws ParleyError INVALID_INPUT where there is a certificate without its key */
export function serverTls(
  flags: ServerFlags,
  environment: NodeJS.ProcessEnv = process.env,
): Pick<ServerAddress, 'tls'> {
  const ca = flags.tlsCa ?? nonEmpty(environment.PARLEY_SERVER_CA);
  const cert = flags.tlsCert ?? nonEmpty(environment.PARLEY_SERVER_CERT);
  const key = flags.tlsKey ?? nonEmpty(environment.PARLEY_SERVER_KEY);
  if ((cert === undefined) !== (key === undefined))
    throw invalidInput(
      'a certificate to show to the server needs its key, and a key its certificate; give --tls-cert and --tls-key',
    );
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const isTls = flags.tls ?? yesOrNo('PARLEY_SERVER_TLS', environment);
  return isTls || Object.keys(files).length > 0 ? { tls: files } : {};
}

/** What `parley serve` protects itself with. @throws ParleyError INVALID_INPUT where one of certificate and key is missing */
export function protection(
  flags: ProtectionFlags,
  environment: NodeJS.ProcessEnv = process.env,
): {
  readonly tokensFile?: string;
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
} {
  const tokensFile = tokensFileOf(flags, environment);
  const cert = flags.tlsCert ?? nonEmpty(environment.PARLEY_TLS_CERT);
  const key = flags.tlsKey ?? nonEmpty(environment.PARLEY_TLS_KEY);
  const clientCa = flags.tlsClientCa ?? nonEmpty(environment.PARLEY_TLS_CLIENT_CA);
  const tokens = tokensFile === undefined ? {} : { tokensFile };
  if (cert !== undefined && key !== undefined)
    return { ...tokens, tls: { cert, key, ...(clientCa === undefined ? {} : { clientCa }) } };
  if (cert !== undefined || key !== undefined || clientCa !== undefined)
    throw invalidInput(
      'TLS needs a certificate and its key: give --tls-cert FILE and --tls-key FILE (docs/security.md)',
    );
  return tokens;
}

export function tokensFileOf(
  { tokens }: Pick<ProtectionFlags, 'tokens'>,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  return tokens ?? nonEmpty(environment.PARLEY_TOKENS);
}

export function token(flag: string | undefined, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return flag ?? nonEmpty(environment.PARLEY_TOKEN);
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export function logLevel(
  flag: string | undefined,
  fallback: string,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const level = flag ?? nonEmpty(environment.PARLEY_LOG_LEVEL) ?? fallback;
  if (!LOG_LEVELS.some((known) => known === level))
    throw invalidInput(`log level "${level}" is not known; it must be one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

/** @throws ParleyError INVALID_INPUT where the environment says neither yes nor no */
export function requireContract(flag: boolean | undefined, environment: NodeJS.ProcessEnv = process.env): boolean {
  return flag ?? yesOrNo('PARLEY_REQUIRE_CONTRACT', environment);
}

function yesOrNo(name: keyof typeof ENVIRONMENT, environment: NodeJS.ProcessEnv): boolean {
  const text = (nonEmpty(environment[name]) ?? 'false').toLowerCase();
  if (['true', '1', 'yes'].includes(text)) return true;
  if (['false', '0', 'no'].includes(text)) return false;
  throw invalidInput(`${name} is "${text}"; it must be true or false`);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** `2GiB`, `512M`, `1.5g`, `300000`: k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024. @returns bytes, if it is one */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?i?)b?$/i.exec(text.trim());
  const unit = SIZE_UNITS[match?.[2]?.toLowerCase() ?? 'none'];
  const bytes = match === null || unit === undefined ? 0 : Math.floor(Number(match[1]) * unit);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Half of the memory that this process may use; the rest is for calls, for Redis, and for what loading takes meanwhile. */
export function defaultMemoryLimit(): number {
  const constrained = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY) / 2);
}

/** Processes for heavy models: the serving process keeps a core where there is more than one. */
export const defaultLanes = (): number => Math.max(1, availableParallelism() - 1);

/** Who changes things from the command line: the operating system's user. */
export function actorName(environment: NodeJS.ProcessEnv = process.env): string {
  try {
    return userInfo().username;
  } catch {
    return nonEmpty(environment.USER) ?? 'unknown';
  }
}

/** `HOST:PORT`, `:PORT` or `[IPV6]:PORT`. @throws ParleyError INVALID_INPUT */
export function parseAddress(text: string): ServerAddress {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.port);
  if (match === null || port > 65_535)
    throw invalidInput(`"${text}" is not a server's address; write HOST:PORT, such as 127.0.0.1:${DEFAULT_PORT}`);
  return { host: match.groups!.six ?? (match.groups!.host || DEFAULT_HOST), port };
}

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
