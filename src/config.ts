/**
 * Settings: command-line flags, then the environment, then defaults. The only file that reads the environment.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { invalidInput } from './errors.js';

export const DEFAULT_PORT = 9090;
export const DEFAULT_HOST = '127.0.0.1';

/** Every variable that Parley reads, with its meaning; `parley --help` prints it. */
export const ENVIRONMENT = {
  PARLEY_DATA_DIR: 'folder of the embedded Redis (default .parley in the working folder)',
  PARLEY_REDIS_URL: 'a Redis of your own, as redis://HOST:PORT, rediss://… or unix:///PATH',
  PARLEY_ENVIRONMENT: 'name of this environment, such as staging; stands on every line of the ledger',
  PARLEY_SERVER: 'the server that commands talk to, as HOST:PORT',
  PARLEY_TOKEN: 'the token that they show it',
  PARLEY_LOG_LEVEL: 'trace, debug, info, warn, error or silent',
} as const;

export interface StoreSettings {
  readonly dataFolder: string;
  /** Absent: the embedded Redis. */
  readonly redisUrl?: string;
  /** Stands on every line of the ledger. */
  readonly environment?: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface StoreFlags {
  readonly dataDir?: string;
  readonly redis?: string;
}

export function storeSettings(flags: StoreFlags, environment: NodeJS.ProcessEnv = process.env): StoreSettings {
  const redisUrl = flags.redis ?? nonEmpty(environment.PARLEY_REDIS_URL);
  const name = nonEmpty(environment.PARLEY_ENVIRONMENT);
  return {
    dataFolder: resolve(flags.dataDir ?? nonEmpty(environment.PARLEY_DATA_DIR) ?? '.parley'),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(name === undefined ? {} : { environment: name }),
  };
}

/** The server named by a flag or the environment, if any. @throws ParleyError INVALID_INPUT */
export function serverAddress(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): ServerAddress | undefined {
  const text = flag ?? nonEmpty(environment.PARLEY_SERVER);
  return text === undefined ? undefined : parseAddress(text);
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
