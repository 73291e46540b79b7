/**
 * What a connection's last predict call asked for, and the codec that answered it.
 *
 * Callers ask the same of a model again and again. While the bytes of model, reference and outputs are those of the last
 * call, no string is made of them. Hot path. One a connection; longer names than the bound are not remembered.
 */
import type { PredictCodec, PredictRequestSpans } from './predict-codec.js';
import type { ShapedCodec } from './shaped-codec.js';
import { sameBytes, type WireReader } from './wire/protocol.js';

const MOST_BYTES = 4_096;
/** The ends of the request and of the arguments, in both protocols. */
const ENDS_BYTES = 2;

export class LastQuestion {
  readonly #modelBytes: Buffer;
  readonly #referenceBytes: Buffer;
  /** The whole list as it stood in the frame. */
  readonly #outputsBytes: Buffer;
  /** What stood before the inputs in a frame that ended with them, behind its sequence id; empty before there was one. */
  #head: Buffer = Buffer.alloc(0);
  #frameLength = 0;
  /** Of the frame that had this head. */
  timeoutMs = 0;

  private constructor(
    { buffer }: WireReader,
    request: PredictRequestSpans,
    readonly compact: boolean,
    readonly model: string,
    readonly reference: string,
    readonly codec: PredictCodec | ShapedCodec,
    /** Of the router's services, by which the codec checks. */
    readonly generation: number,
  ) {
    this.#modelBytes = Buffer.from(buffer.subarray(request.modelAt, request.modelAt + request.modelLength));
    this.#referenceBytes = Buffer.from(
      buffer.subarray(request.referenceAt, request.referenceAt + request.referenceLength),
    );
    this.#outputsBytes = Buffer.from(buffer.subarray(request.outputsAt, request.outputsAt + request.outputsLength));
  }

  /** @returns undefined when it is too long to be remembered */
  static of(
    reader: WireReader,
    request: PredictRequestSpans,
    ...found: [
      compact: boolean,
      model: string,
      reference: string,
      codec: PredictCodec | ShapedCodec,
      generation: number,
    ]
  ): LastQuestion | undefined {
    const bytes = request.modelLength + request.referenceLength + request.outputsLength;
    return bytes > MOST_BYTES ? undefined : new LastQuestion(reader, request, ...found);
  }

  /** Keeps how a question began that is refused, in order to refuse the next ones like it unread. */
  remember(
    { buffer, end }: WireReader,
    { inputsAt, inputsEnd }: PredictRequestSpans,
    headAt: number,
    timeoutMs: number,
  ): void {
    if (inputsAt - headAt > MOST_BYTES || end - inputsEnd > ENDS_BYTES) return;
    this.#head = Buffer.from(buffer.subarray(headAt, inputsAt));
    this.#frameLength = end - headAt;
    this.timeoutMs = timeoutMs;
  }

  /** Whether a frame, behind its sequence id, is as long and begins as the one that is remembered. */
  begins(buffer: Buffer, headAt: number, end: number): boolean {
    return end - headAt === this.#frameLength && sameBytes(buffer, headAt, this.#head.length, this.#head);
  }

  /** Whether a request asks for the same. */
  isAskedBy({ buffer }: WireReader, request: PredictRequestSpans, compact: boolean): boolean {
    return (
      compact === this.compact &&
      sameBytes(buffer, request.modelAt, request.modelLength, this.#modelBytes) &&
      sameBytes(buffer, request.referenceAt, request.referenceLength, this.#referenceBytes) &&
      sameBytes(buffer, request.outputsAt, request.outputsLength, this.#outputsBytes)
    );
  }
}
