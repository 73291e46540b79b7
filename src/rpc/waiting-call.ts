/** A call that waits in a batch, and how its answer is written. Hot path: one for each call. */
import type { ParleyError } from '../errors.js';
import type { Answers, Call } from '../serving/batcher.js';
import type { EndedCall, EndedCalls } from './ended-calls.js';
import type { PredictCodec } from './predict-codec.js';
import { type Caller, visibleError } from './replies.js';
import type { ContextFields } from './request-context.js';
import type { ShapedCodec } from './shaped-codec.js';
import type { TypedCodec } from './typed-codec.js';
import { REPLY, type WireWriter } from './wire/protocol.js';

/** Who takes what a call comes to. */
export interface CallOwner {
  readonly calls: EndedCalls;
  /** The next prediction id. */
  readonly nextId: () => Uint8Array;
  /** Answers with an error. */
  failed(
    caller: Caller,
    errorId: number | undefined,
    error: unknown,
    context: Pick<ContextFields, 'requestId' | 'trace'>,
    met: MetCodec | undefined,
  ): ParleyError;
}

/** What writes the answers of a call. */
export type AnswerCodec = Pick<PredictCodec | ShapedCodec | TypedCodec, 'encode' | 'servable' | 'aliasName'>;
/** The version that a call has met, and the alias that led there. */
export type MetCodec = Pick<AnswerCodec, 'servable' | 'aliasName'>;

/** A call that waits in a batch. */
export class WaitingCall implements Call {
  readonly deadlineMs: number;
  readonly requestId: string | undefined;
  readonly trace: ContextFields['trace'];

  constructor(
    readonly owner: CallOwner,
    readonly caller: Caller,
    readonly errorId: number | undefined,
    readonly codec: AnswerCodec,
    readonly arrivedMs: number,
    context: ContextFields,
  ) {
    this.deadlineMs = context.deadline(arrivedMs);
    this.requestId = context.requestId;
    this.trace = context.trace;
  }

  get cancelled(): boolean {
    return this.caller.connection.closed;
  }

  deliver(answers: Answers, first: number, rows: number): void {
    const { caller, owner } = this;
    if (!caller.connection.closed) {
      try {
        const writer = beginReply(caller);
        this.codec.encode(writer, answers, first, rows, this.arrivedMs, owner.nextId);
        caller.connection.finish(writer);
      } catch (error) {
        this.codec.servable.tally.unanswered(visibleError(error).code);
        throw error;
      }
    }
    const tookMs = answers.startedMs + answers.computeUs / 1000 - this.arrivedMs;
    if (this.trace !== undefined || tookMs >= owner.calls.quickMs) owner.calls.answered(this.#ended(answers, rows));
  }

  fail(error: unknown): void {
    this.owner.failed(this.caller, this.errorId, error, this, this.codec);
  }

  #ended(answers: Answers, rows: number): EndedCall {
    const { caller, requestId, trace, arrivedMs } = this,
      { servable, aliasName } = this.codec;
    return {
      method: caller.name,
      requestId,
      trace,
      arrivedMs,
      endedMs: performance.now(),
      model: servable.model,
      version: servable.version,
      alias: aliasName,
      rows,
      queueUs: Math.max(0, answers.startedMs - arrivedMs) * 1000,
      computeUs: answers.computeUs,
      cached: 'cached' in answers && answers.cached === true,
    };
  }
}

function beginReply({ connection, compact, method, sequenceId }: Caller): WireWriter {
  const writer = connection.begin(compact);
  writer.messageBegin(method, REPLY, sequenceId);
  return writer;
}
