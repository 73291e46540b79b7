/** The strict binary protocol. Hot path: see protocol.ts. */
import {
  BOOL,
  BYTE,
  copyBytes,
  copyRange,
  DOUBLE,
  doubleScratch,
  grown,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  MAX_DEPTH,
  Malformed,
  putI32,
  SET,
  STOP,
  STRING,
  STRUCT,
  UUID,
  type WireReader,
  type WireWriter,
} from './protocol.js';

/** Fewest bytes of one value, by type; 0: no such type. */
const LEAST_BYTES = new Uint8Array(256);
for (const [type, bytes] of [
  [BOOL, 1],
  [BYTE, 1],
  [DOUBLE, 8],
  [I16, 2],
  [I32, 4],
  [I64, 8],
  [STRING, 4],
  [STRUCT, 1],
  [MAP, 6],
  [SET, 5],
  [LIST, 5],
  [UUID, 16],
] as const) {
  LEAST_BYTES[type] = bytes;
}

const { bytes: scratch, double: scratchDouble } = doubleScratch;

export class BinaryReader implements WireReader {
  buffer: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  messageType = 0;
  sequenceId = 0;
  nameAt = 0;
  nameLength = 0;
  fieldId = 0;
  keyType = 0;
  elementType = 0;
  size = 0;
  spanAt = 0;
  values = 0;

  reset(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
    this.values = 0;
  }

  messageBegin(): void {
    const head = this.i32();
    if ((head & 0xffff0000) !== (0x80010000 | 0)) throw new Malformed('not a strict binary message of version 1');
    this.messageType = head & 0xff;
    this.nameLength = this.span();
    this.nameAt = this.spanAt;
    this.sequenceId = this.i32();
  }

  structBegin(): void {}
  structEnd(): void {}

  field(): number {
    if (this.at >= this.end) throw new Malformed('a struct without an end');
    const type = this.buffer[this.at++]!;
    if (type === STOP) return STOP;
    if (LEAST_BYTES[type] === 0) throw new Malformed(`unknown field type ${type}`);
    this.fieldId = this.i16();
    return type;
  }

  listBegin(): void {
    this.need(5);
    this.elementType = this.buffer[this.at++]!;
    this.size = this.i32();
    this.fits(LEAST_BYTES[this.elementType]!);
  }

  mapBegin(): void {
    this.need(6);
    this.keyType = this.buffer[this.at]!;
    this.elementType = this.buffer[this.at + 1]!;
    this.at += 2;
    this.size = this.i32();
    const key = LEAST_BYTES[this.keyType]!,
      value = LEAST_BYTES[this.elementType]!;
    this.fits(key === 0 || value === 0 ? 0 : key + value);
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  byte(): number {
    this.need(1);
    return (this.buffer[this.at++]! << 24) >> 24;
  }

  i16(): number {
    this.need(2);
    const value = ((this.buffer[this.at]! << 24) >> 16) | this.buffer[this.at + 1]!;
    this.at += 2;
    return value;
  }

  i32(): number {
    const { buffer, at } = this;
    if (this.end - at < 4) throw new Malformed('a message that ends early');
    this.at = at + 4;
    return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
  }

  i64(): number {
    const high = this.i32();
    return high * 4294967296 + (this.i32() >>> 0);
  }

  double(): number {
    const { buffer, at } = this;
    if (this.end - at < 8) throw new Malformed('a message that ends early');
    for (let i = 0; i < 8; i++) scratch[7 - i] = buffer[at + i]!;
    this.at = at + 8;
    return scratchDouble[0]!;
  }

  span(): number {
    const length = this.i32();
    if (length < 0 || length > this.end - this.at)
      throw new Malformed(`a string of ${length} bytes where ${this.end - this.at} are left`);
    this.spanAt = this.at;
    this.at += length;
    return length;
  }

  skip(type: number): void {
    this.skipNested(type, 0);
  }

  private skipNested(type: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new Malformed(`nested deeper than ${MAX_DEPTH}`);
    this.values++;
    switch (type) {
      case STRING:
        this.span();
        return;
      case STRUCT:
        for (let inner = this.field(); inner !== STOP; inner = this.field()) this.skipNested(inner, depth + 1);
        return;
      case LIST:
      case SET: {
        this.listBegin();
        const { elementType, size } = this;
        for (let i = 0; i < size; i++) this.skipNested(elementType, depth + 1);
        return;
      }
      case MAP: {
        this.mapBegin();
        const { keyType, elementType, size } = this;
        for (let i = 0; i < size; i++) {
          this.skipNested(keyType, depth + 1);
          this.skipNested(elementType, depth + 1);
        }
        return;
      }
      default: {
        const bytes = LEAST_BYTES[type]!;
        if (bytes === 0) throw new Malformed(`unknown type ${type}`);
        this.need(bytes);
        this.at += bytes;
      }
    }
  }

  private need(bytes: number): void {
    if (this.end - this.at < bytes) throw new Malformed('a message that ends early');
  }

  /** Thrift's libraries write an empty container of a type of 0, so an unknown type is an error only with elements. */
  private fits(least: number): void {
    if (this.size < 0) throw new Malformed(`a container of ${this.size} elements`);
    if (this.size === 0) return;
    if (least === 0) throw new Malformed('a container of an unknown type');
    if (this.size * least > this.end - this.at)
      throw new Malformed(`a container of ${this.size} elements where ${this.end - this.at} bytes are left`);
  }
}

export class BinaryWriter implements WireWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(1024);
  at = 0;

  messageBegin(name: Uint8Array, type: number, sequenceId: number): void {
    this.i32(0x80010000 | type);
    this.bytes(name);
    this.i32(sequenceId);
  }

  structBegin(): void {}

  structEnd(): void {
    this.byte(STOP);
  }

  field(type: number, id: number): void {
    this.room(3);
    const { buffer, at } = this;
    buffer[at] = type;
    buffer[at + 1] = id >> 8;
    buffer[at + 2] = id;
    this.at = at + 3;
  }

  fieldBool(id: number, value: boolean): void {
    this.field(BOOL, id);
    this.bool(value);
  }

  listBegin(type: number, size: number): void {
    this.byte(type);
    this.i32(size);
  }

  mapBegin(keyType: number, valueType: number, size: number): void {
    this.byte(keyType);
    this.byte(valueType);
    this.i32(size);
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  byte(value: number): void {
    this.room(1);
    this.buffer[this.at++] = value;
  }

  i16(value: number): void {
    this.room(2);
    this.buffer[this.at++] = value >> 8;
    this.buffer[this.at++] = value;
  }

  i32(value: number): void {
    this.room(4);
    putI32(this.buffer, this.at, value);
    this.at += 4;
  }

  i64(value: number): void {
    this.i32(Math.floor(value / 4294967296));
    this.i32(value >>> 0);
  }

  double(value: number): void {
    this.room(8);
    scratchDouble[0] = value;
    const { buffer, at } = this;
    for (let i = 0; i < 8; i++) buffer[at + i] = scratch[7 - i]!;
    this.at = at + 8;
  }

  bytes(value: Uint8Array): void {
    this.i32(value.length);
    this.raw(value);
  }

  range(value: Uint8Array, start: number, length: number): void {
    this.i32(length);
    this.room(length);
    copyRange(this.buffer, this.at, value, start, length);
    this.at += length;
  }

  /** Bytes that are in the protocol already. @returns where they begin in `buffer` */
  raw(value: Uint8Array): number {
    this.room(value.length);
    const { at } = this;
    copyBytes(this.buffer, at, value);
    this.at = at + value.length;
    return at;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.i32(length);
    this.room(length);
    this.buffer.write(value, this.at);
    this.at += length;
  }

  private room(more: number): void {
    if (this.at + more > this.buffer.length) this.buffer = grown(this.buffer, this.at, more);
  }
}
