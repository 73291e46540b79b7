/**
 * OVERLOADED, for a call that has no room in its version's queue: what is refused must cost next to nothing, so that
 * answers get the processor.
 *
 * The reply's body is written once and copied as long as it stays the same, as it does for all that is refused in a turn.
 * Hot path when a server is overloaded: nothing is thrown.
 */
import { overloaded, type ParleyError, withoutStack } from '../errors.js';
import type { Servable } from '../serving/servable.js';
import { type Caller, replyError, writeErrorResult } from './replies.js';
import { BinaryWriter } from './wire/binary.js';
import { CompactWriter } from './wire/compact.js';
import { copyBytes, grown, REPLY } from './wire/protocol.js';

interface Body {
  readonly servable: Servable;
  readonly errorId: number;
  readonly retryAfterMs: number;
  readonly timeoutMs: number;
  readonly bytes: Uint8Array;
}

/** Why a call is refused, and when it may be tried again. @param timeoutMs of the call; 0: none */
export function overload(servable: Servable, timeoutMs: number, retryAfterMs: number): ParleyError {
  const { queue, model } = servable,
    waitMs = Math.round(queue.waitMs);
  const reason =
    timeoutMs > 0 && waitMs <= queue.maxMs
      ? `a call's turn comes in about ${waitMs} ms, too late for this one's timeout_ms of ${timeoutMs}`
      : `calls of about ${waitMs} ms wait, and no more are taken above ${queue.maxMs} ms (max_queue_ms)`;
  return withoutStack(() =>
    overloaded(`model "${model}" has more to do than it can: ${reason}; try again in ${retryAfterMs} ms`, {
      retryAfterMs,
    }),
  );
}

export class Refusals {
  #binary: Body | undefined;
  #compact: Body | undefined;

  /** @param requestId of the caller's own; a call without one is given none, since no log tells of it */
  reply(caller: Caller, errorId: number, servable: Servable, timeoutMs: number, requestId: string | undefined): void {
    const { connection, compact } = caller;
    if (connection.closed) return;
    const retryAfterMs = servable.queue.retryAfterMs(timeoutMs);
    if (requestId !== undefined) {
      replyError(caller, errorId, overload(servable, timeoutMs, retryAfterMs), requestId);
      return;
    }
    let body = compact ? this.#compact : this.#binary;
    if (
      body?.servable !== servable ||
      body.errorId !== errorId ||
      body.retryAfterMs !== retryAfterMs ||
      body.timeoutMs !== timeoutMs
    ) {
      const bytes = bodyOf(compact, errorId, overload(servable, timeoutMs, retryAfterMs));
      body = { servable, errorId, retryAfterMs, timeoutMs, bytes };
      if (compact) this.#compact = body;
      else this.#binary = body;
    }
    const writer = connection.begin(compact);
    writer.messageBegin(caller.method, REPLY, caller.sequenceId);
    const { at } = writer,
      { bytes } = body;
    if (at + bytes.length > writer.buffer.length) writer.buffer = grown(writer.buffer, at, bytes.length);
    copyBytes(writer.buffer, at, bytes);
    writer.at = at + bytes.length;
    connection.finish(writer);
  }
}

function bodyOf(compact: boolean, errorId: number, error: ParleyError): Uint8Array {
  const writer = compact ? new CompactWriter() : new BinaryWriter();
  writeErrorResult(writer, errorId, error, undefined);
  return writer.buffer.subarray(0, writer.at);
}
