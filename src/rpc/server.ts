/**
 * The port: accepts connections, hands their frames to the dispatcher, writes once a turn, ends gracefully.
 *
 * Garbage on a socket ends that socket and nothing else, also where it is meant to be TLS.
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { hasErrno, invalidInput } from '../errors.js';
import type { Certificates } from '../security/certificates.js';
import type { Batcher } from '../serving/batcher.js';
import { Connection, type ConnectionOwner, type Totals } from './connection.js';
import type { Limits } from './limits.js';
import { Traffic } from './traffic.js';

const SWEEP_MS = 1_000;
/** How long callers are told that the server stops before their connections end: longer than a call is on its way. */
const NOTICE_MS = 100;
/** Connections that paused because of all calls together go on when so much of the limit is left. */
const ROOM = 0.9;

export type FrameHandler = ConnectionOwner['onFrame'];

export class RpcServer {
  readonly totals: Totals = { calls: 0, bytes: 0 };
  /** Connections that did not get through TLS. */
  failedHandshakes = 0;
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #batcher: Batcher;
  readonly #net: NetServer;
  readonly #connections = new Set<Connection>();
  readonly traffic = new Traffic();
  /** Sockets that have not got through TLS yet, by their far end. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #dirty: Connection[] = [];
  #crowded: Connection[] = [];
  #sweep: NodeJS.Timeout | undefined;
  /** Those in TLS's handshake are among them. */
  #sockets = 0;

  /** @param certificates for TLS; absent: none */
  constructor(onFrame: FrameHandler, batcher: Batcher, limits: Limits, log: Logger, certificates?: Certificates) {
    this.#limits = limits;
    this.#log = log;
    this.#batcher = batcher;
    const owner: ConnectionOwner = {
      limits,
      traffic: this.traffic,
      totals: this.totals,
      onFrame,
      onDirty: (connection) => {
        this.#dirty.push(connection);
        batcher.schedule();
      },
      onCrowded: (connection) => {
        this.#crowded.push(connection);
      },
      onFlooded: () => this.#closeLargest(),
      onClose: (connection, reason) => {
        this.#connections.delete(connection);
        if (connection.pending > 0) batcher.ends++;
        this.traffic.ended(reason);
        if (this.#crowded.length > 0) batcher.schedule();
        if (reason !== undefined) log.debug({ reason }, 'connection closed');
      },
    };
    batcher.onTurnEnd(() => this.#flush());
    const onSocket = (socket: Socket) => {
      this.traffic.began();
      this.#connections.add(new Connection(socket, owner));
    };
    const secured = certificates && this.#secured(certificates, onSocket);
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (!this.#admits(socket)) return;
      if (secured === undefined) onSocket(socket);
      else secured(socket);
    });
  }

  /** Node's own limit has one of several processes hand what is too much to the next one, and that one back, on and on. */
  #admits(socket: Socket): boolean {
    if (this.#sockets >= this.#limits.connections) {
      this.traffic.refused++;
      socket.destroy();
      return false;
    }
    this.#sockets++;
    socket.once('close', () => this.#sockets--);
    return true;
  }

  /** What takes a socket through TLS. A changed certificate counts from the next connection on. */
  #secured(certificates: Certificates, onSocket: (socket: Socket) => void): (socket: Socket) => void {
    const handshakeTimeout = this.#limits.handshakeTimeoutMs;
    const server = createTlsServer({ ...certificates.tls, handshakeTimeout, allowHalfOpen: true, noDelay: true });
    certificates.onChange((tls) => server.setSecureContext(tls));
    server.on('secureConnection', (socket) => {
      this.#handshakes.delete(farEnd(socket));
      onSocket(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      this.failedHandshakes++;
      this.#log.debug({ reason: error.message }, 'connection closed before it got through TLS');
      socket.destroy();
    });
    return (socket) => {
      const far = farEnd(socket);
      this.#handshakes.set(far, socket);
      socket.once('close', () => this.#handshakes.delete(far));
      server.emit('connection', socket);
    };
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
    if (this.#crowded.length > 0) this.#uncrowd();
  }

  /** In the order in which they paused; who finds no room waits again, behind the others. */
  #uncrowd(): void {
    const { totals } = this,
      { calls, allBufferedBytes } = this.#limits;
    if (totals.calls > calls * ROOM || totals.bytes > allBufferedBytes * ROOM) return;
    const waiting = this.#crowded;
    this.#crowded = [];
    for (const connection of waiting) connection.uncrowd();
  }

  /** Until there is room again, or what is left belongs to calls that run. */
  #closeLargest(): void {
    while (this.totals.bytes > this.#limits.allBufferedBytes) {
      let largest: Connection | undefined;
      for (const connection of this.#connections)
        if (connection.bufferedBytes > (largest?.bufferedBytes ?? 0)) largest = connection;
      if (largest === undefined) return;
      largest.close('it keeps the most of too many bytes');
    }
  }

  #closeOverdue(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const reason = connection.overdue(now);
      if (reason !== undefined) connection.close(reason);
    }
    // Bytes of calls whose callers have gone are let go without a reply.
    this.#uncrowd();
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
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const connection of this.#connections) connection.drain();
    this.#batcher.schedule();
    const force = setTimeout(() => {
      for (const connection of this.#connections) connection.close('the server stops');
    }, this.#limits.drainMs);
    await closed;
    clearTimeout(force);
  }
}

const farEnd = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

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
