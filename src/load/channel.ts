/**
 * One connection of a load generator: sends copies of requests, and finds the call that a reply belongs to.
 *
 * Hot path: nothing is allocated for a call. What is sent in one turn is one write; reads go into one buffer that all
 * connections share. A connection that ends loses its calls and is opened again.
 */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { FIRST_SEQUENCE, SEQUENCES } from './frames.js';
import { type Failure, type ReplyReader, WrongReply } from './replies.js';

const shared = Buffer.allocUnsafeSlow(256 << 10);
const FIRST_OUT_BYTES = 16 << 10;
const REOPEN_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;

/** Whoever counts what comes of the calls. */
export interface ChannelOwner {
  readonly host: string;
  readonly port: number;
  /** Absent: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly requests: readonly Buffer[];
  readonly replies: ReplyReader;
  /** A call has its answer, or will never have one. @param at where the reply begins in the buffer, when there is one */
  onDone(channel: Channel, slot: number, failure: Failure | undefined, buffer: Buffer, at: number, end: number): void;
  /** After all that arrived at once: time to send more. */
  onRead(channel: Channel): void;
  /** Open again. */
  onOpen(channel: Channel): void;
  onWrong(error: Error): void;
}

const LOST: Failure = { code: 'CONNECTION_LOST', message: 'the connection ended before the answer came' };

export class Channel {
  /** By slot: when the call began, on performance.now()'s clock, and which request it is. */
  readonly startedMs: Float64Array;
  readonly requestOf: Int32Array;
  /** Whether an answer was walked through on this connection. */
  walked = false;

  readonly #owner: ChannelOwner;
  /** By slot: the sequence id that is waited for; 0: none. */
  readonly #waiting: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;
  /** Sequence ids are `slot + generation * slots`, from FIRST_SEQUENCE on: slots are a power of two. */
  readonly #slots: number;
  #generation = 0;
  #socket: Socket | undefined;
  #opening: NodeJS.Timeout | undefined;
  #greeting: ((error: Error | undefined) => void) | undefined;
  #open = false;
  #closed = false;
  #out = Buffer.allocUnsafeSlow(FIRST_OUT_BYTES);
  #outLength = 0;
  #rest = Buffer.alloc(0);
  #restLength = 0;

  constructor(
    owner: ChannelOwner,
    inFlight: number,
    readonly greetingFrame?: Uint8Array,
  ) {
    this.#owner = owner;
    this.#slots = 2 ** Math.ceil(Math.log2(Math.max(1, inFlight)));
    this.startedMs = new Float64Array(this.#slots);
    this.requestOf = new Int32Array(this.#slots);
    this.#waiting = new Int32Array(this.#slots);
    this.#free = Int32Array.from({ length: inFlight }, (_, i) => inFlight - 1 - i);
    this.#freeCount = inFlight;
  }

  /** Whether another call may be sent. */
  get ready(): boolean {
    return this.#open && this.#freeCount > 0;
  }

  /** Connects, and greets where that is asked for. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { host, port, tls } = this.#owner;
      const callback = (size: number): boolean => {
        this.#read(size);
        return true;
      };
      const reached = { host, port, noDelay: true, onread: { buffer: shared, callback } };
      const socket = tls === undefined ? connect(reached) : tlsConnect({ ...reached, ...tls });
      const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), CONNECT_TIMEOUT_MS);
      const settle = (error: Error | undefined): void => {
        clearTimeout(timer);
        this.#greeting = undefined;
        this.#open = error === undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#socket = socket;
      let failure: Error | undefined;
      socket.on('error', (error) => (failure = error));
      socket.on('close', () => {
        settle(failure ?? new Error('the server closed the connection'));
        if (this.#socket === socket) this.#lost();
      });
      socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
        if (this.greetingFrame === undefined) settle(undefined);
        else {
          this.#greeting = settle;
          socket.write(this.greetingFrame);
        }
      });
    });
  }

  /** Adds a call to what the next `flush` writes. Only where it is `ready`. */
  send(request: number, startedMs: number): void {
    const slot = this.#free[--this.#freeCount]!,
      bytes = this.#owner.requests[request]!;
    const sequence = FIRST_SEQUENCE + slot + this.#generation;
    this.#generation = (this.#generation + this.#slots) % SEQUENCES;
    this.#waiting[slot] = sequence;
    this.startedMs[slot] = startedMs;
    this.requestOf[slot] = request;
    const at = this.#outLength;
    if (at + bytes.length > this.#out.length) this.#grow(at + bytes.length);
    this.#out.set(bytes, at);
    this.#owner.replies.stamp(this.#out, at, sequence);
    this.#outLength = at + bytes.length;
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, this.#out.length * 2));
    this.#out.copy(larger, 0, 0, this.#outLength);
    this.#out = larger;
  }

  flush(): void {
    if (this.#outLength === 0) return;
    const socket = this.#socket!;
    socket.write(this.#out.subarray(0, this.#outLength));
    this.#outLength = 0;
    // The kernel has usually taken all of it when `write` returns; otherwise the buffer is the socket's.
    if (socket.writableLength > 0) this.#out = Buffer.allocUnsafeSlow(this.#out.length);
  }

  // ------------------------------------------------------------------ replies

  #read(size: number): void {
    if (this.#closed) return;
    try {
      if (this.#restLength === 0) this.#consume(shared, size);
      else this.#join(size);
    } catch (error) {
      this.#owner.onWrong(error as Error);
      this.close();
      return;
    }
    this.#owner.onRead(this);
    this.flush();
  }

  #consume(buffer: Buffer, length: number): void {
    const { replies } = this.#owner;
    let at = 0;
    while (at < length) {
      const size = replies.size(buffer, at, length);
      if (size === 0 || at + size > length) break;
      this.#reply(buffer, at, at + size);
      at += size;
    }
    this.#keep(buffer, at, length);
  }

  #keep(buffer: Buffer, at: number, length: number): void {
    this.#restLength = length - at;
    if (this.#restLength === 0) return;
    if (this.#rest.length < this.#restLength || buffer === this.#rest)
      this.#rest = Buffer.allocUnsafeSlow(Math.max(this.#restLength, 1024));
    buffer.copy(this.#rest, 0, at, length);
  }

  #join(size: number): void {
    const total = this.#restLength + size;
    if (total > this.#rest.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(total, this.#rest.length * 2));
      this.#rest.copy(larger, 0, 0, this.#restLength);
      this.#rest = larger;
    }
    shared.copy(this.#rest, this.#restLength, 0, size);
    this.#restLength = total;
    this.#consume(this.#rest, total);
  }

  #reply(buffer: Buffer, at: number, end: number): void {
    const { replies } = this.#owner;
    const sequence = replies.sequence(buffer, at, end);
    if (this.#greeting !== undefined) {
      const refused = replies.failure(buffer, at, end);
      this.#greeting(refused === undefined ? undefined : new Error(`${refused.code}: ${refused.message}`));
      return;
    }
    const slot = sequence < 0 ? 0 : (sequence - FIRST_SEQUENCE) & (this.#slots - 1);
    const waiting = this.#waiting[slot]!;
    if (waiting === 0 || (sequence >= 0 && waiting !== sequence))
      throw new WrongReply(`a reply to call ${sequence}, which nobody waits for`);
    const failure = replies.failure(buffer, at, end);
    this.#waiting[slot] = 0;
    this.#free[this.#freeCount++] = slot;
    this.#owner.onDone(this, slot, failure, buffer, at, end);
  }

  // ------------------------------------------------------------------ end

  #lost(): void {
    this.#open = false;
    this.walked = false;
    this.#restLength = this.#outLength = 0;
    this.#failAll(LOST);
    if (!this.#closed) this.#opening = setTimeout(() => this.#reopen(), REOPEN_MS);
  }

  #reopen(): void {
    // Failing again leads here again.
    this.open().then(
      () => this.#owner.onOpen(this),
      () => {},
    );
  }

  #failAll(failure: Failure): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#waiting[slot] === 0) continue;
      this.#waiting[slot] = 0;
      this.#free[this.#freeCount++] = slot;
      this.#owner.onDone(this, slot, failure, shared, 0, 0);
    }
  }

  /** Ends it; what was not answered fails with this. */
  close(failure?: Failure): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#open = false;
    clearTimeout(this.#opening);
    if (failure !== undefined) this.#failAll(failure);
    this.#socket?.destroy();
  }
}
