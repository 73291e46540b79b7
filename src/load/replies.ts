/**
 * How replies are cut from a stream and read, by protocol.
 *
 * Hot path: of a reply that is as it should be, a few bytes are looked at and nothing is allocated. The first reply of each
 * connection is walked to its end; errors are decoded.
 */
import { codeOfNumber } from '../errors.js';
import { BinaryReader } from '../rpc/wire/binary.js';
import { CompactReader } from '../rpc/wire/compact.js';
import { EXCEPTION, I32, LIST, REPLY, STOP, STRING, STRUCT, type WireReader } from '../rpc/wire/protocol.js';
import type { Codec, ProvenancePlace } from './plan.js';

/** What a call came to when it was not answered well. */
export interface Failure {
  /** A code of ParleyError, or one of the generator's own: HTTP_500, NOT_TAKEN (a TApplicationException). */
  readonly code: string;
  readonly message: string;
}

/** Something else than an answer to what was asked: nothing that is measured then means anything. */
export class WrongReply extends Error {
  override readonly name = 'WrongReply';
}

export interface ReplyReader {
  /** A reply's bytes from `at` on; 0 while too few of them are there to say. @throws WrongReply */
  size(buffer: Buffer, at: number, end: number): number;
  /** The sequence id of a whole reply; -1 where the protocol answers in order. @throws WrongReply */
  sequence(buffer: Buffer, at: number, end: number): number;
  /** Of the reply whose sequence was read last. @returns undefined when it is an answer */
  failure(buffer: Buffer, at: number, end: number): Failure | undefined;
  /** Where the version begins that answered, and -1 where the reply names none; reads the whole. @throws WrongReply */
  walk(buffer: Buffer, at: number, end: number): number;
  /** Writes a sequence id into a request that begins at `at`. */
  stamp(buffer: Buffer, at: number, sequence: number): void;
}

export function replyReader(codec: Codec, provenance?: ProvenancePlace): ReplyReader {
  if (codec === 'http') return new HttpReplies();
  return new ThriftReplies(codec === 'binary' ? new BinaryReader() : new CompactReader(), codec, provenance);
}

const VERSION_FIELD = 3;
/** Larger than any answer that is measured. */
const MOST_FRAME_BYTES = 1 << 30;

class ThriftReplies implements ReplyReader {
  readonly #reader: WireReader;
  readonly #binary: boolean;
  readonly #provenance: ProvenancePlace | undefined;
  /** Where the result of the last reply begins, and of what type the reply is. */
  #resultAt = 0;
  #type = 0;

  constructor(reader: WireReader, codec: Codec, provenance: ProvenancePlace | undefined) {
    this.#reader = reader;
    this.#binary = codec === 'binary';
    this.#provenance = provenance;
  }

  size(buffer: Buffer, at: number, end: number): number {
    if (end - at < 4) return 0;
    const size = buffer.readInt32BE(at);
    if (size < 8 || size > MOST_FRAME_BYTES) throw new WrongReply(`a frame of ${size} bytes`);
    return size + 4;
  }

  sequence(buffer: Buffer, at: number, end: number): number {
    const reader = this.#reader;
    try {
      reader.reset(buffer, at + 4, end);
      reader.messageBegin();
    } catch (cause) {
      throw new WrongReply(`no message of this protocol: ${(cause as Error).message}`);
    }
    this.#type = reader.messageType;
    if (this.#type !== REPLY && this.#type !== EXCEPTION)
      throw new WrongReply(`a message of type ${this.#type} where a reply was due`);
    this.#resultAt = reader.at;
    return reader.sequenceId;
  }

  failure(buffer: Buffer, at: number, end: number): Failure | undefined {
    if (this.#type === REPLY && this.#succeeded(buffer)) return undefined;
    try {
      return this.#read(buffer, end);
    } catch (cause) {
      throw new WrongReply(`the reply at byte ${at} cannot be read: ${(cause as Error).message}`);
    }
  }

  /** The result's first field has the id 0. */
  #succeeded(buffer: Buffer): boolean {
    const first = this.#resultAt;
    if (buffer[first] === STOP) return false;
    if (this.#binary) return buffer[first + 1] === 0 && buffer[first + 2] === 0;
    return (buffer[first]! & 0xf0) === 0 && buffer[first + 1] === 0;
  }

  #read(buffer: Buffer, end: number): Failure {
    const reader = this.#begin(buffer, end);
    const failed = { code: this.#type === EXCEPTION ? 'NOT_TAKEN' : 'NO_RESULT', message: '' };
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (this.#type === EXCEPTION && type === STRING && reader.fieldId === 1) failed.message = textOf(reader);
      else if (this.#type === REPLY && type === STRUCT) this.#readError(failed);
      else reader.skip(type);
    }
    return failed;
  }

  #readError(failed: { code: string; message: string }): void {
    const reader = this.#reader;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (reader.fieldId === 1 && type === I32) failed.code = codeOfNumber(reader.i32());
      else if (reader.fieldId === 2 && type === STRING) failed.message = textOf(reader);
      else reader.skip(type);
    }
    reader.structEnd();
  }

  #begin(buffer: Buffer, end: number): WireReader {
    this.#reader.reset(buffer, this.#resultAt, end);
    this.#reader.structBegin();
    return this.#reader;
  }

  walk(buffer: Buffer, _at: number, end: number): number {
    const reader = this.#begin(buffer, end);
    let versionAt = -1;
    try {
      for (let type = reader.field(); type !== STOP; type = reader.field()) {
        if (type === STRUCT && this.#provenance?.many === false) versionAt = this.#walkAnswer();
        else if (type === LIST && this.#provenance?.many === true) versionAt = this.#walkList();
        else reader.skip(type);
      }
    } catch (cause) {
      throw new WrongReply(`an answer that cannot be read: ${(cause as Error).message}`);
    }
    if (reader.at !== end) throw new WrongReply(`${end - reader.at} bytes are left behind the answer`);
    return versionAt;
  }

  #walkList(): number {
    const reader = this.#reader;
    reader.listBegin();
    const { elementType, size } = reader;
    let versionAt = -1;
    for (let i = 0; i < size; i++) {
      if (i === 0 && elementType === STRUCT) versionAt = this.#walkAnswer();
      else reader.skip(elementType);
    }
    return versionAt;
  }

  #walkAnswer(): number {
    return this.#walkStruct((type) =>
      type === STRUCT && this.#reader.fieldId === this.#provenance!.fieldId ? this.#walkProvenance() : undefined,
    );
  }

  #walkProvenance(): number {
    return this.#walkStruct((type) => {
      if (type !== STRING || this.#reader.fieldId !== VERSION_FIELD) return undefined;
      this.#reader.span();
      return this.#reader.spanAt;
    });
  }

  /** @param look reads the field that it wants, and returns undefined for every other */
  #walkStruct(look: (type: number) => number | undefined): number {
    const reader = this.#reader;
    let found = -1;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      const read = look(type);
      if (read === undefined) reader.skip(type);
      else found = read;
    }
    reader.structEnd();
    return found;
  }

  stamp(buffer: Buffer, at: number, sequence: number): void {
    if (this.#binary) {
      const place = at + 12 + buffer.readInt32BE(at + 8);
      buffer.writeInt32BE(sequence, place);
      return;
    }
    for (let i = 0; i < 3; i++) buffer[at + 6 + i] = ((sequence >>> (7 * i)) & 0x7f) | 0x80;
    buffer[at + 9] = sequence >>> 21;
  }
}

function textOf(reader: WireReader): string {
  const length = reader.span();
  return reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + length);
}

/** HTTP/1.1 with a content length, one call after the other. */
class HttpReplies implements ReplyReader {
  #status = 0;
  #bodyAt = 0;

  size(buffer: Buffer, at: number, end: number): number {
    const headEnd = buffer.indexOf('\r\n\r\n', at, 'latin1');
    if (headEnd < 0 || headEnd + 4 > end) return 0;
    const head = buffer.toString('latin1', at, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (!head.startsWith('HTTP/1.1 ') || length === null)
      throw new WrongReply(`no HTTP/1.1 answer with a content length: ${head.slice(0, 80)}`);
    this.#status = Number(head.slice(9, 12));
    this.#bodyAt = headEnd + 4;
    return headEnd + 4 - at + Number(length[1]);
  }

  sequence(): number {
    return -1;
  }

  failure(buffer: Buffer, _at: number, end: number): Failure | undefined {
    if (this.#status === 200) return undefined;
    return {
      code: `HTTP_${this.#status}`,
      message: buffer.toString('utf8', this.#bodyAt, Math.min(end, this.#bodyAt + 200)),
    };
  }

  walk(): number {
    return -1;
  }

  stamp(): void {}
}
