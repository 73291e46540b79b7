/** Large values as hashes of 1 MiB parts, so that no command is large and a few are always under way. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { modelBroken, storeUnavailable } from '../errors.js';
import { replies } from './connection.js';
import { randomId, type StoreContext } from './context.js';

export const PART_BYTES = 1024 * 1024;

const IN_FLIGHT = 4;
const PART_DEADLINE_MS = 30_000;
const STAGING_SECONDS = 3600;

export function partCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / PART_BYTES);
}

/** Lowercase hex SHA-256; lets other work in between parts. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    hash.update(bytes.subarray(at, at + PART_BYTES));
    if (at + PART_BYTES < bytes.length) await setImmediate();
  }
  return hash.digest('hex');
}

/**
 * Writes `bytes` to a hash that expires, lets `publish` take it over in one step, and leaves nothing behind.
 *
 * @param publish runs the script that renames the hash; replies how many parts it found where some were lost
 */
export async function withStaging<T>(
  context: StoreContext,
  model: string,
  bytes: Uint8Array,
  publish: (stagingKey: string, parts: number) => Promise<T>,
): Promise<T> {
  const key = context.keys.staging(model, randomId());
  try {
    await writeParts(context, key, bytes);
    return await publish(key, partCount(bytes.length));
  } catch (error) {
    // Should this fail too, the hash expires by itself; the first error is the one to tell.
    await context.commands.ask((redis) => redis.unlink(key), { deadlineMs: 200 }).catch(() => {});
    throw error;
  }
}

async function writeParts(context: StoreContext, key: string, bytes: Uint8Array): Promise<void> {
  await eachPart(partCount(bytes.length), async (part) => {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset + part * PART_BYTES, partLength(part, bytes.length));
    await context.bulk.ask(
      (redis) => replies(redis.pipeline().hset(key, String(part), value).expire(key, STAGING_SECONDS)),
      { deadlineMs: PART_DEADLINE_MS },
    );
  });
}

/** @throws MODEL_BROKEN, with `what` as the subject, when a part is missing or has another length */
export async function readParts(context: StoreContext, key: string, sizeBytes: number, what: string): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  await eachPart(partCount(sizeBytes), async (part) => {
    (await readPart(context, key, part, sizeBytes, what)).copy(bytes, part * PART_BYTES);
  });
  return bytes;
}

/** One part after the other, some of them on their way. @throws MODEL_BROKEN as {@link readParts} does */
export async function* partsInOrder(
  context: StoreContext,
  key: string,
  sizeBytes: number,
  what: string,
): AsyncGenerator<Buffer> {
  const count = partCount(sizeBytes);
  const coming: Promise<Buffer>[] = [];
  for (let next = 0, part = 0; part < count; part++) {
    for (; next < Math.min(count, part + IN_FLIGHT); next++) {
      const read = readPart(context, key, next, sizeBytes, what);
      // It is told when its turn comes; until then nobody listens.
      read.catch(() => {});
      coming.push(read);
    }
    yield await coming.shift()!;
  }
}

async function readPart(context: StoreContext, key: string, part: number, sizeBytes: number, what: string) {
  const value = await context.bulk.ask((redis) => redis.hgetBuffer(key, String(part)), {
    deadlineMs: PART_DEADLINE_MS,
  });
  const expected = partLength(part, sizeBytes);
  if (value?.length === expected) return value;
  const found = value === null ? 'is missing' : `has ${value.length} bytes instead of ${expected}`;
  throw modelBroken(`${what} is damaged: part ${part} of ${partCount(sizeBytes)} ${found}; publish it again`);
}

/** A script did not find what was staged for it. */
export function lostParts(what: string, found: string | number): Error {
  return storeUnavailable(`Redis lost parts of ${what} on the way (${found} were left); repeat the call`);
}

export function partLength(part: number, sizeBytes: number): number {
  return Math.min(PART_BYTES, sizeBytes - part * PART_BYTES);
}

async function eachPart(count: number, work: (part: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count) }, lane));
}
