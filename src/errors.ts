/**
 * Every error that Parley raises on purpose is a {@link ParleyError} made here.
 *
 * The codes, their numbers on the wire and whether a caller may simply try again stand in one table, from which
 * docs/errors.md is checked. A message says where, what was expected, what was there and what to do.
 */

/** One entry per `ErrorCode` of idl/parley.thrift, in its order. */
export const ERROR_CODES = {
  INVALID_INPUT: { number: 1, retryable: false, meaning: 'the input does not fit the contract; `problems` says where' },
  NOT_FOUND: { number: 2, retryable: false, meaning: 'no such model, version, alias, run, file or prediction' },
  UNAUTHENTICATED: { number: 3, retryable: false, meaning: 'no token, or one that the server does not know' },
  PERMISSION_DENIED: {
    number: 4,
    retryable: false,
    meaning: 'the token has no right to do this, or it takes somebody else',
  },
  OVERLOADED: { number: 5, retryable: true, meaning: 'a queue is full; retry after `retry_after_ms`' },
  DEADLINE_EXCEEDED: { number: 6, retryable: true, meaning: 'dropped before it ran, because its time was up' },
  CONTRACT_MISMATCH: {
    number: 7,
    retryable: false,
    meaning: 'a model or a client does not fit the contract, or a new contract breaks its callers',
  },
  NOT_ACCEPTED: { number: 8, retryable: false, meaning: "this digest has not passed its contract's acceptance suite" },
  CONFLICT: {
    number: 9,
    retryable: false,
    meaning: 'an expected state (alias, run) had already changed, or an alias is held',
  },
  STORE_UNAVAILABLE: {
    number: 10,
    retryable: true,
    meaning: 'Redis cannot be reached or refuses writes; loaded models go on serving',
  },
  MODEL_BROKEN: {
    number: 11,
    retryable: false,
    meaning: 'stored bytes do not match their digest, the runtime refuses the graph, or running it ended its process',
  },
  SHUTTING_DOWN: { number: 12, retryable: true, meaning: 'the server is draining; another one will answer' },
  UNSUPPORTED: { number: 13, retryable: false, meaning: 'valid, and this server cannot do it' },
  INTERNAL: { number: 14, retryable: true, meaning: "a defect; details are in the server's log under `request_id`" },
} as const satisfies Record<string, { number: number; retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Failures that whoever runs the server looks into; the others are the caller's to mend. */
const SERVERS_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'STORE_UNAVAILABLE',
  'MODEL_BROKEN',
  'INTERNAL',
]);
export const isServersFault = (code: ErrorCode): boolean => SERVERS_FAULTS.has(code);

/** One thing wrong with an input: where it stands, what it must be, what was there (shortened). */
export interface Problem {
  /** A path such as `penguin.bill_length_mm`, `inputs[2].shape`, `parley.yaml: trainer.l2` or `penguins.thrift:14:3`. */
  readonly path: string;
  readonly message: string;
  readonly got?: string;
}

export interface ErrorDetails {
  readonly problems?: readonly Problem[];
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  readonly cause?: unknown;
}

export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly problems: readonly Problem[];
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.problems = details.problems ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
  }
}

/** Makes the function that raises one code: `throw notFound('no model "x"; publish one with …')`. */
const raise = (code: ErrorCode) => (message: string, details?: ErrorDetails) => new ParleyError(code, message, details);

export const invalidInput = raise('INVALID_INPUT');
export const notFound = raise('NOT_FOUND');
export const unauthenticated = raise('UNAUTHENTICATED');
export const permissionDenied = raise('PERMISSION_DENIED');
export const overloaded = raise('OVERLOADED');
export const deadlineExceeded = raise('DEADLINE_EXCEEDED');
export const contractMismatch = raise('CONTRACT_MISMATCH');
export const notAccepted = raise('NOT_ACCEPTED');
export const conflict = raise('CONFLICT');
export const storeUnavailable = raise('STORE_UNAVAILABLE');
export const modelBroken = raise('MODEL_BROKEN');
export const shuttingDown = raise('SHUTTING_DOWN');
export const unsupported = raise('UNSUPPORTED');
export const internal = raise('INTERNAL');

/**
 * An error that is an answer like others and made by the thousand: without the stack, which costs more than the rest of the
 * call, and tells nothing of it.
 */
export function withoutStack(make: () => ParleyError): ParleyError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The code that has this number on the wire; INTERNAL for a number that this release does not know. */
export function codeOfNumber(number: number): ErrorCode {
  for (const [code, row] of Object.entries(ERROR_CODES)) if (row.number === number) return code as ErrorCode;
  return 'INTERNAL';
}

/** Whether `code` is one that a file-system or network error of Node carries, such as `ENOENT`. */
export function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
