/** Replies that are the same for every method: errors, and Thrift's own exceptions. */
import { randomUUID } from 'node:crypto';
import { ERROR_CODES, internal, ParleyError } from '../errors.js';
import type { Connection } from './connection.js';
import { EXCEPTION, I32, LIST, REPLY, STRING, STRUCT, type WireWriter } from './wire/protocol.js';

/** Who is to be answered, and in which protocol. */
export interface Caller {
  readonly connection: Connection;
  readonly compact: boolean;
  readonly sequenceId: number;
  /** The method's plain name, as the reply spells it. */
  readonly method: Uint8Array;
  /** `Service:method`, for those who watch. */
  readonly name: string;
  /** On performance.now()'s clock. */
  readonly arrivedMs: number;
}

/** For a call that brought none. */
export const newRequestId = (): string => randomUUID();

/** Anything thrown, as what the caller may see: a ParleyError; the rest becomes INTERNAL. */
export function visibleError(error: unknown): ParleyError {
  return error instanceof ParleyError
    ? error
    : internal("a defect in the server; its log has the details under this call's request_id", { cause: error });
}

/** Field `errorId` of the result: the declared ParleyError. */
export function replyError(caller: Caller, errorId: number, error: ParleyError, requestId: string | undefined): void {
  if (caller.connection.closed) return;
  const writer = caller.connection.begin(caller.compact);
  writer.messageBegin(caller.method, REPLY, caller.sequenceId);
  writeErrorResult(writer, errorId, error, requestId);
  caller.connection.finish(writer);
}

export function writeErrorResult(
  writer: WireWriter,
  errorId: number,
  error: ParleyError,
  requestId: string | undefined,
): void {
  writer.structBegin();
  writer.field(STRUCT, errorId);
  writeError(writer, error, requestId);
  writer.structEnd();
}

function writeError(writer: WireWriter, error: ParleyError, requestId: string | undefined): void {
  writer.structBegin();
  writer.field(I32, 1);
  writer.i32(ERROR_CODES[error.code].number);
  writer.field(STRING, 2);
  writer.text(error.message);
  writer.fieldBool(3, error.retryable);
  if (error.retryAfterMs !== undefined) {
    writer.field(I32, 4);
    writer.i32(error.retryAfterMs);
  }
  if (error.problems.length > 0) {
    writer.field(LIST, 5);
    writer.listBegin(STRUCT, error.problems.length);
    for (const problem of error.problems) {
      writer.structBegin();
      writer.field(STRING, 1);
      writer.text(problem.path);
      writer.field(STRING, 2);
      writer.text(problem.message);
      if (problem.got !== undefined) {
        writer.field(STRING, 3);
        writer.text(problem.got);
      }
      writer.structEnd();
    }
  }
  const id = error.requestId ?? requestId;
  if (id !== undefined) {
    writer.field(STRING, 6);
    writer.text(id);
  }
  writer.structEnd();
}

/** A TApplicationException: an unknown method, or an error that the method does not declare. */
export function replyException(caller: Caller, type: number, message: string): void {
  if (caller.connection.closed) return;
  const writer = caller.connection.begin(caller.compact);
  writer.messageBegin(caller.method, EXCEPTION, caller.sequenceId);
  writer.structBegin();
  writer.field(STRING, 1);
  writer.text(message);
  writer.field(I32, 2);
  writer.i32(type);
  writer.structEnd();
  caller.connection.finish(writer);
}
