/**
 * Provenance of idl/parley.thrift. All answers of a route have the same model, version and alias.
 *
 * Hot path: in the binary protocol the struct is a copy of bytes that were written once, with three places patched.
 */
import type { Answers } from '../serving/batcher.js';
import { PREDICTION_ID_LENGTH } from '../serving/prediction-id.js';
import type { Servable } from '../serving/servable.js';
import { BinaryWriter } from './wire/binary.js';
import { copyBytes, I32, putI32, STRING, type WireWriter } from './wire/protocol.js';

/** Places in the binary struct: a field's header is 3 bytes, a string's length 4, an i32 4, the end of a struct 1. */
const ID_AT = 3 + 4,
  COMPUTE_BEFORE_END = 4 + 1,
  QUEUE_BEFORE_END = 4 + 3 + COMPUTE_BEFORE_END;

export class ProvenanceWriter {
  readonly #model: Buffer;
  readonly #version: Buffer;
  readonly #alias: Buffer | undefined;
  readonly #binary: Buffer;

  constructor(servable: Servable, aliasName: string | undefined) {
    this.#model = Buffer.from(servable.model);
    this.#version = Buffer.from(servable.version);
    this.#alias = aliasName === undefined ? undefined : Buffer.from(aliasName);
    const writer = new BinaryWriter();
    this.#writeFields(writer, new Uint8Array(PREDICTION_ID_LENGTH), 0, 0, false);
    this.#binary = writer.buffer.subarray(0, writer.at);
  }

  write(writer: WireWriter, id: Uint8Array, answers: Answers, arrivedMs: number): void {
    const queueUs = Math.max(0, Math.round((answers.startedMs - arrivedMs) * 1000));
    if (answers.cached || !(writer instanceof BinaryWriter)) {
      this.#writeFields(writer, id, queueUs, answers.computeUs, answers.cached);
      return;
    }
    const at = writer.raw(this.#binary),
      { buffer, at: end } = writer;
    copyBytes(buffer, at + ID_AT, id);
    putI32(buffer, end - QUEUE_BEFORE_END, queueUs);
    putI32(buffer, end - COMPUTE_BEFORE_END, answers.computeUs);
  }

  #writeFields(writer: WireWriter, id: Uint8Array, queueUs: number, computeUs: number, cached: boolean): void {
    writer.structBegin();
    writer.field(STRING, 1);
    writer.bytes(id);
    writer.field(STRING, 2);
    writer.bytes(this.#model);
    writer.field(STRING, 3);
    writer.bytes(this.#version);
    if (this.#alias !== undefined) {
      writer.field(STRING, 4);
      writer.bytes(this.#alias);
    }
    writer.field(I32, 5);
    writer.i32(queueUs);
    writer.field(I32, 6);
    writer.i32(computeUs);
    if (cached) writer.fieldBool(7, true);
    writer.structEnd();
  }
}
