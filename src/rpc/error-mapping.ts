/** ParleyError and the struct that travels in its place. */
import types from '../../gen/parley_types.js';
import { codeOfNumber, ERROR_CODES, ParleyError } from '../errors.js';

/** What a handler throws so that the generated code writes it. */
export function thriftError(error: ParleyError, requestId: string | undefined): Error {
  return new types.ParleyError({
    code: ERROR_CODES[error.code].number,
    message: error.message,
    retryable: error.retryable,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    ...(error.problems.length === 0 ? {} : { problems: error.problems.map((problem) => new types.Problem(problem)) }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  } as never) as unknown as Error;
}

/** What a client throws for a ParleyError struct that it received. */
export function receivedError(struct: {
  code?: number | null;
  message?: string | null;
  retry_after_ms?: number | null;
  problems?: readonly { path?: string | null; message?: string | null; got?: string | null }[] | null;
  request_id?: string | null;
}): ParleyError {
  return new ParleyError(codeOfNumber(struct.code ?? 0), struct.message ?? 'no message', {
    problems: (struct.problems ?? []).map(({ path, message, got }) => ({
      path: path ?? '',
      message: message ?? '',
      ...(got == null ? {} : { got }),
    })),
    ...(struct.retry_after_ms == null ? {} : { retryAfterMs: struct.retry_after_ms }),
    ...(struct.request_id == null ? {} : { requestId: struct.request_id }),
  });
}
