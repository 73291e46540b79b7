/** Provenance of idl/parley.thrift, written from bytes that are the same for all answers of a route. Hot path. */
import type { Answers } from '../serving/batcher.js';
import type { Servable } from '../serving/servable.js';
import { I32, STRING, type WireWriter } from './wire/protocol.js';

export class ProvenanceWriter {
  readonly #model: Buffer;
  readonly #version: Buffer;
  readonly #alias: Buffer | undefined;

  constructor(servable: Servable, aliasName: string | undefined) {
    this.#model = Buffer.from(servable.model);
    this.#version = Buffer.from(servable.version);
    this.#alias = aliasName === undefined ? undefined : Buffer.from(aliasName);
  }

  write(writer: WireWriter, id: Uint8Array, answers: Answers, arrivedMs: number): void {
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
    writer.i32(Math.max(0, Math.round((answers.startedMs - arrivedMs) * 1000)));
    writer.field(I32, 6);
    writer.i32(answers.computeUs);
    writer.structEnd();
  }
}
