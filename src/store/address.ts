/** Where a Redis is: what a user writes after `--redis`, taken apart. */
import { invalidInput, type ParleyError } from '../errors.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Sentinels, which say where the primary of this name is. */
export interface SentinelGroup {
  readonly endpoints: readonly Endpoint[];
  readonly primary: string;
  /** Of the Sentinels themselves; the address's own user and password are those of Redis. */
  readonly username?: string;
  readonly password?: string;
}

/** PEM texts for TLS. */
export interface Certificates {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Of one Redis by `host` and `port` or by `path`, or else of a `sentinel` group or a `cluster`. */
export interface RedisAddress {
  /** How messages name it; never holds the password. */
  readonly text: string;
  readonly host?: string;
  readonly port?: number;
  /** Of a Unix socket. */
  readonly path?: string;
  readonly sentinel?: SentinelGroup;
  /** Nodes to begin with; they name the others. */
  readonly cluster?: readonly Endpoint[];
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls: boolean;
  readonly certificates?: Certificates;
}

const FORMS =
  'redis://[user:password@]host[:port][/database], redis+sentinel://[user:password@]host[:port],…/primary[/database], ' +
  'redis+cluster://[user:password@]host[:port],…, the same with rediss for TLS, or the path of a Unix socket';
const GROUP = /^(rediss?)\+(sentinel|cluster):\/\/([^/?]*)([^?]*)(?:\?(.*))?$/s;
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;
const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

/** @throws INVALID_INPUT when `text` is none of the forms above */
export function parseAddress(text: string): RedisAddress {
  if (text.startsWith('/')) return socketAddress(text);
  if (text.startsWith('unix://')) return socketAddress(text.slice('unix://'.length));
  const group = GROUP.exec(text);
  return group === null ? singleAddress(text) : groupAddress(group);
}

export function socketAddress(path: string): RedisAddress {
  if (!path.startsWith('/'))
    throw invalidInput(`the Redis socket "${path}" is not an absolute path; expected ${FORMS}`);
  return { text: `unix:${path}`, path, db: 0, tls: false };
}

/** One node of a cluster, or the like: reached as `of` is, at another place. */
export function nodeAddress(of: RedisAddress, { host, port }: Endpoint): RedisAddress {
  const { sentinel: _sentinel, cluster: _cluster, ...rest } = of;
  return { ...rest, host, port, text: `${of.tls ? 'rediss' : 'redis'}://${endpointText({ host, port })}` };
}

export function endpointText({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function singleAddress(text: string): RedisAddress {
  const url = urlOf(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw wrong(`the Redis address starts with "${url.protocol}//"`);
  if (url.hostname === '') throw wrong('the Redis address names no host');
  if (url.pathname.includes('@')) throw unencoded();
  const db = databaseOf(url.pathname.slice(1));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  return {
    text: `${url.protocol}//${url.hostname}:${port}${db === 0 ? '' : `/${db}`}`,
    host,
    port,
    db,
    tls: url.protocol === 'rediss:',
    ...credentials(url.username, url.password),
  };
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // Not as a cause: it holds the address with its password.
    throw wrong('the Redis address cannot be read');
  }
}

/** Several hosts are more than a URL can name. */
function groupAddress([, scheme, kind, authority = '', path = '', query]: readonly string[]): RedisAddress {
  if (path.includes('@') || query?.includes('@')) throw unencoded();
  const at = authority.lastIndexOf('@');
  const [username = '', ...password] = at < 0 ? [] : authority.slice(0, at).split(':');
  const endpoints = endpointsOf(authority.slice(at + 1), kind === 'cluster' ? DEFAULT_PORT : DEFAULT_SENTINEL_PORT);
  const start = `${scheme}+${kind}://${endpoints.map(endpointText).join(',')}`;
  const common = { tls: scheme === 'rediss', ...credentials(username, password.join(':')) };
  if (kind === 'sentinel') return { ...common, ...sentinelOf(start, endpoints, path, query) };
  if (path !== '' && path !== '/')
    throw wrong('the address of the Redis cluster goes on after its hosts; a cluster has no databases');
  if (query !== undefined) throw wrong('the address of the Redis cluster has a "?"; nothing can follow it');
  return { ...common, text: start, cluster: endpoints, db: 0 };
}

function sentinelOf(start: string, endpoints: readonly Endpoint[], path: string, query: string | undefined) {
  const [primary = '', database = '', ...more] = path.slice(1).split('/').map(decode);
  if (primary === '') throw wrong("the address of the Sentinels does not end in the primary's name");
  if (more.length > 0) throw wrong("the address of the Sentinels goes on after the primary's name and the database");
  const db = databaseOf(database);
  const sentinel = { endpoints, primary, ...sentinelCredentials(query) };
  return { text: `${start}/${primary}${db === 0 ? '' : `/${db}`}`, sentinel, db };
}

function sentinelCredentials(query: string | undefined): { username?: string; password?: string } {
  const given = new URLSearchParams(query ?? '');
  for (const name of given.keys()) {
    if (name === 'sentinel-user' || name === 'sentinel-password') continue;
    throw wrong(
      'after the "?" of the address of the Sentinels only sentinel-user=… and sentinel-password=… are understood',
    );
  }
  const [username, password] = [given.get('sentinel-user'), given.get('sentinel-password')];
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

function endpointsOf(hosts: string, defaultPort: number): readonly Endpoint[] {
  if (hosts === '') throw wrong('the Redis address names no host');
  return hosts.split(',').map((text, i) => {
    const [, six, name, digits] = HOST.exec(text) ?? [];
    const port = digits === undefined ? defaultPort : Number(digits);
    // What was written is not told: it may be a part of a password that holds an @ or a comma.
    if ((six ?? name) === undefined || port < 1 || port > 65_535)
      throw wrong(`host ${i + 1} of the Redis address is not host[:port] (between hosts stands a comma)`);
    return { host: (six ?? name)!, port };
  });
}

function databaseOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw wrong(`the Redis address ends in "/${text}", which is not a database's number`);
  return Number(text);
}

function credentials(username: string, password: string): { username?: string; password?: string } {
  return {
    ...(username === '' ? {} : { username: decode(username) }),
    ...(password === '' ? {} : { password: decode(password) }),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidInput('the user or password in the Redis address is not URL-encoded: write % as %25');
  }
}

function unencoded(): ParleyError {
  return invalidInput(
    'the user or password in the Redis address is not URL-encoded: write / as %2F, ? as %3F, @ as %40 and % as %25',
  );
}

const wrong = (what: string): ParleyError => invalidInput(`${what}; expected ${FORMS}`);
