/** RequestContext of idl/parley.thrift, read from a frame without an object for what is not there. */
import { I32, STOP, STRING, type WireReader } from './wire/protocol.js';

export class ContextFields {
  requestId: string | undefined;
  /** 0: none. */
  timeoutMs = 0;
  /** Where the token stands in the frame; a length of 0: none. It is never made a string. */
  tokenAt = 0;
  tokenLength = 0;

  clear(): void {
    this.requestId = undefined;
    this.timeoutMs = 0;
    this.tokenLength = 0;
  }

  /** Reads the struct at the reader's position. */
  read(reader: WireReader): void {
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (reader.fieldId === 1 && type === STRING) {
        const length = reader.span();
        this.requestId = reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + Math.min(length, 256));
      } else if (reader.fieldId === 2 && type === I32) this.timeoutMs = reader.i32();
      else if (reader.fieldId === 3 && type === STRING) {
        this.tokenLength = reader.span();
        this.tokenAt = reader.spanAt;
      } else reader.skip(type);
    }
    reader.structEnd();
  }

  /** On performance.now()'s clock. */
  deadline(arrivedMs: number): number {
    return this.timeoutMs > 0 ? arrivedMs + this.timeoutMs : Number.POSITIVE_INFINITY;
  }
}
