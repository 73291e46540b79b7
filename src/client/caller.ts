/** Makes calls: finds a connection, tells the server the deadline, tries again where that helps. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadlineExceeded, ParleyError } from '../errors.js';
import { ClientConnection, ConnectionLost } from '../rpc/client/connection.js';
import { pingCall } from '../rpc/client/generic-calls.js';
import type { WireCall } from '../rpc/client/wire-call.js';
import { atLeast, type CallOptions, type Settings } from './options.js';
import { closedUnderCall, type Lease, Pool } from './pool.js';
import { RetryBudget } from './retry-budget.js';
import { pauseMs } from './retry-policy.js';

/** Of this client, since it connected. */
export interface ClientStats {
  readonly calls: number;
  /** Tries beyond each call's first. */
  readonly retries: number;
  readonly connections: number;
  /** Connections that were opened, those that have ended included. */
  readonly opened: number;
  /** Calls under way, those that wait for a connection or for a retry included. */
  readonly pending: number;
}

/** One call under way. */
interface UnderWay {
  readonly requestId: string;
  readonly endMs: number;
  readonly options: CallOptions;
}

export class Caller {
  readonly #settings: Settings;
  readonly #pool: Pool;
  readonly #budget: RetryBudget;
  /** The token that was last shown on a connection by itself. */
  readonly #shown = new WeakMap<ClientConnection, string>();
  readonly #ids = randomBytes(6).toString('hex');
  #calls = 0;
  #retries = 0;
  #pending = 0;
  #closed = false;

  /** @param greet what a new connection must get through before it is used */
  constructor(settings: Settings, greet: (ask: Ask) => Promise<void>) {
    this.#settings = settings;
    this.#budget = new RetryBudget(settings.retries.budget, settings.retries.burst);
    this.#pool = new Pool(settings.connections, async () => {
      const connection = await ClientConnection.open(settings.address);
      try {
        await greet((call) => this.#greeting(connection, call));
        return connection;
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  /** @throws ParleyError when no connection can be opened */
  async open(): Promise<void> {
    try {
      (await this.#pool.acquire()).release();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get stats(): ClientStats {
    const { connections, opened } = this.#pool;
    return { calls: this.#calls, retries: this.#retries, connections, opened, pending: this.#pending };
  }

  close(): void {
    this.#closed = true;
    this.#pool.close();
  }

  /** @throws ParleyError, the signal's reason, and exceptions of the caller's own contract */
  async run<T>(call: WireCall<T>, options: CallOptions = {}): Promise<T> {
    const { timeoutMs = this.#settings.timeoutMs, signal, requestId = `${this.#ids}-${this.#calls + 1}` } = options;
    atLeast('timeoutMs', timeoutMs, 1);
    signal?.throwIfAborted();
    this.#calls++;
    this.#budget.deposit();
    this.#pending++;
    try {
      return await this.#untilAnswered(call, { requestId, endMs: performance.now() + timeoutMs, options });
    } catch (error) {
      const isClosed = this.#closed && error instanceof ConnectionLost;
      throw withRequestId(isClosed ? closedUnderCall() : error, requestId);
    } finally {
      this.#pending--;
    }
  }

  async #untilAnswered<T>(call: WireCall<T>, underWay: UnderWay): Promise<T> {
    const { options } = underWay,
      idempotent = options.idempotent ?? call.idempotent;
    for (let retries = 0; ; retries++) {
      try {
        return await this.#try(call, underWay);
      } catch (error) {
        const failure = { error, retries, idempotent, leftMs: underWay.endMs - performance.now() };
        const ms =
          this.#closed || options.signal?.aborted ? undefined : pauseMs(failure, this.#settings.retries, Math.random());
        if (ms === undefined || !this.#budget.take()) throw error;
        this.#retries++;
        await pause(ms, options.signal);
      }
    }
  }

  async #try<T>(call: WireCall<T>, underWay: UnderWay): Promise<T> {
    const lease = await this.#lease(underWay),
      { connection } = lease,
      begunMs = performance.now();
    try {
      const sequenceId = connection.nextSequence(),
        frame = call.encode(sequenceId, await this.#context(connection, call, underWay));
      return call.decode(await connection.exchange(sequenceId, frame, leftOf(underWay), underWay.options.signal));
    } catch (error) {
      if (isGivenUp(error, connection, begunMs)) this.#pool.retire(connection);
      throw error;
    } finally {
      lease.release();
    }
  }

  async #lease(underWay: UnderWay): Promise<Lease> {
    const { host, port } = this.#settings.address,
      acquiring = this.#pool.acquire();
    return within(leftOf(underWay), underWay.options.signal, acquiring).catch((error: unknown) => {
      // It may come yet.
      acquiring.then(
        (lease) => lease.release(),
        () => {},
      );
      if (error !== LATE) throw error;
      const { failure } = this.#pool,
        why = failure instanceof Error ? `; the last attempt: ${failure.message}` : '';
      throw deadlineExceeded(`no connection to ${host}:${port} within the call's time${why}`);
    });
  }

  async #context(connection: ClientConnection, call: WireCall<unknown>, underWay: UnderWay) {
    const token = await this.#settings.token();
    if (!call.takesContext && token !== undefined && this.#shown.get(connection) !== token) {
      await this.#ask(connection, pingCall(), leftOf(underWay), token);
      this.#shown.set(connection, token);
    }
    const { requestId, options } = underWay;
    return {
      requestId,
      timeoutMs: Math.ceil(leftOf(underWay)),
      token,
      trace: options.trace ?? this.#settings.trace(),
    };
  }

  async #greeting<T>(connection: ClientConnection, call: WireCall<T>): Promise<T> {
    return this.#ask(connection, call, this.#settings.timeoutMs, await this.#settings.token());
  }

  async #ask<T>(connection: ClientConnection, call: WireCall<T>, timeoutMs: number, token: string | undefined) {
    const sequenceId = connection.nextSequence();
    return call.decode(await connection.exchange(sequenceId, call.encode(sequenceId, { token }), timeoutMs));
  }
}

/** One call on a certain connection. */
export type Ask = <T>(call: WireCall<T>) => Promise<T>;

const leftOf = ({ endMs }: UnderWay): number => Math.max(1, endMs - performance.now());

/** The server is leaving, or has said nothing since the call that it did not answer in time. */
const isGivenUp = (error: unknown, connection: ClientConnection, begunMs: number): boolean =>
  error instanceof ParleyError &&
  (error.code === 'SHUTTING_DOWN' || (error.code === 'DEADLINE_EXCEEDED' && connection.heardMs < begunMs));

const LATE = Symbol('late');

/** What comes of the work, unless time or signal ends first. @throws LATE, or the signal's reason */
async function within<T>(ms: number, signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(LATE), ms),
      abort = () => reject(signal!.reason);
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stop();
  }
}

/** @throws the signal's reason */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Errors that were made on this side know the call too. */
function withRequestId(error: unknown, requestId: string): unknown {
  if (!(error instanceof ParleyError) || error.requestId !== undefined) return error;
  const { code, message, problems, retryAfterMs, cause } = error;
  return new ParleyError(code, message, {
    problems,
    requestId,
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
