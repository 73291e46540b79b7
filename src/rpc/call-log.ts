/**
 * The log of calls: failures and slow calls, or all of them, as lines whose fields docs/logs.md lists. Never what a caller
 * sent: neither inputs nor tokens, nor the messages of errors, which repeat inputs.
 *
 * So that a flood of bad calls is no flood of lines, each kind of line has a budget a second; what goes beyond is counted,
 * and told in one line when the second is over.
 */
import type { Level, Logger } from 'pino';
import { type ErrorCode, isServersFault } from '../errors.js';
import type { EndedCall } from './ended-calls.js';

export const ACCESS_LOGS = ['off', 'failures', 'all'] as const;
export interface CallLogOptions {
  /** `off`: defects alone; `failures`: also other failures and slow calls; `all`: each call. */
  readonly access: (typeof ACCESS_LOGS)[number];
  /** Successful calls that took this long are slow. */
  readonly slowMs: number;
}
export const DEFAULT_CALL_LOG: CallLogOptions = { access: 'failures', slowMs: 1_000 };

const WINDOW_MS = 1_000;
/** Lines of one kind (an error's code, `slow`) in a second, and of calls that are neither. */
const LINES = 10,
  ORDINARY_LINES = 100;

interface Budget {
  untilMs: number;
  lines: number;
  suppressed: number;
}

export class CallLog {
  readonly #log: Logger;
  readonly #options: CallLogOptions;
  readonly #budgets = new Map<string, Budget>();
  readonly #suppressed = new Map<string, number>();
  /** Successful calls that took less are not told of. */
  readonly quickMs: number;

  constructor(log: Logger, options: CallLogOptions = DEFAULT_CALL_LOG) {
    this.#log = log;
    this.#options = options;
    this.quickMs = { off: Number.POSITIVE_INFINITY, failures: options.slowMs, all: Number.NEGATIVE_INFINITY }[
      options.access
    ];
  }

  /** Lines that were not written, by the error's code, `slow` or `ok`. */
  get suppressed(): ReadonlyMap<string, number> {
    return this.#suppressed;
  }

  answered(call: EndedCall): void {
    const { access, slowMs } = this.#options,
      slow = call.endedMs - call.arrivedMs >= slowMs;
    if (access === 'off' || (access === 'failures' && !slow)) return;
    if (slow) this.#write('slow', 'warn', LINES, 'a slow call', () => fieldsOf(call));
    else this.#write('ok', 'info', ORDINARY_LINES, 'a call', () => fieldsOf(call));
  }

  failed(call: EndedCall, code: ErrorCode, error: unknown): void {
    if (code === 'INTERNAL') {
      const fields = () => ({ err: error, ...fieldsOf(call), code });
      this.#write(code, 'error', LINES, 'a call failed on a defect', fields);
    } else if (this.#options.access !== 'off')
      this.#write(code, isServersFault(code) ? 'warn' : 'info', LINES, 'a call failed', () => ({
        ...fieldsOf(call),
        code,
      }));
  }

  #write(kind: string, level: Level, most: number, message: string, fields: () => object): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const now = performance.now();
    let budget = this.#budgets.get(kind);
    if (budget === undefined || budget.untilMs <= now)
      this.#budgets.set(kind, (budget = { untilMs: now + WINDOW_MS, lines: 0, suppressed: 0 }));
    if (budget.lines < most) {
      budget.lines++;
      this.#log[level](fields(), message);
    } else this.#suppress(kind, level, budget);
  }

  #suppress(kind: string, level: Level, budget: Budget): void {
    this.#suppressed.set(kind, (this.#suppressed.get(kind) ?? 0) + 1);
    if (budget.suppressed++ > 0) return;
    setTimeout(
      () => this.#log[level]({ kind, suppressed: budget.suppressed }, 'more calls like these were not logged'),
      WINDOW_MS,
    ).unref();
  }
}

/** What a call's line says; what is undefined is left out. */
function fieldsOf({ trace, arrivedMs, endedMs, queueUs, ...rest }: EndedCall): object {
  return {
    ...rest,
    ...(queueUs === undefined ? {} : { queueUs: Math.round(queueUs) }),
    ...(trace === undefined ? {} : { traceId: trace.traceId }),
    durationMs: Math.round((endedMs - arrivedMs) * 1000) / 1000,
  };
}
