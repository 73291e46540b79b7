/**
 * Bytes on their way into a registry, part by part: a few under way at a time, and those that no reply came for are sent
 * again, so that a connection that breaks costs the parts that were on it.
 */
import { setTimeout } from 'node:timers/promises';
import { ParleyError } from '../errors.js';
import type { RegistryPort } from '../model/registry-port.js';

const IN_FLIGHT = 4;
/** How long a registry may stay away. */
const PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 50,
  LONGEST_PAUSE_MS = 1_000;

/** What can be read at any place. */
export interface Source {
  readonly sizeBytes: number;
  part(offset: number, length: number): Promise<Uint8Array> | Uint8Array;
}

export const sourceOf = (bytes: Uint8Array): Source => ({
  sizeBytes: bytes.length,
  part: (offset, length) => bytes.subarray(offset, offset + length),
});

export interface SendOptions {
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Told after each part. */
  onProgress?(sentBytes: number, sizeBytes: number): void;
}

/** @returns the upload's id */
export async function sendUpload(
  registry: Pick<RegistryPort, 'beginUpload' | 'uploadPart'>,
  model: string,
  source: Source,
  options: SendOptions = {},
): Promise<string> {
  const { sizeBytes } = source;
  const { uploadId, partBytes } = await registry.beginUpload(model, sizeBytes);
  let next = 0,
    sentBytes = 0,
    failed = false;
  const lane = async () => {
    while (next < sizeBytes && !failed) {
      const offset = next;
      next += partBytes;
      const part = await source.part(offset, Math.min(partBytes, sizeBytes - offset));
      await patiently(() => registry.uploadPart(uploadId, offset, part), options.signal);
      sentBytes += part.length;
      options.onProgress?.(sentBytes, sizeBytes);
    }
  };
  const lanes = Array.from({ length: IN_FLIGHT }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(lanes);
  return uploadId;
}

/** Calls again what may be called twice, while the registry is away. */
export async function patiently<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  let until: number | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      until ??= performance.now() + PATIENCE_MS;
      if (!isAway(error) || performance.now() > until) throw error;
      await setTimeout(pauseMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}

const AWAY: readonly string[] = ['STORE_UNAVAILABLE', 'OVERLOADED', 'DEADLINE_EXCEEDED', 'SHUTTING_DOWN'];

const isAway = (error: unknown): boolean => error instanceof ParleyError && AWAY.includes(error.code);
