/**
 * The port: accepts connections, hands their frames to the dispatcher, writes once a turn, ends gracefully.
 *
 * Garbage on a socket ends that socket and nothing else.
 */
import { createServer, type Server as NetServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { hasErrno, invalidInput } from '../errors.js';
import type { Batcher } from '../serving/batcher.js';
import { Connection, type ConnectionOwner } from './connection.js';
import type { Limits } from './limits.js';

const SWEEP_MS = 1_000;
/** How long callers are told that the server stops before their connections end: longer than a call is on its way. */
const NOTICE_MS = 100;

export type FrameHandler = ConnectionOwner['onFrame'];

export class RpcServer {
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #batcher: Batcher;
  readonly #net: NetServer;
  readonly #connections = new Set<Connection>();
  readonly #dirty: Connection[] = [];
  #sweep: NodeJS.Timeout | undefined;

  constructor(onFrame: FrameHandler, batcher: Batcher, limits: Limits, log: Logger) {
    this.#limits = limits;
    this.#log = log;
    this.#batcher = batcher;
    const owner: ConnectionOwner = {
      limits,
      onFrame,
      onDirty: (connection) => {
        this.#dirty.push(connection);
        batcher.schedule();
      },
      onClose: (connection, reason) => {
        this.#connections.delete(connection);
        if (reason !== undefined) log.debug({ reason }, 'connection closed');
      },
    };
    batcher.onTurnEnd(() => this.#flush());
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#connections.add(new Connection(socket, owner)),
    );
    this.#net.maxConnections = limits.connections;
  }

  /** @returns where it listens. @throws ParleyError INVALID_INPUT when the port is in use */
  async listen(host: string, port: number): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', (error) => reject(listenError(error, host, port)));
      this.#net.listen({ host, port, backlog: 1024 }, resolve);
    });
    this.#net.removeAllListeners('error');
    this.#net.on('error', (error) => this.#log.warn({ err: error }, 'a connection could not be accepted'));
    this.#sweep = setInterval(() => this.#closeOverdue(), SWEEP_MS).unref();
    const address = this.#net.address();
    if (address === null || typeof address === 'string') throw invalidInput(`cannot listen on ${host}:${port}`);
    return { host: address.address, port: address.port };
  }

  get connections(): number {
    return this.#connections.size;
  }

  #flush(): void {
    const dirty = this.#dirty;
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }

  #closeOverdue(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const reason = connection.overdue(now);
      if (reason !== undefined) connection.close(reason);
    }
  }

  /**
   * The moment between refusing calls and ending connections: a call that was on its way is told SHUTTING_DOWN.
   *
   * Whoever answers the frames must be refusing them already. Where nobody is connected, nothing is waited for.
   */
  async notice(): Promise<void> {
    if (this.#connections.size === 0) return;
    await sleep(NOTICE_MS);
    // Where the loop was held up, its timers are due before what was sent meanwhile is read.
    await nextTurn();
  }

  /** Accepts nothing more, lets accepted calls finish, then closes what is left. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    this.#batcher.schedule();
    const force = setTimeout(() => {
      for (const connection of this.#connections) connection.close('the server stops');
    }, this.#limits.drainMs);
    await closed;
    clearTimeout(force);
  }
}

function listenError(error: Error, host: string, port: number): Error {
  if (hasErrno(error, 'EADDRINUSE'))
    return invalidInput(
      `port ${port} on ${host} is in use by another program; choose one with --port, or 0 for any free one`,
      { cause: error },
    );
  if (hasErrno(error, 'EACCES'))
    return invalidInput(
      `port ${port} on ${host} needs more rights than this user has; choose one above 1023 with --port`,
      { cause: error },
    );
  if (hasErrno(error, 'EADDRNOTAVAIL') || hasErrno(error, 'ENOTFOUND'))
    return invalidInput(`"${host}" is not an address of this machine; see --host`, { cause: error });
  return error;
}
