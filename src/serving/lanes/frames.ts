/**
 * What the server and a lane's process say to each other: frames on a socket pair, in the machine's own byte order.
 *
 * A frame is a head of four uint32 (bytes of the body, kind, session, 0) and a body. Bodies, and the values of tensors in
 * them, begin and end at multiples of 8 bytes, so that values are used where they lie. Hot path for heavy models: an image of
 * 600 KB is copied once on each side of the socket.
 */
import { internal } from '../../errors.js';
import { DATA_TYPES, type DataType, type TensorData } from '../../model/tensor.js';

/** To the lane: load, run, release. From it: ready, then one of loaded, answered and failed for each load and run. */
export const KIND = { load: 1, run: 2, release: 3, ready: 4, loaded: 5, answered: 6, failed: 7 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export const HEAD_BYTES = 16;
const MOST_BODY_BYTES = 2 ** 31;

/** A frame that was received. `body` lies at a multiple of 8 bytes of its buffer. */
export interface Frame {
  readonly kind: number;
  readonly session: number;
  readonly body: Uint8Array;
}

/** A tensor by the position of its input or output in the signature. */
export interface Piece {
  readonly slot: number;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const VIEWS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  float16: Uint16Array,
} as const satisfies Record<Exclude<DataType, 'string'>, unknown>;

const TYPE_NAMES = new Map(Object.entries(DATA_TYPES).map(([name, { number }]) => [number, name as DataType]));

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Writes a frame of a size that is known before. */
class Writer {
  readonly buffer: Buffer;
  readonly #words: Uint32Array;
  readonly #floats: Float64Array;
  #at = HEAD_BYTES;

  constructor(kind: Kind, session: number, bodyBytes: number, spare?: Buffer) {
    if (bodyBytes > MOST_BODY_BYTES)
      throw internal(`${bodyBytes} bytes are more than the ${MOST_BODY_BYTES} that a lane takes or gives at once`);
    const bytes = HEAD_BYTES + bodyBytes;
    this.buffer = spare?.length === bytes ? spare : Buffer.allocUnsafeSlow(bytes);
    this.#words = new Uint32Array(this.buffer.buffer, 0, this.buffer.length / 4);
    this.#floats = new Float64Array(this.buffer.buffer, 0, this.buffer.length / 8);
    this.#words[0] = bodyBytes;
    this.#words[1] = kind;
    this.#words[2] = session;
    this.#words[3] = 0;
  }

  word(value: number): void {
    this.#words[this.#at / 4] = value;
    this.#at += 4;
  }

  float(value: number): void {
    this.#floats[this.#at / 8] = value;
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    this.buffer.set(value, this.#at);
    this.#at += value.length;
  }

  /** @returns bytes of it */
  text(value: string): number {
    const length = this.buffer.write(value, this.#at, 'utf8');
    this.#at += length;
    return length;
  }

  align(): void {
    this.#at = padded(this.#at);
  }

  /** Strings: their lengths, then their bytes. */
  strings(values: readonly string[]): void {
    let lengths = this.#at / 4;
    this.#at += padded(4 * values.length);
    for (const value of values) this.#words[lengths++] = this.text(value);
  }

  pieces(pieces: readonly Piece[]): void {
    for (const { slot, dataType, shape, data } of pieces) {
      this.word(slot);
      this.word(DATA_TYPES[dataType].number);
      this.word(shape.length);
      this.word(data.length);
      for (const extent of shape) this.float(extent);
      if (Array.isArray(data)) this.strings(data);
      else this.bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      this.align();
    }
  }
}

function sizeOf(pieces: readonly Piece[]): number {
  let bytes = 0;
  for (const { shape, data } of pieces) {
    let values = 0;
    if (Array.isArray(data)) {
      for (const text of data) values += Buffer.byteLength(text, 'utf8');
      values += padded(4 * data.length);
    } else values = data.byteLength;
    bytes += 16 + 8 * shape.length + padded(values);
  }
  return bytes;
}

/**
 * @param fetches positions of the wanted outputs
 * @param spare an earlier frame that is no longer needed: memory that is touched for the first time costs more than the copy
 */
export function runFrame(session: number, feeds: readonly Piece[], fetches: readonly number[], spare?: Buffer): Buffer {
  const writer = new Writer(KIND.run, session, padded(8 + 4 * fetches.length) + sizeOf(feeds), spare);
  writer.word(feeds.length);
  writer.word(fetches.length);
  for (const fetch of fetches) writer.word(fetch);
  writer.align();
  writer.pieces(feeds);
  return writer.buffer;
}

/** @param spentMs CPU time of this run */
export function answerFrame(session: number, spentMs: number, results: readonly Piece[]): Buffer {
  const writer = new Writer(KIND.answered, session, 16 + sizeOf(results));
  writer.float(spentMs);
  writer.word(results.length);
  writer.word(0);
  writer.pieces(results);
  return writer.buffer;
}

/** Any frame that carries a text, and in replies the CPU time that was spent and a number. */
export function textFrame(kind: Kind, session: number, text: string, spentMs = 0, number = 0): Buffer {
  const length = Buffer.byteLength(text, 'utf8');
  const writer = new Writer(kind, session, 16 + padded(length));
  writer.float(spentMs);
  writer.word(number);
  writer.word(length);
  writer.text(text);
  return writer.buffer;
}

/** Reads a body; tensors are views of it. */
export class Reader {
  readonly #words: Uint32Array;
  readonly #floats: Float64Array;
  readonly #body: Buffer;
  #at = 0;

  constructor({ body }: Frame) {
    this.#words = new Uint32Array(body.buffer, body.byteOffset, body.length / 4);
    this.#floats = new Float64Array(body.buffer, body.byteOffset, body.length / 8);
    this.#body = Buffer.from(body.buffer, body.byteOffset, body.length);
  }

  word(): number {
    const value = this.#words[this.#at / 4]!;
    this.#at += 4;
    return value;
  }

  words(count: number): number[] {
    const found = Array.from({ length: count }, () => this.word());
    this.#at = padded(this.#at);
    return found;
  }

  spentMs(): number {
    const value = this.#floats[this.#at / 8]!;
    this.#at += 8;
    return value;
  }

  /** What {@link textFrame} wrote behind what was spent. */
  text(): { readonly number: number; readonly text: string } {
    const number = this.word(),
      length = this.word();
    return { number, text: this.#body.toString('utf8', this.#at, this.#at + length) };
  }

  pieces(count: number): Piece[] {
    return Array.from({ length: count }, () => this.#piece());
  }

  #piece(): Piece {
    const slot = this.word(),
      dataType = TYPE_NAMES.get(this.word())!,
      rank = this.word(),
      length = this.word(),
      at = this.#at / 8;
    const shape = Array.from(this.#floats.subarray(at, at + rank));
    this.#at += 8 * rank;
    return { slot, dataType, shape, data: this.#values(dataType, length) };
  }

  #values(dataType: DataType, length: number): TensorData {
    if (dataType === 'string') return this.#strings(length);
    const data = new VIEWS[dataType](this.#body.buffer as ArrayBuffer, this.#body.byteOffset + this.#at, length);
    this.#at = padded(this.#at + data.byteLength);
    return data;
  }

  #strings(count: number): string[] {
    const lengths = this.#at / 4;
    let from = this.#at + padded(4 * count);
    const strings = new Array<string>(count);
    for (let i = 0; i < count; i++) {
      const to = from + this.#words[lengths + i]!;
      strings[i] = this.#body.toString('utf8', from, to);
      from = to;
    }
    this.#at = padded(from);
    return strings;
  }
}
