/** A caller that says and hears bytes: frames as they are, and what became of them. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

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

export class Caller {
  readonly socket: Socket;
  readonly frames: Buffer[] = [];
  closed = false;
  #rest = Buffer.alloc(0);
  #changed: (() => void) | undefined;

  constructor(address: { host: string; port: number }) {
    this.socket = connect({ ...address, allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.#read(chunk));
    this.socket.on('error', () => this.#close());
    this.socket.on('end', () => {
      this.#close();
      this.socket.end();
    });
    this.socket.on('close', () => this.#close());
  }

  static async open(address: { host: string; port: number }): Promise<Caller> {
    const caller = new Caller(address);
    if (!caller.closed) await once(caller.socket, 'connect');
    return caller;
  }

  #close(): void {
    this.closed = true;
    this.#changed?.();
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (this.#rest.length - at >= 4) {
      const size = this.#rest.readInt32BE(at);
      if (this.#rest.length - at < 4 + size) break;
      this.frames.push(this.#rest.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    this.#rest = this.#rest.subarray(at);
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
}
