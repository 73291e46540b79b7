/**
 * Who calls, and may they? Tokens are known by their SHA-256 only.
 *
 * Hot path: a connection remembers the last token that it showed. While a call shows the same bytes, or none, they are
 * compared in constant time and nothing is hashed, looked up or made. What is hashed is looked up by its digest: how long
 * that takes tells something of the digest at most, and nothing of the 256 random bits behind it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type ParleyError, permissionDenied, unauthenticated } from '../errors.js';
import { Grant, noRefusals, type Refusals } from './grant.js';
import type { Needed, Role } from './roles.js';
import type { TokenRecord } from './token-file.js';

/** Longer ones are not hashed: nobody was given one. */
const MOST_TOKEN_BYTES = 512;
/** A connection is closed behind this many refused calls without one shown token that was right. */
export const MOST_REFUSALS = 100;

interface Entry {
  readonly grant: Grant;
  readonly digest: Buffer;
  readonly expiresMs: number;
}

/** A token that was right, as the connection that showed it remembers it. */
export class ShownToken {
  entry: Entry | undefined;
  generation = -1;

  constructor(private readonly bytes: Buffer) {}

  is(buffer: Buffer, at: number, length: number): boolean {
    return length === this.bytes.length && timingSafeEqual(buffer.subarray(at, at + length), this.bytes);
  }

  get digest(): Buffer {
    return digestOf(this.bytes);
  }
}

/** Part of every connection. */
export interface TokenHolder {
  shownToken: ShownToken | undefined;
  refusedCalls: number;
}

export class Access {
  readonly refusals: Refusals = noRefusals();
  readonly #stranger: Grant;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #nextExpiryMs = Number.POSITIVE_INFINITY;
  /** Grows whenever a token may have come to mean something else. */
  #generation = 0;

  /**
   * @param anonymous roles of callers without a token
   * @param asksForTokens false: there are none, and what is shown is not looked at
   */
  constructor(
    anonymous: readonly Role[],
    private readonly asksForTokens: boolean,
  ) {
    this.#stranger = new Grant('anonymous', anonymous, undefined, this.refusals);
  }

  /** From now on these tokens are right, and no others; also on open connections. */
  replace(tokens: readonly TokenRecord[]): void {
    const entries = new Map<string, Entry>();
    for (const { name, sha256, roles, models, expires } of tokens) {
      const digest = Buffer.from(sha256, 'hex'),
        grant = new Grant(name, roles, models === undefined ? undefined : new Set(models), this.refusals),
        expiresMs = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
      entries.set(keyOf(digest), { grant, digest, expiresMs });
    }
    this.#entries = entries;
    this.#lookAtTime();
  }

  /** To be called about once a second: what has expired since is noticed on every connection. */
  tick(): void {
    if (Date.now() >= this.#nextExpiryMs) this.#lookAtTime();
  }

  #lookAtTime(): void {
    const now = Date.now(),
      ahead = [...this.#entries.values()].map(({ expiresMs }) => expiresMs).filter((at) => at > now);
    this.#nextExpiryMs = Math.min(Number.POSITIVE_INFINITY, ...ahead);
    this.#generation++;
  }

  /**
   * Who calls and may do this.
   *
   * @param at where the shown token stands in `buffer`; a `length` of 0: none is shown
   * @throws ParleyError UNAUTHENTICATED, PERMISSION_DENIED
   */
  admit(holder: TokenHolder, buffer: Buffer, at: number, length: number, needed: Needed): Grant {
    const grant = this.identify(holder, buffer, at, length);
    if (needed.mask !== 0 && (grant.mask & needed.mask) === 0) throw this.#lacking(holder, grant, needed);
    return grant;
  }

  /** Who calls; a caller who has shown no token is a stranger. @throws ParleyError UNAUTHENTICATED for a token that is not right */
  identify(holder: TokenHolder, buffer: Buffer, at: number, length: number): Grant {
    if (!this.asksForTokens) return this.#stranger;
    let shown = holder.shownToken;
    if (length > 0 && !shown?.is(buffer, at, length)) shown = this.#firstShown(holder, buffer, at, length);
    if (shown === undefined) return this.#stranger;
    if (shown.generation !== this.#generation) this.#lookUp(holder, shown);
    return shown.entry!.grant;
  }

  /** Whether this connection has somebody to whom more can be told than that there is a server. */
  knows(holder: TokenHolder): boolean {
    return this.#stranger.mask !== 0 || holder.shownToken?.generation === this.#generation;
  }

  /** Whether whoever shows this may see what concerns every model. @throws ParleyError UNAUTHENTICATED, PERMISSION_DENIED */
  admitWatcher(token: string | undefined): void {
    const holder: TokenHolder = { shownToken: undefined, refusedCalls: 0 },
      bytes = Buffer.from(token ?? '');
    const grant = this.identify(holder, bytes, 0, bytes.length);
    if (grant.mask === 0)
      throw this.#lacking(holder, grant, { mask: 0, roles: [] }, 'show it as "Authorization: Bearer TOKEN"');
    grant.checkAllModels('what is shown here is of all models');
  }

  #firstShown(holder: TokenHolder, buffer: Buffer, at: number, length: number): ShownToken {
    holder.shownToken = undefined;
    if (length > MOST_TOKEN_BYTES) throw this.#refused(holder, 'unknown');
    const shown = new ShownToken(Buffer.from(buffer.subarray(at, at + length)));
    this.#lookUp(holder, shown);
    holder.shownToken = shown;
    holder.refusedCalls = 0;
    return shown;
  }

  #lookUp(holder: TokenHolder, shown: ShownToken): void {
    const { digest } = shown,
      entry = this.#entries.get(keyOf(digest));
    holder.shownToken = undefined;
    if (entry === undefined || !timingSafeEqual(digest, entry.digest)) throw this.#refused(holder, 'unknown');
    if (entry.expiresMs <= Date.now()) throw this.#refused(holder, 'expired');
    shown.entry = entry;
    shown.generation = this.#generation;
    holder.shownToken = shown;
  }

  #refused(holder: TokenHolder, reason: 'unknown' | 'expired'): ParleyError {
    this.refusals[reason]++;
    holder.refusedCalls++;
    return unauthenticated(
      reason === 'expired'
        ? 'the token has expired; ask for a new one ("parley token create")'
        : 'the token is not known to this server; it may have been revoked, or be another server\'s ("parley token list")',
    );
  }

  #lacking(holder: TokenHolder, grant: Grant, { roles }: Needed, way = IN_A_CALL): ParleyError {
    const role = roles.length === 0 ? 'any role' : `role ${roles.map((name) => `"${name}"`).join(' or ')}`;
    if (grant === this.#stranger) {
      this.refusals.missing++;
      holder.refusedCalls++;
      return unauthenticated(`this needs a token with ${role}; ${way}`);
    }
    this.refusals.role++;
    return permissionDenied(
      `this needs ${role}; token "${grant.name}" has ${grant.roles.map((name) => `"${name}"`).join(', ')}`,
    );
  }
}

const IN_A_CALL = 'put it into request.context.auth_token, or give --token or PARLEY_TOKEN';

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const keyOf = (digest: Buffer): string => digest.toString('latin1');
