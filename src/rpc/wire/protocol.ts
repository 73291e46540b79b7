/**
 * What the two protocols have in common: Thrift's type numbers, message types, and the reader and writer that binary.ts
 * and compact.ts each implement. Source: the Apache Thrift binary and compact protocol specifications.
 *
 * Hot path. A reader works in place on a frame and makes no object or string: text is a span (`spanAt`, a length), a
 * container is its element types and size. Every length is checked against the bytes that are left before it is used.
 */

export const STOP = 0,
  BOOL = 2,
  BYTE = 3,
  DOUBLE = 4,
  I16 = 6,
  I32 = 8,
  I64 = 10,
  STRING = 11,
  STRUCT = 12,
  MAP = 13,
  SET = 14,
  LIST = 15,
  UUID = 16;

export const CALL = 1,
  REPLY = 2,
  EXCEPTION = 3,
  ONEWAY = 4;

/** Types of TApplicationException. */
export const UNKNOWN_METHOD = 1,
  INVALID_MESSAGE_TYPE = 2,
  INTERNAL_ERROR = 6,
  PROTOCOL_ERROR = 7;

/** Structs, lists, maps and sets may be nested this deep. */
export const MAX_DEPTH = 64;

/** The bytes are not what the protocol allows: the connection cannot be trusted any more and is closed. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

export const TYPE_NAMES: Readonly<Record<number, string>> = {
  [BOOL]: 'bool',
  [BYTE]: 'byte',
  [DOUBLE]: 'double',
  [I16]: 'i16',
  [I32]: 'i32',
  [I64]: 'i64',
  [STRING]: 'string',
  [STRUCT]: 'struct',
  [MAP]: 'map',
  [SET]: 'set',
  [LIST]: 'list',
  [UUID]: 'uuid',
};

export interface WireReader {
  /** The frame's bytes, the position in them, and the frame's end. */
  buffer: Buffer;
  at: number;
  end: number;

  // What the last begin read.
  messageType: number;
  sequenceId: number;
  nameAt: number;
  nameLength: number;
  fieldId: number;
  keyType: number;
  elementType: number;
  size: number;
  /** Where the bytes of the last span begin. */
  spanAt: number;
  /** Values that `skip` has passed since `reset`, those inside others included. */
  values: number;

  reset(buffer: Buffer, start: number, end: number): void;
  messageBegin(): void;
  structBegin(): void;
  structEnd(): void;
  /** The next field's type, STOP at the end; sets `fieldId`. */
  field(): number;
  /** Sets `elementType` and `size`. Also for sets. */
  listBegin(): void;
  /** Sets `keyType`, `elementType` and `size`. */
  mapBegin(): void;
  bool(): boolean;
  byte(): number;
  i16(): number;
  i32(): number;
  /** Exact up to 2^53. */
  i64(): number;
  double(): number;
  /** The length of a string or binary; its bytes begin at `spanAt`, and the position is behind them. */
  span(): number;
  skip(type: number): void;
}

export interface WireWriter {
  /** What is being written into; it is replaced by a larger one when it is full. */
  buffer: Buffer;
  at: number;

  messageBegin(name: Uint8Array, type: number, sequenceId: number): void;
  structBegin(): void;
  structEnd(): void;
  /** A field's header; for a bool use `fieldBool`. */
  field(type: number, id: number): void;
  fieldBool(id: number, value: boolean): void;
  listBegin(type: number, size: number): void;
  mapBegin(keyType: number, valueType: number, size: number): void;
  bool(value: boolean): void;
  byte(value: number): void;
  i16(value: number): void;
  i32(value: number): void;
  i64(value: number): void;
  double(value: number): void;
  bytes(value: Uint8Array): void;
  /** `length` bytes of `value`, from `start` on. */
  range(value: Uint8Array, start: number, length: number): void;
  text(value: string): void;
}

/** Shared with the writers: makes room for `more` bytes behind `at`. */
export function grown(buffer: Buffer, at: number, more: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at + more, 1024));
  buffer.copy(larger, 0, 0, at);
  return larger;
}

/** A loop beats `Buffer.copy`'s fixed cost up to about so many bytes. */
const LOOPED_BYTES = 96;

export function copyBytes(to: Uint8Array, at: number, from: Uint8Array): void {
  copyRange(to, at, from, 0, from.length);
}

/** Copies `length` bytes of `from`, from `start` on. */
export function copyRange(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length <= LOOPED_BYTES) for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  else to.set(length === from.length ? from : from.subarray(start, start + length), at);
}

export function putI32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

/** Whether a span of a buffer holds these bytes. For names: a loop beats `Buffer.compare` up to some dozens of bytes. */
export function sameBytes(buffer: Buffer, at: number, length: number, other: Uint8Array): boolean {
  if (length !== other.length) return false;
  for (let i = 0; i < length; i++) if (buffer[at + i] !== other[i]) return false;
  return true;
}

const scratchBytes = new Uint8Array(8);
const scratchDouble = new Float64Array(scratchBytes.buffer);
const scratchInts = new Int32Array(scratchBytes.buffer);

export const doubleScratch = { bytes: scratchBytes, double: scratchDouble, ints: scratchInts };
