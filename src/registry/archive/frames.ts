/**
 * The file that models move house in.
 *
 * ```
 * 8 bytes   'PARLEYA1'
 * frames    4 bytes length, unsigned, big-endian; then MessagePack: [kind, value]
 * ```
 *
 * | kind | value |
 * |---|---|
 * | `archive` | `{ models }`, the names of all that follow |
 * | `model` | everything of a model but bytes and ledger lines |
 * | `fixtures`, `version` | `{ digest, sizeBytes }`; its `bytes` follow |
 * | `bytes` | at most 1 MiB |
 * | `ledger` | some lines, oldest first |
 * | `model end` | `{ sha256 }` of all bytes of the file before this frame |
 * | `end` | `{ sha256 }`, likewise |
 *
 * Nothing of the time of writing is in it: the same state makes the same bytes.
 */
import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { invalidInput } from '../../errors.js';

/** What every archive begins with. */
export const MAGIC = Buffer.from('PARLEYA1');
/** Everything that is said of one model in one frame; bytes come in parts of 1 MiB. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

const packr = new Packr({ useRecords: false, variableMapSize: true });

export type Kind = 'archive' | 'model' | 'fixtures' | 'version' | 'bytes' | 'ledger' | 'model end' | 'end';

/** Makes frames; the digest is of all that it made. */
export class FrameWriter {
  readonly #hash = createHash('sha256');

  begin(): Buffer {
    this.#hash.update(MAGIC);
    return MAGIC;
  }

  frame(kind: Kind, value: unknown): Buffer {
    const packed = packr.pack([kind, value]);
    const frame = Buffer.allocUnsafe(4 + packed.length);
    frame.writeUInt32BE(packed.length);
    packed.copy(frame, 4);
    this.#hash.update(frame);
    return frame;
  }

  /** A frame that holds the digest of all before it. */
  seal(kind: 'model end' | 'end'): Buffer {
    return this.frame(kind, { sha256: this.#hash.copy().digest('hex') });
  }
}

export interface Frame {
  readonly kind: Kind;
  readonly value: unknown;
  /** SHA-256 of all bytes before this frame, lowercase hex; of sealing frames only. */
  readonly digestBefore?: string;
}

/**
 * Cuts a stream into frames.
 *
 * @throws ParleyError INVALID_INPUT where it is no archive or ends before its end
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const bytes = new ByteReader(source);
  try {
    yield* framesOf(bytes);
  } finally {
    await bytes.close();
  }
}

async function* framesOf(bytes: ByteReader): AsyncGenerator<Frame> {
  const hash = createHash('sha256');
  const magic = await bytes.take(MAGIC.length);
  if (!magic?.equals(MAGIC))
    throw invalidInput(
      magic === undefined
        ? 'the archive is empty or cut short in its first bytes'
        : 'this is no archive of Parley\'s: it does not begin with "PARLEYA1"; make one with "parley export MODEL > FILE"',
    );
  hash.update(magic);
  for (;;) {
    const head = await bytes.take(4);
    const length = head?.readUInt32BE();
    if (length !== undefined && length > MAX_FRAME_BYTES)
      throw invalidInput(`the archive is damaged: at byte ${bytes.offset - 4} it announces a piece of ${length} bytes`);
    const packed = length === undefined ? undefined : await bytes.take(length);
    if (head === undefined || packed === undefined)
      throw invalidInput(
        `the archive is cut short: it ends after ${bytes.received} bytes, in the middle of a piece; export it again`,
      );
    const { kind, value } = parse(packed, bytes.offset);
    const isSeal = kind === 'end' || kind === 'model end';
    yield { kind, value, ...(isSeal ? { digestBefore: hash.copy().digest('hex') } : {}) };
    hash.update(head).update(packed);
    if (kind === 'end') break;
  }
  if ((await bytes.take(1)) !== undefined) throw invalidInput('the archive has bytes after its end');
}

function parse(packed: Buffer, offset: number): { kind: Kind; value: unknown } {
  try {
    const [kind, value] = packr.unpack(packed) as [Kind, unknown];
    if (typeof kind === 'string') return { kind, value };
  } catch {
    // Told below, as any other value that is none of ours.
  }
  throw invalidInput(`the archive is damaged before byte ${offset}; export it again`);
}

/** Takes exactly as many bytes as are asked for, however the source cuts them. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #left: Buffer = Buffer.alloc(0);
  /** Bytes that have been taken. */
  offset = 0;
  /** Bytes that have come. */
  received = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The source is read no further. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** @returns undefined where the source ends before */
  async take(length: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > this.#left.length) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      this.received += next.value.length;
      pieces.push(this.#left);
      missing -= this.#left.length;
      this.#left = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    }
    pieces.push(this.#left.subarray(0, missing));
    this.#left = this.#left.subarray(missing);
    this.offset += length;
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}
