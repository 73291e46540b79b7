/** What a program says when it connects and when it calls. */
import { parseAddress, token as tokenOfEnvironment } from '../config.js';
import { invalidInput } from '../errors.js';
import type { Address, Advice } from '../rpc/client/socket.js';
import { DEFAULT_RETRIES, type RetryPolicy } from './retry-policy.js';

/** W3C trace context: `traceparent`, `tracestate`. */
export type Trace = Readonly<Record<string, string>>;

export interface ClientOptions {
  /** How long a call may take in all, its retries included (default 10 000). */
  readonly timeoutMs?: number;
  /** How long one connection may take to open (default 5 000). */
  readonly connectTimeoutMs?: number;
  /** Connections at most; the second is opened when the first one has calls under way (default 2). */
  readonly connections?: number;
  readonly retries?: RetryOptions;
  /** What the server knows this program by; a function is asked for every try. Absent: PARLEY_TOKEN of the environment. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>);
  /** `true`: the server's certificate is one that this machine trusts. Paths of PEM files otherwise. */
  readonly tls?: boolean | { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /**
   * The contract that this program is written against: a Thrift file, or its text. With it the client has its services by
   * name, and `negotiate` has something to ask about.
   */
  readonly contract?: string | ContractText;
  /** Every new connection asks the server whether it keeps the contract, and is not used where it does not. */
  readonly negotiate?: boolean;
  /** Asked before each call that brings no trace of its own. */
  readonly trace?: () => Trace | undefined;
}

export interface ContractText {
  readonly idl: string;
  /** File name -> text of every included file but parley.thrift. */
  readonly includes?: Readonly<Record<string, string>>;
}

export interface RetryOptions extends Partial<RetryPolicy> {
  /** Retries per call in the long run (default 0.1). */
  readonly budget?: number;
  /** Retries that may come at once, before the budget has grown (default 10). */
  readonly burst?: number;
}

export interface CallOptions {
  /** How long the call may take in all; the server is told what is left of it. */
  readonly timeoutMs?: number;
  /** Found in the server's log and in errors; one is made when absent. */
  readonly requestId?: string;
  readonly signal?: AbortSignal;
  readonly trace?: Trace;
  /** `false`: not asked again where the server may have heard it. Calls of `Registry` and `Training` are not, unless told to. */
  readonly idempotent?: boolean;
}

export interface Settings {
  readonly address: Address;
  readonly timeoutMs: number;
  readonly connections: number;
  readonly retries: RetryPolicy & { readonly budget: number; readonly burst: number };
  readonly token: () => string | undefined | Promise<string | undefined>;
  readonly trace: () => Trace | undefined;
}

const ADVICE: Advice = {
  start: 'start one with "parley serve", or connect to another HOST:PORT',
  tls: 'the option tls',
  ca: 'the option tls.ca',
  cert: 'the option tls.cert',
  key: 'tls.key',
  withoutTls: 'leave out the option tls',
};

/** @throws ParleyError INVALID_INPUT */
export function settingsOf(address: string, options: ClientOptions): Settings {
  const { token, tls, retries = {}, timeoutMs = 10_000, connectTimeoutMs = 5_000, connections = 2 } = options;
  atLeast('timeoutMs', timeoutMs, 1);
  atLeast('connectTimeoutMs', connectTimeoutMs, 1);
  atLeast('connections', connections, 1);
  const { most = DEFAULT_RETRIES.most, budget = 0.1, burst = 10, ...pauses } = retries;
  atLeast('retries.most', most, 0);
  atLeast('retries.budget', budget, 0);
  atLeast('retries.burst', burst, 0);
  const files = tls === true ? {} : tls === false ? undefined : tls;
  if (files !== undefined && (files.cert === undefined) !== (files.key === undefined))
    throw invalidInput(
      'a certificate to show to the server needs its key, and a key its certificate; give tls.cert and tls.key',
    );
  const found = token ?? tokenOfEnvironment(undefined);
  return {
    address: {
      ...parseAddress(address),
      connectTimeoutMs,
      advice: ADVICE,
      ...(files === undefined ? {} : { tls: files }),
    },
    timeoutMs,
    connections: Math.floor(connections),
    retries: { ...DEFAULT_RETRIES, ...pauses, most, budget, burst },
    token: typeof found === 'function' ? found : () => found,
    trace: options.trace ?? (() => undefined),
  };
}

export function atLeast(name: string, value: unknown, least: number): void {
  if (typeof value !== 'number' || !(value >= least) || value > 2 ** 31 - 1)
    throw invalidInput(`option ${name} is ${String(value)}; it must be a number of ${least} or more, and below 2^31`);
}
