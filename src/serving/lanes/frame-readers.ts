/** Cuts frames from a stream of bytes: as they arrive in the server, and blocking in a lane's process. */
import { readSync } from 'node:fs';
import { hasErrno } from '../../errors.js';
import { type Frame, HEAD_BYTES } from './frames.js';

/** Each frame's body gets a buffer of its own, since answers outlive the chunk that they came in. */
export class ArrivingFrames {
  readonly #onFrame: (frame: Frame) => void;
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  #body: Buffer | undefined;
  /** Of the head, or of the body where there is one. */
  #filled = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const target = this.#body ?? this.#head;
      const copied = chunk.copy(target, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === target.length) this.#full();
    }
  }

  #full(): void {
    this.#filled = 0;
    const [bytes, kind, session] = new Uint32Array(this.#head.buffer) as unknown as [number, number, number];
    if (this.#body === undefined && bytes > 0) {
      this.#body = Buffer.allocUnsafeSlow(bytes);
      return;
    }
    const body = this.#body ?? this.#head.subarray(HEAD_BYTES);
    this.#body = undefined;
    this.#onFrame({ kind, session, body });
  }
}

const LEAST_BUFFER_BYTES = 1 << 20,
  /** A larger buffer is let go when its frame has been used. */
  MOST_KEPT_BYTES = 64 << 20;

/** Reads one frame after the other into the same buffer: a frame may be used until the next one is asked for. */
export class BlockingFrames {
  readonly #fd: number;
  #buffer = Buffer.allocUnsafeSlow(LEAST_BUFFER_BYTES);
  #from = 0;
  #to = 0;

  /** @param fd of a socket that blocks */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns undefined when the other side is gone */
  next(): Frame | undefined {
    if (!this.#have(HEAD_BYTES)) return undefined;
    const head = new Uint32Array(this.#buffer.buffer, this.#from, 4);
    const [bytes, kind, session] = head as unknown as [number, number, number];
    if (!this.#have(HEAD_BYTES + bytes)) return undefined;
    const begin = this.#from + HEAD_BYTES;
    this.#from = begin + bytes;
    return { kind, session, body: this.#buffer.subarray(begin, this.#from) };
  }

  /** Waits until so many bytes are there; where they lie may have changed. */
  #have(bytes: number): boolean {
    if (this.#to - this.#from >= bytes) return true;
    this.#makeRoom(bytes);
    while (this.#to - this.#from < bytes) {
      const read = this.#read();
      if (read === 0) return false;
      this.#to += read;
    }
    return true;
  }

  #makeRoom(bytes: number): void {
    const left = this.#to - this.#from;
    const fits = bytes <= this.#buffer.length && this.#buffer.length <= MOST_KEPT_BYTES;
    const target = fits ? this.#buffer : Buffer.allocUnsafeSlow(Math.max(bytes, LEAST_BUFFER_BYTES));
    if (fits && this.#from === 0) return;
    this.#buffer.copy(target, 0, this.#from, this.#to);
    this.#buffer = target;
    this.#from = 0;
    this.#to = left;
  }

  #read(): number {
    for (;;) {
      try {
        return readSync(this.#fd, this.#buffer, this.#to, this.#buffer.length - this.#to, null);
      } catch (error) {
        if (hasErrno(error, 'ECONNRESET')) return 0;
        if (!hasErrno(error, 'EINTR')) throw error;
      }
    }
  }
}
