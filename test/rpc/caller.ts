/** A caller that says and hears bytes: frames as they are, and what became of them. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';

/** A whole frame: its length, then the message. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + message.length);
  frame.writeInt32BE(message.length);
  frame.set(message, 4);
  return frame;
}

const DEADLINE_MS = 10_000;

/** Nothing came when something had to. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

export interface CallerAddress {
  readonly host: string;
  readonly port: number;
  /** The CA, for TLS. */
  readonly ca?: string;
}

/** Through a stream of its own: Node does not survive everything that is done to a socket below TLS. */
function overTls(raw: Socket, { host, ca }: CallerAddress): Socket {
  const socket = Duplex.from({ readable: raw, writable: raw });
  return tlsConnect({ socket, ca, host });
}

export class Caller {
  readonly socket: Socket;
  /** What TLS goes over; without TLS the same. */
  readonly #raw: Socket;
  readonly frames: Buffer[] = [];
  closed = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** As many bytes as must be there before it is worth looking. */
  #wanted = 4;
  #changed: (() => void) | undefined;

  constructor(address: CallerAddress) {
    this.#raw = connect({ ...address, allowHalfOpen: true });
    this.socket = address.ca === undefined ? this.#raw : overTls(this.#raw, address);
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.#read(chunk));
    this.socket.on('error', () => this.#close());
    this.socket.on('end', () => {
      this.#close();
      this.socket.end();
    });
    this.socket.on('close', () => this.#close());
  }

  static async open(address: CallerAddress): Promise<Caller> {
    const caller = new Caller(address);
    // One that is refused may never get through TLS.
    const ready = once(caller.socket, address.ca === undefined ? 'connect' : 'secureConnect');
    if (!caller.closed) await ready.catch(() => {});
    return caller;
  }

  #close(): void {
    this.closed = true;
    this.#changed?.();
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return;
    const bytes = Buffer.concat(this.#chunks);
    let at = 0;
    this.#wanted = 4;
    while (bytes.length - at >= 4) {
      this.#wanted = 4 + bytes.readInt32BE(at);
      if (bytes.length - at < this.#wanted) break;
      this.frames.push(bytes.subarray(at + 4, at + this.#wanted));
      at += this.#wanted;
      this.#wanted = 4;
    }
    this.#chunks = [bytes.subarray(at)];
    this.#bytes = bytes.length - at;
    this.#changed?.();
  }

  send(bytes: Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Waits until so many frames are there or the connection is closed. @throws Silence at the deadline */
  async heard(frames: number, deadlineMs = DEADLINE_MS): Promise<readonly Buffer[]> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Silence(`${this.frames.length} of ${frames} replies after ${deadlineMs} ms`)),
        deadlineMs,
      );
      this.#changed = () => {
        if (this.frames.length < frames && !this.closed) return;
        clearTimeout(timer);
        this.#changed = undefined;
        resolve();
      };
      this.#changed();
    });
    return this.frames;
  }

  /** Waits for the end of the connection. */
  async ended(deadlineMs = DEADLINE_MS): Promise<readonly Buffer[]> {
    return this.heard(Number.POSITIVE_INFINITY, deadlineMs);
  }

  async reply(deadlineMs = DEADLINE_MS): Promise<Buffer | undefined> {
    await this.heard(1, deadlineMs);
    return this.frames.shift();
  }

  close(): void {
    this.socket.destroy();
  }

  /** Ends without a farewell: what is under way is of no use to anybody. */
  reset(): void {
    this.#raw.resetAndDestroy();
    this.socket.destroy();
  }
}
