/** A few connections to one server: the next call goes to the one with the fewest calls under way. */
import { shuttingDown } from '../errors.js';
import type { ClientConnection } from '../rpc/client/connection.js';

const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 5_000;

/** A connection for one call, until it is given back. */
export class Lease {
  readonly connection: ClientConnection;
  readonly #busy: Map<ClientConnection, number>;

  constructor(connection: ClientConnection, busy: Map<ClientConnection, number>) {
    this.connection = connection;
    this.#busy = busy;
    busy.set(connection, (busy.get(connection) ?? 0) + 1);
  }

  release(): void {
    const calls = this.#busy.get(this.connection)! - 1;
    if (calls > 0) this.#busy.set(this.connection, calls);
    else this.#busy.delete(this.connection);
  }
}

/** A place for one connection, which is opened again when it has ended; after failures not at once. */
class Slot {
  connection: ClientConnection | undefined;
  /** Why the last attempt failed; undefined once one has not. */
  failure: unknown;
  readonly #open: () => Promise<ClientConnection>;
  #opening: Promise<ClientConnection> | undefined;
  #failures = 0;
  #earliestMs = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(open: () => Promise<ClientConnection>) {
    this.#open = open;
  }

  get live(): boolean {
    return this.connection !== undefined && !this.connection.ended;
  }

  /** What is there, or the next attempt. @throws why it failed */
  get(): Promise<ClientConnection> {
    if (this.live) return Promise.resolve(this.connection!);
    this.#opening ??= this.#attempt().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #attempt(): Promise<ClientConnection> {
    const waitMs = this.#earliestMs - performance.now();
    if (waitMs > 0) await this.#pause(waitMs);
    if (this.#closed) throw clientClosed();
    let connection: ClientConnection;
    try {
      connection = await this.#open();
    } catch (error) {
      this.failure = error;
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures++);
      this.#earliestMs = performance.now() + backoffMs * (0.5 + Math.random() / 2);
      throw error;
    }
    if (this.#closed) {
      connection.close();
      throw clientClosed();
    }
    this.#failures = 0;
    this.failure = undefined;
    this.connection = connection;
    return connection;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(reason: Error): void {
    this.#closed = true;
    this.#wake?.();
    this.connection?.close(reason);
  }
}

export class Pool {
  readonly #slots: readonly Slot[];
  /** Connections that are given up and still have calls under way. */
  readonly #leaving = new Set<ClientConnection>();
  /** Calls on each connection that has some, from before they are written. */
  readonly #busy = new Map<ClientConnection, number>();
  #opened = 0;
  #closed = false;

  /** @param open opens one connection and makes it ready */
  constructor(size: number, open: () => Promise<ClientConnection>) {
    const counted = async () => {
      const connection = await open();
      this.#opened++;
      return connection;
    };
    this.#slots = Array.from({ length: size }, () => new Slot(counted));
  }

  /** Connections that have been opened so far. */
  get opened(): number {
    return this.#opened;
  }

  get connections(): number {
    return this.#slots.filter((slot) => slot.live).length;
  }

  /** Why there is none, where one was tried. */
  get failure(): unknown {
    return this.#slots.find(({ failure }) => failure !== undefined)?.failure;
  }

  /**
   * The least busy connection. Where all are busy, another one is opened meanwhile; where there is none, the next attempt
   * is waited for.
   *
   * @throws ParleyError SHUTTING_DOWN once closed, and why the attempt failed
   */
  async acquire(): Promise<Lease> {
    if (this.#closed) throw clientClosed();
    const load = (connection: ClientConnection): number => this.#busy.get(connection) ?? 0;
    const [best] = this.#slots
      .flatMap((slot) => (slot.live ? slot.connection! : []))
      .sort((one, other) => load(one) - load(other));
    const vacant = this.#slots.find((slot) => !slot.live);
    if (best === undefined) return new Lease(await vacant!.get(), this.#busy);
    // Nobody waits for this one, so that its failure is told to those who come to need it.
    if (load(best) > 0) vacant?.get().catch(() => {});
    return new Lease(best, this.#busy);
  }

  /** Takes no more calls for this connection; those under way are waited for. */
  retire(connection: ClientConnection): void {
    for (const slot of this.#slots) if (slot.connection === connection) slot.connection = undefined;
    for (const left of this.#leaving) if (left.ended) this.#leaving.delete(left);
    this.#leaving.add(connection);
    connection.leave();
  }

  close(): void {
    this.#closed = true;
    const reason = closedUnderCall();
    for (const slot of this.#slots) slot.close(reason);
    for (const connection of this.#leaving) connection.close(reason);
  }
}

const clientClosed = (): Error => shuttingDown('this client has been closed; connect again');
export const closedUnderCall = (): Error => shuttingDown('this client has been closed while the call was under way');
