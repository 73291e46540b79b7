/** Bytes that are not whole in memory: what is as large as a model travels in pieces. */
import { createHash } from 'node:crypto';

export interface ByteStream {
  readonly sizeBytes: number;
  /** From the first byte on, each time it is called; pieces of any size. */
  parts(): AsyncIterable<Uint8Array>;
}

/** What is in memory already. */
export function streamOf(...pieces: readonly Uint8Array[]): ByteStream {
  return {
    sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0),
    async *parts() {
      yield* pieces;
    },
  };
}

export const asStream = (bytes: Uint8Array | ByteStream): ByteStream =>
  bytes instanceof Uint8Array ? streamOf(bytes) : bytes;

/** One stream behind the other. */
export function joined(...streams: readonly ByteStream[]): ByteStream {
  return {
    sizeBytes: streams.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    async *parts() {
      for (const stream of streams) yield* stream.parts();
    },
  };
}

/** The same bytes in pieces of `pieceBytes`, the last one shorter; a piece that is so already is not copied. */
export async function* inPieces(parts: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Uint8Array> {
  let piece: Buffer | undefined,
    filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      if (piece === undefined && part.length - at >= pieceBytes) {
        yield part.subarray(at, at + pieceBytes);
        at += pieceBytes;
        continue;
      }
      piece ??= Buffer.allocUnsafeSlow(pieceBytes);
      const taken = Math.min(pieceBytes - filled, part.length - at);
      piece.set(part.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = undefined;
      filled = 0;
    }
  }
  if (piece !== undefined) yield piece.subarray(0, filled);
}

/** @throws RangeError where the stream has more or fewer bytes than it says */
export async function wholeOf({ sizeBytes, parts }: ByteStream): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let at = 0;
  for await (const part of parts()) {
    bytes.set(part, at);
    at += part.length;
  }
  if (at !== sizeBytes) throw new RangeError(`${at} bytes came where ${sizeBytes} were announced`);
  return bytes;
}

/** Hashing takes no more bytes at once than fit into a signed 32-bit number. */
const HASHED_AT_ONCE = 1 << 30;

/** Lowercase hex SHA-256, of any number of bytes. */
export function digestOf(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE) hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
  return hash.digest('hex');
}
