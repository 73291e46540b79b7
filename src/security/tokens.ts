/** Making tokens: 256 random bits behind a prefix by which scanners for leaked secrets know them. */
import { createHash, randomBytes } from 'node:crypto';
import { invalidInput } from '../errors.js';

const PREFIX = 'parley_';
const TOKEN_BYTES = 32;

export const newToken = (): string => `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;

/** What is kept of it: lowercase hex. */
export const sha256Of = (token: string): string => createHash('sha256').update(token).digest('hex');

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** A hundred years: what a date can be added to. */
const MOST_MS = 36_525 * 86_400_000;

/** `90d`, `12h`, `30m`, `4w`. @returns milliseconds @throws ParleyError INVALID_INPUT */
export function parseLifetime(text: string): number {
  const match = /^(\d{1,6})([mhdw])$/.exec(text);
  const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? 0);
  if (match === null || ms <= 0 || ms > MOST_MS)
    throw invalidInput(`"${text}" is no lifetime; write one such as 90d, 12h, 30m or 4w, a hundred years at most`);
  return ms;
}
