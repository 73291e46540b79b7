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

export class LastQuestion {
  readonly #modelBytes: Buffer;
  readonly #referenceBytes: Buffer;
  /** The whole list as it stood in the frame. */
  readonly #outputsBytes: Buffer;

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
