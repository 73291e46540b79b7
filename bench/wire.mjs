/** As much of Thrift's framed strict binary protocol as the benchmark needs: values as bytes, and a reader without a schema. */

export const DOUBLE = 4;
export const I32 = 8;
export const I64 = 10;
export const STRING = 11;
export const STRUCT = 12;
export const MAP = 13;
export const LIST = 15;

const CALL = 0x80010001 | 0;
/** The first word of a message that answers a call. */
export const REPLY = 0x80010002 | 0;

export const int = (value) => number(4, (bytes) => bytes.writeInt32BE(value));
export const long = (value) => number(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)));
export const double = (value) => number(8, (bytes) => bytes.writeDoubleBE(value));
export const text = (value) => binary(Buffer.from(value));
export const binary = (bytes) => Buffer.concat([int(bytes.length), bytes]);
export const list = (type, values) => Buffer.concat([Buffer.from([type]), int(values.length), ...values]);

/** @param fields `[type, id, bytes]` each */
export function struct(...fields) {
  const parts = fields.flatMap(([type, id, bytes]) => [Buffer.from([type, id >> 8, id & 255]), bytes]);
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** A whole frame, its length included, with the sequence id 0. */
export function call(method, args) {
  return binary(Buffer.concat([int(CALL), text(method), int(0), args]));
}

/** Where the sequence id stands in a frame of a method, call or reply. */
export const sequenceAt = (method) => 4 + 4 + 4 + Buffer.byteLength(method);

function number(size, write) {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

/** What a reply's frame answers: structs as objects by field id, maps as Maps, strings as Buffers. Throws on errors. */
export function readReply(frame) {
  const reader = new Reader(frame, 4);
  const head = reader[I32]();
  if (head !== REPLY) throw new Error(`the answer is no reply: ${frame.toString('latin1', 4)}`);
  reader[STRING]();
  reader[I32]();
  const result = reader[STRUCT]();
  if (reader.at !== frame.length) throw new Error(`${frame.length - reader.at} bytes are left behind the answer`);
  if (result[0] === undefined) throw new Error(`the answer is an error: ${result[1]?.[2]}`);
  return result[0];
}

/** Its methods' names are the types' numbers. */
class Reader {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  #step(size) {
    this.at += size;
    return this.at - size;
  }

  2() {
    return this.bytes[this.at++] !== 0;
  }

  [DOUBLE]() {
    return this.bytes.readDoubleBE(this.#step(8));
  }

  [I32]() {
    return this.bytes.readInt32BE(this.#step(4));
  }

  [I64]() {
    return Number(this.bytes.readBigInt64BE(this.#step(8)));
  }

  [STRING]() {
    const length = this[I32](),
      start = this.#step(length);
    return this.bytes.subarray(start, start + length);
  }

  [STRUCT]() {
    const fields = {};
    for (let type = this.bytes[this.at++]; type !== 0; type = this.bytes[this.at++]) {
      const id = this.bytes.readInt16BE(this.#step(2));
      fields[id] = this[type]();
    }
    return fields;
  }

  [LIST]() {
    const type = this.bytes[this.at++];
    return Array.from({ length: this[I32]() }, () => this[type]());
  }

  [MAP]() {
    const key = this.bytes[this.at++],
      value = this.bytes[this.at++];
    return new Map(Array.from({ length: this[I32]() }, () => [this[key](), this[value]()]));
  }
}
