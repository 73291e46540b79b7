/** One call as a connection sees it: a frame that goes out, and what the frame that comes back says. */
import { I32, MAP, STRING, STRUCT, type WireWriter } from '../wire/protocol.js';

/** RequestContext of idl/parley.thrift. */
export interface CallContext {
  readonly requestId?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly token?: string | undefined;
  /** W3C: `traceparent`, `tracestate`. */
  readonly trace?: Readonly<Record<string, string>> | undefined;
}

export interface WireCall<T> {
  /** As messages name it. */
  readonly name: string;
  /** Whether the context travels with it; otherwise the connection must have shown the token before. */
  readonly takesContext: boolean;
  /** Whether asking twice is as good as once. */
  readonly idempotent: boolean;
  /** A whole frame, its length included; may be asked for again. @throws ParleyError INVALID_INPUT */
  encode(sequenceId: number, context: CallContext): Uint8Array;
  /** @param reply a whole frame without its length @throws ParleyError, and exceptions of the caller's own contract */
  decode(reply: Buffer): T;
}

/** The context as field `id`; nothing where nothing is in it. */
export function writeContext(writer: WireWriter, id: number, context: CallContext): void {
  const { requestId, timeoutMs, token, trace } = context;
  if (requestId === undefined && timeoutMs === undefined && token === undefined && trace === undefined) return;
  writer.field(STRUCT, id);
  writer.structBegin();
  if (requestId !== undefined) {
    writer.field(STRING, 1);
    writer.text(requestId);
  }
  if (timeoutMs !== undefined) {
    writer.field(I32, 2);
    writer.i32(timeoutMs);
  }
  if (token !== undefined) {
    writer.field(STRING, 3);
    writer.text(token);
  }
  if (trace !== undefined) {
    const entries = Object.entries(trace);
    writer.field(MAP, 4);
    writer.mapBegin(STRING, STRING, entries.length);
    for (const pair of entries) for (const text of pair) writer.text(text);
  }
  writer.structEnd();
}
