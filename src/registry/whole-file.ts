/** Files of the child's folder: written from a stream, read whole or as a stream. Of up to 4 GiB. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { hasErrno, storeUnavailable } from '../errors.js';
import type { ByteStream } from '../model/byte-stream.js';

const PIECE_BYTES = 1 << 20;
/** One read of the operating system is shorter than 2 GiB. */
const READ_AT_ONCE = 1 << 28;

/** @throws STORE_UNAVAILABLE where the disk is full */
export async function writeWhole(path: string, bytes: ByteStream): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const part of bytes.parts()) await writeAll(file, part);
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC')) throw error;
    throw storeUnavailable(
      `there is no room for ${bytes.sizeBytes} bytes in ${tmpdir()}, from where a version is rehearsed; free some, or set TMPDIR`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

export async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size; ) at += await readInto(file, bytes.subarray(at, at + READ_AT_ONCE), at);
    return bytes;
  } finally {
    await file.close();
  }
}

/** A file that stays as it is while it is read. */
export async function fileStream(path: string): Promise<ByteStream> {
  const file = await open(path);
  const { size } = await file.stat();
  await file.close();
  return { sizeBytes: size, parts: () => piecesOf(path) };
}

async function* piecesOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, size - at));
      at += await readInto(file, piece, at);
      yield piece;
    }
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
}

/** Fills `bytes` from `position` on. */
async function readInto(file: FileHandle, bytes: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0) throw new Error(`the file ended at byte ${position + filled}`);
    filled += bytesRead;
  }
  return filled;
}

/** Lowercase hex SHA-256 of a file behind `header`. */
export async function digestOfFile(path: string, header: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(header);
  for await (const piece of piecesOf(path)) hash.update(piece);
  return hash.digest('hex');
}
