/**
 * What becomes known of a call when it has ended: errors are counted by code, some calls are logged, those that belong to a
 * trace become a span. Nearly all calls succeed, are quick and belong to none: they do not get here.
 */
import type { ErrorCode, ParleyError } from '../errors.js';
import type { CallLog } from './call-log.js';
import { visibleError } from './replies.js';
import type { CallSpans, TraceParent } from './spans.js';

/** One call as it is told of; never its inputs, its answer or its token. */
export interface EndedCall {
  /** `Service:method`. */
  readonly method: string;
  readonly requestId: string | undefined;
  readonly trace: TraceParent | undefined;
  /** On performance.now()'s clock. */
  readonly arrivedMs: number;
  readonly endedMs: number;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly alias?: string | undefined;
  readonly rows?: number;
  readonly queueUs?: number;
  readonly computeUs?: number;
  readonly cached?: boolean;
}

export class EndedCalls {
  readonly #errors = new Map<ErrorCode, number>();
  /** Calls of methods that there are not. */
  unknownMethods = 0;

  constructor(
    private readonly log: CallLog,
    private readonly spans?: CallSpans,
  ) {}

  /** Calls that succeeded after less than this, and belong to no trace, need not be told of; milliseconds. */
  get quickMs(): number {
    return this.log.quickMs;
  }

  /** Whether a call's trace is of use to anyone. */
  get traced(): boolean {
    return this.spans !== undefined;
  }

  /** Answers that were errors, by code. */
  get errors(): ReadonlyMap<ErrorCode, number> {
    return this.#errors;
  }

  /** An answer that was this error. */
  count(code: ErrorCode): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  answered(call: EndedCall): void {
    this.log.answered(call);
    if (call.trace !== undefined) this.spans?.record(call, call.trace, undefined);
  }

  /** @returns what the caller may see of the error */
  failed(call: EndedCall, error: unknown): ParleyError {
    const visible = visibleError(error);
    this.count(visible.code);
    this.log.failed(call, visible.code, error);
    if (call.trace !== undefined) this.spans?.record(call, call.trace, visible.code);
    return visible;
  }
}
