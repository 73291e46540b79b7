/** The compact protocol, version 1. Hot path: see protocol.ts. */
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
  SET,
  STOP,
  STRING,
  STRUCT,
  UUID,
  type WireReader,
  type WireWriter,
} from './protocol.js';

const TRUE = 1,
  FALSE = 2;

/** The protocol's own type numbers to Thrift's, and back; 0: no such type. */
const FROM_COMPACT = new Uint8Array(16);
const TO_COMPACT = new Uint8Array(256);
for (const [compact, type] of [
  [TRUE, BOOL],
  [FALSE, BOOL],
  [3, BYTE],
  [4, I16],
  [5, I32],
  [6, I64],
  [7, DOUBLE],
  [8, STRING],
  [9, LIST],
  [10, SET],
  [11, MAP],
  [12, STRUCT],
  [13, UUID],
] as const) {
  FROM_COMPACT[compact] = type;
  if (TO_COMPACT[type] === 0) TO_COMPACT[type] = compact;
}

/** Of a field's header, Thrift's type; 0: there is none. */
export const typeOfCompact = (head: number): number => FROM_COMPACT[head & 15]!;

/** Fewest bytes of one value of a Thrift type. */
const least = (type: number): number => (type === DOUBLE ? 8 : type === UUID ? 16 : 1);

const { bytes: scratch, double: scratchDouble } = doubleScratch;

export class CompactReader implements WireReader {
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
  /** The field ids of the structs around this one, which the ids inside are counted from. */
  readonly #outer = new Int32Array(MAX_DEPTH + 8);
  #depth = 0;
  /** A bool field's value stands in its header: 1 true, 2 false, 0: not a field's. */
  #fieldBool = 0;

  reset(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
    this.values = 0;
    this.#depth = 0;
    this.#fieldBool = 0;
    this.fieldId = 0;
  }

  messageBegin(): void {
    if (this.ubyte() !== 0x82) throw new Malformed('not a compact message');
    const head = this.ubyte();
    if ((head & 0x1f) !== 1) throw new Malformed(`compact protocol of version ${head & 0x1f}`);
    this.messageType = head >> 5;
    this.sequenceId = this.varint();
    this.nameLength = this.span();
    this.nameAt = this.spanAt;
  }

  structBegin(): void {
    if (this.#depth >= MAX_DEPTH) throw new Malformed(`nested deeper than ${MAX_DEPTH}`);
    this.#outer[this.#depth++] = this.fieldId;
    this.fieldId = 0;
  }

  structEnd(): void {
    this.fieldId = this.#outer[--this.#depth]!;
  }

  field(): number {
    const head = this.ubyte();
    if (head === STOP) return STOP;
    const compact = head & 15,
      type = FROM_COMPACT[compact]!;
    if (type === 0) throw new Malformed(`unknown field type ${compact}`);
    const step = head >> 4;
    this.fieldId = step === 0 ? this.i16() : this.fieldId + step;
    this.#fieldBool = type === BOOL ? compact : 0;
    return type;
  }

  listBegin(): void {
    const head = this.ubyte(),
      short = head >> 4;
    this.elementType = FROM_COMPACT[head & 15]!;
    this.size = short === 15 ? this.length() : short;
    this.#fieldBool = 0;
    this.fits(this.elementType === 0 ? 0 : least(this.elementType));
  }

  mapBegin(): void {
    this.size = this.length();
    this.keyType = this.elementType = 0;
    this.#fieldBool = 0;
    if (this.size === 0) return;
    const types = this.ubyte();
    this.keyType = FROM_COMPACT[types >> 4]!;
    this.elementType = FROM_COMPACT[types & 15]!;
    this.fits(this.keyType === 0 || this.elementType === 0 ? 0 : least(this.keyType) + least(this.elementType));
  }

  bool(): boolean {
    const inHeader = this.#fieldBool;
    this.#fieldBool = 0;
    return (inHeader === 0 ? this.ubyte() : inHeader) === TRUE;
  }

  byte(): number {
    return (this.ubyte() << 24) >> 24;
  }

  i16(): number {
    return (this.i32() << 16) >> 16;
  }

  i32(): number {
    const zigzag = this.varint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  i64(): number {
    let low = 0,
      high = 0,
      shift = 0;
    for (;;) {
      const byte = this.ubyte(),
        bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 63) throw new Malformed('a varint of more than ten bytes');
    }
    const negative = low & 1,
      half = ((low >>> 1) | (high << 31)) >>> 0,
      top = high >>> 1;
    return negative === 0 ? top * 4294967296 + half : -(top * 4294967296 + half) - 1;
  }

  double(): number {
    const { buffer, at } = this;
    if (this.end - at < 8) throw new Malformed('a message that ends early');
    for (let i = 0; i < 8; i++) scratch[i] = buffer[at + i]!;
    this.at = at + 8;
    return scratchDouble[0]!;
  }

  span(): number {
    const length = this.length();
    if (length < 0 || length > this.end - this.at)
      throw new Malformed(`a string of ${length} bytes where ${this.end - this.at} are left`);
    this.spanAt = this.at;
    this.at += length;
    return length;
  }

  skip(type: number): void {
    this.skipNested(type, this.#depth);
  }

  private skipNested(type: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new Malformed(`nested deeper than ${MAX_DEPTH}`);
    this.values++;
    switch (type) {
      case BOOL:
        this.bool();
        return;
      case BYTE:
        this.ubyte();
        return;
      case I16:
      case I32:
        this.varint();
        return;
      case I64:
        this.i64();
        return;
      case DOUBLE:
        this.double();
        return;
      case STRING:
        this.span();
        return;
      case UUID:
        if (this.end - this.at < 16) throw new Malformed('a message that ends early');
        this.at += 16;
        return;
      case STRUCT: {
        const outer = this.fieldId;
        this.fieldId = 0;
        for (let inner = this.field(); inner !== STOP; inner = this.field()) this.skipNested(inner, depth + 1);
        this.fieldId = outer;
        return;
      }
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
      default:
        throw new Malformed(`unknown type ${type}`);
    }
  }

  private ubyte(): number {
    if (this.at >= this.end) throw new Malformed('a message that ends early');
    return this.buffer[this.at++]!;
  }

  /** Up to 32 bits, as a signed number: negative when bit 31 is set. */
  private varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.ubyte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return this.wideVarint(value);
  }

  /** Some writers spell a negative 32-bit number as 64 bits: up to ten bytes, of which the upper bits are dropped. */
  private wideVarint(value: number): number {
    for (let i = 5; i < 10; i++) if (this.ubyte() < 0x80) return value;
    throw new Malformed('a varint of more than ten bytes');
  }

  /** A length or a count: what takes more than 32 bits must not wrap around to something smaller. */
  private length(): number {
    const begin = this.at,
      value = this.varint(),
      bytes = this.at - begin;
    if (bytes >= 5 && (bytes > 5 || this.buffer[this.at - 1]! > 15))
      throw new Malformed('a length of more than 32 bits');
    return value;
  }

  private fits(leastBytes: number): void {
    if (this.size < 0) throw new Malformed(`a container of ${this.size} elements`);
    if (this.size === 0) return;
    if (leastBytes === 0) throw new Malformed('a container of an unknown type');
    if (this.size * leastBytes > this.end - this.at)
      throw new Malformed(`a container of ${this.size} elements where ${this.end - this.at} bytes are left`);
  }
}

export class CompactWriter implements WireWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(1024);
  at = 0;
  readonly #outer = new Int32Array(MAX_DEPTH + 8);
  #depth = 0;
  #last = 0;

  messageBegin(name: Uint8Array, type: number, sequenceId: number): void {
    this.#depth = 0;
    this.#last = 0;
    this.byte(0x82);
    this.byte((type << 5) | 1);
    this.varint(sequenceId);
    this.bytes(name);
  }

  structBegin(): void {
    this.#outer[this.#depth++] = this.#last;
    this.#last = 0;
  }

  structEnd(): void {
    this.byte(STOP);
    this.#last = this.#outer[--this.#depth]!;
  }

  field(type: number, id: number): void {
    this.header(TO_COMPACT[type]!, id);
  }

  fieldBool(id: number, value: boolean): void {
    this.header(value ? TRUE : FALSE, id);
  }

  listBegin(type: number, size: number): void {
    const compact = TO_COMPACT[type]!;
    if (size < 15) this.byte((size << 4) | compact);
    else {
      this.byte(0xf0 | compact);
      this.varint(size);
    }
  }

  mapBegin(keyType: number, valueType: number, size: number): void {
    this.varint(size);
    if (size > 0) this.byte((TO_COMPACT[keyType]! << 4) | TO_COMPACT[valueType]!);
  }

  bool(value: boolean): void {
    this.byte(value ? TRUE : FALSE);
  }

  byte(value: number): void {
    this.room(1);
    this.buffer[this.at++] = value;
  }

  i16(value: number): void {
    this.i32(value);
  }

  i32(value: number): void {
    this.varint((value << 1) ^ (value >> 31));
  }

  i64(value: number): void {
    if (value >= -1073741824 && value < 1073741824) {
      this.i32(value);
      return;
    }
    const whole = BigInt(Number.isFinite(value) ? Math.trunc(value) : 0);
    let rest = BigInt.asUintN(64, (whole << 1n) ^ (whole >> 63n));
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  double(value: number): void {
    this.room(8);
    scratchDouble[0] = value;
    const { buffer, at } = this;
    for (let i = 0; i < 8; i++) buffer[at + i] = scratch[i]!;
    this.at = at + 8;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.room(value.length);
    copyBytes(this.buffer, this.at, value);
    this.at += value.length;
  }

  range(value: Uint8Array, start: number, length: number): void {
    this.varint(length);
    this.room(length);
    copyRange(this.buffer, this.at, value, start, length);
    this.at += length;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.room(length);
    this.buffer.write(value, this.at);
    this.at += length;
  }

  private header(compact: number, id: number): void {
    const step = id - this.#last;
    if (step > 0 && step < 16) this.byte((step << 4) | compact);
    else {
      this.byte(compact);
      this.i16(id);
    }
    this.#last = id;
  }

  private varint(value: number): void {
    this.room(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.buffer[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.at++] = rest;
  }

  private room(more: number): void {
    if (this.at + more > this.buffer.length) this.buffer = grown(this.buffer, this.at, more);
  }
}
