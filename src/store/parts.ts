/** Large values as hashes of 1 MiB parts, so that no command is large and a few are always under way. */
import { createHash } from 'node:crypto';
import { modelBroken, storeUnavailable } from '../errors.js';
import { type ByteStream, inPieces } from '../model/byte-stream.js';
import { replies } from './connection.js';
import { randomId, type StoreContext } from './context.js';

export const PART_BYTES = 1024 * 1024;
export const PART_DEADLINE_MS = 30_000;

/** Parts that one reader or writer has under way, and therefore in memory. */
const IN_FLIGHT = 4;
const STAGING_SECONDS = 3600;

export function partCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / PART_BYTES);
}

export function partLength(part: number, sizeBytes: number): number {
  return Math.min(PART_BYTES, sizeBytes - part * PART_BYTES);
}

/**
 * Writes a stream to a hash that expires, lets `publish` take it over in one step, and leaves nothing behind.
 *
 * @param publish runs the script that renames the hash; is told the lowercase hex SHA-256 of what was written
 */
export async function withStaging<T>(
  context: StoreContext,
  model: string,
  bytes: ByteStream,
  publish: (stagingKey: string, digest: string) => Promise<T>,
): Promise<T> {
  const key = context.keys.staging(model, randomId());
  try {
    return await publish(key, await writeParts(context, key, bytes));
  } catch (error) {
    // Should this fail too, the hash expires by itself; the first error is the one to tell.
    await context.commands.ask((redis) => redis.unlink(key), { deadlineMs: 200 }).catch(() => {});
    throw error;
  }
}

/** @returns lowercase hex SHA-256 of what was written to the hash, which expires from its first part on */
export async function writeParts(
  context: StoreContext,
  key: string,
  bytes: ByteStream,
  keptSeconds = STAGING_SECONDS,
): Promise<string> {
  const hash = createHash('sha256');
  const underWay: Promise<unknown>[] = [];
  let parts = 0;
  try {
    for await (const piece of inPieces(bytes.parts(), PART_BYTES)) {
      const part = parts++;
      const value = asBuffer(piece);
      const written = context.bulk.ask(
        (redis) => replies(redis.multi().hset(key, String(part), value).expire(key, keptSeconds)),
        { deadlineMs: PART_DEADLINE_MS },
      );
      hash.update(value);
      underWay.push(handled(written));
      if (underWay.length >= IN_FLIGHT) await underWay.shift();
    }
    await Promise.all(underWay);
  } finally {
    // What is still under way where this fails must not come behind the removal of the hash.
    await Promise.allSettled(underWay);
  }
  return hash.digest('hex');
}

/**
 * The parts in order, a few of them read ahead.
 *
 * @throws MODEL_BROKEN, with `what` as the subject, when a part is missing or has another length
 */
export async function* readParts(
  context: StoreContext,
  key: string,
  sizeBytes: number,
  what: string,
): AsyncGenerator<Buffer> {
  const count = partCount(sizeBytes),
    ahead: Promise<Buffer | null>[] = [];
  const ask = (part: number) =>
    handled(context.bulk.ask((redis) => redis.hgetBuffer(key, String(part)), { deadlineMs: PART_DEADLINE_MS }));
  for (let part = 0; part < count; part++) {
    while (ahead.length < IN_FLIGHT && part + ahead.length < count) ahead.push(ask(part + ahead.length));
    const value = await ahead.shift();
    const expected = partLength(part, sizeBytes);
    if (value?.length !== expected) {
      const found = value == null ? 'is missing' : `has ${value.length} bytes instead of ${expected}`;
      throw modelBroken(`${what} is damaged: part ${part} of ${count} ${found}; publish it again`);
    }
    yield value;
  }
}

/** A view: ioredis would write any other array of bytes as text. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A script did not find what was staged for it. */
export function lostParts(what: string, found: string | number): Error {
  return storeUnavailable(`Redis lost parts of ${what} on the way (${found} were left); repeat the call`);
}

/** Awaited later, or never where something else fails first. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
