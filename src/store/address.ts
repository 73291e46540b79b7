/** Where a Redis is: what a user writes after `--redis`, taken apart. */
import { invalidInput } from '../errors.js';

export interface RedisAddress {
  /** How messages name it; never holds the password. */
  readonly text: string;
  readonly host?: string;
  readonly port?: number;
  /** Of a Unix socket. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls: boolean;
}

const FORMS = 'redis://[user:password@]host[:port][/database], rediss://… for TLS, or the path of a Unix socket';

/** @throws INVALID_INPUT when `text` is none of the forms above */
export function parseAddress(text: string): RedisAddress {
  if (text.startsWith('/')) return socketAddress(text);
  if (text.startsWith('unix://')) return socketAddress(text.slice('unix://'.length));
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw invalidInput(`the Redis address cannot be read; expected ${FORMS}`, { cause });
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw invalidInput(`the Redis address starts with "${url.protocol}//"; expected ${FORMS}`);
  }
  if (url.hostname === '') throw invalidInput(`the Redis address names no host; expected ${FORMS}`);
  const db = databaseOf(url.pathname);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 6379 : Number(url.port);
  return {
    text: `${url.protocol}//${url.hostname}:${port}${db === 0 ? '' : `/${db}`}`,
    host,
    port,
    db,
    tls: url.protocol === 'rediss:',
    ...(url.username === '' ? {} : { username: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
  };
}

export function socketAddress(path: string): RedisAddress {
  if (!path.startsWith('/'))
    throw invalidInput(`the Redis socket "${path}" is not an absolute path; expected ${FORMS}`);
  return { text: `unix:${path}`, path, db: 0, tls: false };
}

function databaseOf(pathname: string): number {
  if (pathname === '' || pathname === '/') return 0;
  const digits = /^\/(\d{1,6})$/.exec(pathname);
  if (digits === null)
    throw invalidInput(`the Redis address ends in "${pathname}"; expected a database's number: ${FORMS}`);
  return Number(digits[1]);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalidInput('the user or password in the Redis address is not URL-encoded: write % as %25', { cause });
  }
}
