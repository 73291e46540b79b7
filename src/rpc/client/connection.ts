/**
 * One connection to a server: framed, binary protocol, many calls in flight, told apart by sequence id.
 *
 * Every pending call is rejected when the connection ends, which `thrift`'s own client for Node does not do.
 */
import type { Socket } from 'node:net';
import thrift from 'thrift';
import { deadlineExceeded, internal, unsupported } from '../../errors.js';
import { isParleyErrorStruct, receivedError } from '../error-mapping.js';
import { BinaryReader } from '../wire/binary.js';
import { Malformed } from '../wire/protocol.js';
import { type Address, openSocket, unreachable, whyNot } from './socket.js';

export type { Address } from './socket.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_FRAME_BYTES = 256 << 20;

/** A whole reply frame, without its length. */
type Receiver = {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
};

/** What the Thrift compiler makes for one service. */
interface GeneratedClient {
  new_seqid(): number;
  readonly [method: string]: unknown;
}
type ClientClass = new (output: unknown, protocol: unknown) => object;

const FramedTransport = thrift.TFramedTransport as unknown as new (
  input: Buffer | undefined,
  onFlush?: (frame: Buffer) => void,
) => thrift.TTransport;

export class ClientConnection {
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #pending = new Map<number, Receiver>();
  #sequence = 0;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #ended = false;
  #hasHeard = false;
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

  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0x7fffffff;
    return this.#sequence;
  }

  /** Sends a whole frame, its length included, and waits for the reply with that sequence id. */
  exchange(sequenceId: number, frame: Uint8Array, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Buffer> {
    if (this.#ended) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(sequenceId);
        reject(
          deadlineExceeded(`${this.#address.host}:${this.#address.port} did not answer within ${timeoutMs / 1000} s`),
        );
      }, timeoutMs);
      this.#pending.set(sequenceId, { resolve, reject, timer });
      this.#socket.write(frame);
    });
  }

  /**
   * One call of a generic service through its generated client; errors come as ParleyErrors.
   *
   * @param Client the service's generated client class
   */
  async call<Response>(Client: ClientClass, method: string, request: unknown, timeoutMs?: number): Promise<Response> {
    const sequenceId = this.nextSequence();
    let frame: Buffer | undefined;
    const client = new Client(
      new FramedTransport(undefined, (bytes) => (frame = bytes)),
      thrift.TBinaryProtocol,
    ) as GeneratedClient & Record<string, unknown>;
    client._seqid = sequenceId - 1;
    const answer = (client[method] as (request: unknown) => Promise<Response>)(request);
    // Taken now: the generated code forgets it before it reads the reply, which may fail.
    const fail = (client._reqs as Record<number, (error: unknown) => void>)[sequenceId]!;
    this.exchange(sequenceId, frame!, timeoutMs)
      .then((reply) => {
        const protocol = new thrift.TBinaryProtocol(new FramedTransport(reply));
        const { mtype, rseqid } = protocol.readMessageBegin();
        (client[`recv_${method}`] as (...parts: unknown[]) => void)(protocol, mtype, rseqid);
      })
      .catch(fail);
    try {
      return await answer;
    } catch (error) {
      throw clientError(error);
    }
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #read(chunk: Buffer): void {
    this.#hasHeard = true;
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
    const receiver = this.#pending.get(reader.sequenceId);
    if (receiver === undefined) return;
    this.#pending.delete(reader.sequenceId);
    clearTimeout(receiver.timer);
    receiver.resolve(frame);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#gone());
    }
    this.#pending.clear();
  }

  #gone(): Error {
    const isMute = !this.#hasHeard && this.#address.tls === undefined,
      hint = isMute ? ' without a word, as those do that take TLS only (--tls)' : '';
    return unreachable(this.#address, this.#reason ?? `the connection has ended${hint}`);
  }
}

/** What a generated client rejects with, as a ParleyError. */
export function clientError(error: unknown): unknown {
  if (isParleyErrorStruct(error)) return receivedError(error);
  if (error instanceof Error && error.name === 'ParleyError' && 'retryable' in error) return error;
  if (error instanceof thrift.Thrift.TApplicationException)
    return unsupported(`the server does not take the call: ${error.message}`);
  return error instanceof Error ? error : internal(String(error));
}
