/**
 * One connection to a server: framed, binary protocol, many calls in flight, told apart by sequence id.
 *
 * Every pending call is rejected when the connection ends, which `thrift`'s own client for Node does not do.
 */
import type { Socket } from 'node:net';
import { deadlineExceeded, ParleyError } from '../../errors.js';
import { BinaryReader } from '../wire/binary.js';
import { Malformed } from '../wire/protocol.js';
import { type ClientClass, readStubs, type StubService, stubCall } from './generated-call.js';
import { type Address, adviceFor, openSocket, unreachable, whyNot } from './socket.js';

export type { Address } from './socket.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_FRAME_BYTES = 256 << 20;

/** Waits for a whole reply frame, without its length. */
interface Receiver {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
  /** The kernel has all of the call. */
  sent: boolean;
}

const stubs = new WeakMap<ClientClass, StubService>();

/** Looked through once. */
function stubsOf(Client: ClientClass): StubService {
  const found = stubs.get(Client) ?? readStubs(Client);
  stubs.set(Client, found);
  return found;
}

/** The connection ended, or never was. */
export class ConnectionLost extends ParleyError {
  /** Whether the server may have read the whole call. */
  readonly sent: boolean;

  constructor(lost: ParleyError, sent: boolean) {
    super(lost.code, lost.message, { cause: lost.cause });
    this.sent = sent;
  }
}

export class ClientConnection {
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #pending = new Map<number, Receiver>();
  #sequence = 0;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #ended = false;
  #heardMs = 0;
  #leaving = false;
  /** Why it has ended, where an error said it. */
  #reason: string | undefined;

  private constructor(socket: Socket, address: Address) {
    this.#socket = socket;
    this.#address = address;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => {
      this.#reason = address.tls === undefined ? error.message : whyNot(address, error);
      this.#end();
    });
    socket.on('close', () => this.#end());
  }

  /** @throws ParleyError STORE_UNAVAILABLE when nothing answers there or it cannot be trusted */
  static async open(address: Address): Promise<ClientConnection> {
    return new ClientConnection(await openSocket(address), address);
  }

  /** Whether nothing can be asked any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Calls without a reply so far. */
  get pending(): number {
    return this.#pending.size;
  }

  /** When the server last said anything, on performance.now()'s clock; 0: never. */
  get heardMs(): number {
    return this.#heardMs;
  }

  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0x7fffffff;
    return this.#sequence;
  }

  /**
   * Sends a whole frame, its length included, and waits for the reply with that sequence id.
   *
   * @throws ParleyError DEADLINE_EXCEEDED, and the connection lives on; ConnectionLost; the signal's reason
   */
  exchange(
    sequenceId: number,
    frame: Uint8Array,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    if (this.#ended) return Promise.reject(new ConnectionLost(this.#gone(), false));
    return new Promise((resolve, reject) => {
      const { host, port } = this.#address;
      const timer = setTimeout(
        () =>
          this.#forget(sequenceId)?.reject(
            deadlineExceeded(`${host}:${port} did not answer within ${timeoutMs / 1000} s`),
          ),
        timeoutMs,
      );
      const receiver: Receiver = { resolve, reject, timer, sent: false };
      if (signal !== undefined) this.#abortable(sequenceId, receiver, signal);
      this.#pending.set(sequenceId, receiver);
      this.#socket.write(frame, (error) => {
        receiver.sent = error === undefined || error === null;
      });
    });
  }

  #abortable(sequenceId: number, receiver: Receiver, signal: AbortSignal): void {
    const abort = () => this.#forget(sequenceId)?.reject(signal.reason);
    const { resolve, reject } = receiver;
    signal.addEventListener('abort', abort, { once: true });
    Object.assign(receiver, {
      resolve(frame: Buffer) {
        signal.removeEventListener('abort', abort);
        resolve(frame);
      },
      reject(error: unknown) {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    });
  }

  /** Nobody waits for that reply any more. @returns who did */
  #forget(sequenceId: number): Receiver | undefined {
    const receiver = this.#pending.get(sequenceId);
    if (receiver === undefined) return undefined;
    this.#pending.delete(sequenceId);
    clearTimeout(receiver.timer);
    if (this.#leaving && this.#pending.size === 0) this.close();
    return receiver;
  }

  /**
   * One call of a generic service through its generated client; errors come as ParleyErrors.
   *
   * @param Client the service's generated client class
   */
  async call<Response>(Client: ClientClass, method: string, request: unknown, timeoutMs?: number): Promise<Response> {
    const service = stubsOf(Client),
      found = service.methods.find(({ name }) => name === method)!,
      call = stubCall<Response>(service, found, [request], { service: undefined, idempotent: false }),
      sequenceId = this.nextSequence();
    return call.decode(await this.exchange(sequenceId, call.encode(sequenceId, {}), timeoutMs));
  }

  /** Ends as the last pending call has been answered. */
  leave(): void {
    this.#leaving = true;
    if (this.#pending.size === 0) this.close();
  }

  /** Pending calls are rejected with `reason`; absent: with the connection's own. */
  close(reason?: Error): void {
    this.#socket.destroy();
    this.#end(reason);
  }

  #read(chunk: Buffer): void {
    this.#heardMs = performance.now();
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered < 4) return;
    let bytes = this.#chunks.length === 1 ? chunk : this.#whole();
    if (bytes === undefined) return;
    while (bytes.length >= 4) {
      const size = bytes.readInt32BE(0);
      if (size <= 0 || size > MOST_FRAME_BYTES) {
        this.close();
        return;
      }
      if (bytes.length < size + 4) break;
      this.#receive(bytes.subarray(4, size + 4));
      bytes = bytes.subarray(size + 4);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#buffered = bytes.length;
  }

  /** Joins the chunks once the frame that they begin is whole, so that a large one is copied once. */
  #whole(): Buffer | undefined {
    if (this.#chunks[0]!.length < 4) this.#chunks = [Buffer.concat(this.#chunks)];
    if (this.#buffered < this.#chunks[0]!.readInt32BE(0) + 4) return undefined;
    return Buffer.concat(this.#chunks);
  }

  #receive(frame: Buffer): void {
    const reader = new BinaryReader();
    reader.reset(frame, 0, frame.length);
    try {
      reader.messageBegin();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.close();
      return;
    }
    this.#forget(reader.sequenceId)?.resolve(frame);
  }

  #end(reason?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer, sent } of pending) {
      clearTimeout(timer);
      reject(reason ?? new ConnectionLost(this.#gone(), sent));
    }
  }

  #gone(): ParleyError {
    const isMute = this.#heardMs === 0 && this.#address.tls === undefined,
      hint = isMute ? ` without a word, as those do that take TLS only (${adviceFor(this.#address).tls})` : '';
    return unreachable(this.#address, this.#reason ?? `the connection has ended${hint}`);
  }
}
