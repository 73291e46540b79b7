/**
 * One caller's socket: cuts what arrives into frames, in place, and gathers replies into one write a turn.
 *
 * Hot path: a frame is only valid during `onFrame`; what must outlive it is copied by its receiver. Exactly one reply, or
 * the end of the connection, follows each frame.
 */
import type { Socket } from 'node:net';
import type { ShownToken, TokenHolder } from '../security/access.js';
import type { LastQuestion } from './last-question.js';
import type { Limits } from './limits.js';
import { readIntoShared } from './shared-reads.js';
import type { Traffic } from './traffic.js';
import { BinaryWriter } from './wire/binary.js';
import { CompactWriter } from './wire/compact.js';
import { grown, Malformed, type WireWriter } from './wire/protocol.js';

const FIRST_OUT_BYTES = 1024;
/** A larger buffer than this is not kept between turns. */
const KEPT_OUT_BYTES = 1 << 20;
/** How long a drained connection may take to pick up its last replies. */
const LINGER_MS = 500;

/** Shared by all connections: a reply is written in one go. */
const binaryWriter = new BinaryWriter(),
  compactWriter = new CompactWriter();

/** Large enough for a frame with a part of an upload, of which many come one after the other. */
const LEAST_SPARE_BYTES = 256 << 10,
  MOST_SPARE_BYTES = 4 << 20;
/** What a large frame was gathered in, for the next one of any connection: growing costs several times a frame. */
let spare: Buffer | undefined;

function roomier(buffer: Buffer, length: number, more: number): Buffer {
  if (spare === undefined || length + more < LEAST_SPARE_BYTES || length + more > spare.length)
    return grown(buffer, length, more);
  const room = spare;
  spare = undefined;
  buffer.copy(room, 0, 0, length);
  return room;
}

/** Of all connections together. */
export interface Totals {
  /** Calls that have no reply yet. */
  calls: number;
  /** Bytes of partial frames, of calls that wait, and of replies that are not taken. */
  bytes: number;
}

export interface ConnectionOwner {
  readonly limits: Limits;
  readonly traffic: Traffic;
  readonly totals: Totals;
  /** A whole frame without its length: bytes `start` to `end`. Throws Malformed to end the connection. */
  onFrame(connection: Connection, buffer: Buffer, start: number, end: number, arrivedMs: number): void;
  /** The connection has something to write at the end of this turn. */
  onDirty(connection: Connection): void;
  /** It has paused because there are too many calls or bytes in all, and is to be told when there are fewer. Once until then. */
  onCrowded(connection: Connection): void;
  /** It keeps more than before, and there are too many bytes in all. */
  onFlooded(): void;
  onClose(connection: Connection, reason: string | undefined): void;
}

/** A copy of a frame that waits; gone when its connection is. */
export interface HeldFrame {
  frame: Buffer | undefined;
}

export class Connection implements TokenHolder {
  /** Whatever the dispatcher found for this connection's last call. */
  route: unknown;
  routeName: Buffer = Buffer.alloc(0);
  routeGeneration = -1;
  lastQuestion: LastQuestion | undefined;
  /** Who speaks, as far as it has been shown. */
  shownToken: ShownToken | undefined;
  refusedCalls = 0;
  /** Frames that have no reply yet. */
  pending = 0;

  readonly #held = new Set<HeldFrame>();
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #heldBytes = 0;
  /** What else of it stands in the totals: the partial frame, whose room is twice that at most, and replies that are not taken. */
  #countedBytes = 0;
  #rest: Buffer | undefined;
  #restLength = 0;
  /** When the whole frames of the rest were read. */
  #restArrivedMs = 0;
  #out: Buffer = Buffer.allocUnsafeSlow(FIRST_OUT_BYTES);
  #outLength = 0;
  #replyAt = 0;
  #paused = false;
  #crowded = false;
  #ended = false;
  #ending = false;
  #closed = false;
  #draining = false;
  /** When the partial frame began, when there was last a read or a call, and since when writing has been stuck. */
  #partialSinceMs = 0;
  #activeMs = performance.now();
  #stuckSinceMs = 0;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.setNoDelay(true);
    const reads = readIntoShared(socket, (buffer, length) => {
      this.#read(buffer, length);
      return !this.#paused || this.#ending;
    });
    if (!reads) socket.on('data', (chunk) => this.#read(chunk, chunk.length));
    socket.on('end', () => {
      this.#ended = true;
      this.#endWhenDone();
    });
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    socket.on('drain', () => {
      this.#stuckSinceMs = 0;
      this.#count();
      this.#resume();
    });
  }

  /** Bytes of calls without a reply that are kept; whoever keeps a copy counts it here, and out again. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  set heldBytes(bytes: number) {
    this.#owner.totals.bytes += bytes - this.#heldBytes;
    this.#heldBytes = bytes;
  }

  /** What ending this connection would free at once. */
  get bufferedBytes(): number {
    return this.#countedBytes;
  }

  #count(): void {
    const socket = this.#socket,
      unsent = socket.writableNeedDrain ? socket.writableLength : 0,
      bytes = this.#closed ? 0 : this.#restLength + unsent,
      more = bytes - this.#countedBytes;
    if (more === 0) return;
    const { totals, limits } = this.#owner;
    totals.bytes += more;
    this.#countedBytes = bytes;
    if (more > 0 && totals.bytes > limits.allBufferedBytes) this.#owner.onFlooded();
  }

  // ------------------------------------------------------------------ reading

  /** @param buffer is not this connection's: what is not used at once is copied */
  #read(buffer: Buffer, length: number): void {
    if (this.#closed || this.#ending) return;
    this.#activeMs = performance.now();
    this.#owner.traffic.bytesIn += length;
    try {
      if (this.#restLength === 0) this.#consume(buffer, length, 0);
      else this.#join(buffer, length);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.close(error.message);
    }
  }

  /** @param earlier bytes that were there since `#restArrivedMs`: what ends among them arrived then */
  #consume(buffer: Buffer, length: number, earlier: number): void {
    const { limits, totals } = this.#owner;
    let at = 0;
    while (length - at >= 4) {
      const size = buffer.readInt32BE(at);
      if (size <= 0 || size > limits.frameBytes)
        throw new Malformed(`a frame of ${size} bytes; between 1 and ${limits.frameBytes} are allowed`);
      if (length - at - 4 < size) break;
      if (this.pending >= limits.callsPerConnection || this.heldBytes > limits.bufferedBytes || this.#draining) {
        this.#pause();
        break;
      }
      if (totals.calls >= limits.calls || totals.bytes > limits.allBufferedBytes) {
        this.#crowd();
        break;
      }
      this.pending++;
      totals.calls++;
      this.#owner.traffic.framesIn++;
      const end = at + 4 + size;
      this.#owner.onFrame(this, buffer, at + 4, end, end <= earlier ? this.#restArrivedMs : this.#activeMs);
      if (this.#closed) return;
      at = end;
    }
    if (at >= earlier) this.#restArrivedMs = this.#activeMs;
    this.#keep(buffer, at, length);
    if (this.#restLength > 0 || this.#countedBytes > 0) this.#count();
  }

  /** Room grows with what has arrived and not with what was announced. */
  #keep(buffer: Buffer, at: number, length: number): void {
    const have = length - at;
    if (have === 0) {
      this.#rest = undefined;
      this.#restLength = 0;
      this.#partialSinceMs = 0;
      this.#endWhenDone();
      return;
    }
    if (at > 0 || this.#partialSinceMs === 0) this.#partialSinceMs = this.#activeMs;
    const rest = Buffer.allocUnsafe(Math.max(have, 64));
    buffer.copy(rest, 0, at, length);
    this.#rest = rest;
    this.#restLength = have;
  }

  #join(buffer: Buffer, length: number): void {
    const earlier = this.#restLength,
      total = earlier + length;
    let rest = this.#rest!;
    if (total > rest.length) rest = roomier(rest, this.#restLength, length);
    buffer.copy(rest, this.#restLength, 0, length);
    this.#rest = rest;
    this.#restLength = total;
    if (total < 4) return;
    const size = rest.readInt32BE(0);
    if (size > 0 && size <= this.#owner.limits.frameBytes && total < size + 4) {
      this.#count();
      return;
    }
    this.#rest = undefined;
    this.#restLength = 0;
    this.#consume(rest, total, earlier);
    if (rest.length >= LEAST_SPARE_BYTES && rest.length <= MOST_SPARE_BYTES) spare = rest;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #crowd(): void {
    this.#pause();
    if (this.#crowded) return;
    this.#crowded = true;
    this.#owner.onCrowded(this);
  }

  /** There is room in all again. */
  uncrowd(): void {
    this.#crowded = false;
    this.#resume();
  }

  /** Goes on with what was left when calls have been answered and replies been taken. */
  #resume(): void {
    const { limits } = this.#owner;
    if (!this.#paused || this.#closed || this.#draining) return;
    if (this.pending > limits.callsPerConnection / 2 || this.heldBytes > limits.bufferedBytes / 2) return;
    if (this.#socket.writableLength > limits.bufferedBytes / 2) return;
    this.#paused = false;
    this.#socket.resume();
    const rest = this.#rest,
      length = this.#restLength;
    if (rest === undefined) return;
    this.#rest = undefined;
    this.#restLength = 0;
    // While nothing was read, the caller could not go on with its frame: its time begins anew.
    this.#activeMs = performance.now();
    this.#partialSinceMs = 0;
    try {
      this.#consume(rest, length, length);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.close(error.message);
    }
    this.#endWhenDone();
  }

  /** Keeps a frame until `release`, or until the connection closes. */
  hold(frame: Buffer): HeldFrame {
    const held = { frame };
    this.#held.add(held);
    this.heldBytes += frame.length;
    return held;
  }

  /** @returns undefined when the connection has closed since */
  release(held: HeldFrame): Buffer | undefined {
    if (!this.#held.delete(held)) return undefined;
    this.heldBytes -= held.frame!.length;
    return held.frame;
  }

  // ------------------------------------------------------------------ writing

  /** Begins a reply's frame; its writer is only the caller's until `finish`, which must follow at once. */
  begin(compact: boolean): WireWriter {
    const writer = compact ? compactWriter : binaryWriter;
    if (this.#out.length < this.#outLength + 4) this.#out = grown(this.#out, this.#outLength, 256);
    this.#replyAt = this.#outLength;
    writer.buffer = this.#out;
    writer.at = this.#outLength + 4;
    return writer;
  }

  finish(writer: WireWriter): void {
    const size = writer.at - this.#replyAt - 4;
    writer.buffer.writeInt32BE(size, this.#replyAt);
    this.#out = writer.buffer;
    this.#replied(writer.at);
  }

  /** A reply that is a whole frame already, its length included. */
  reply(frame: Uint8Array): void {
    const at = this.#outLength;
    if (at + frame.length > this.#out.length) this.#out = grown(this.#out, at, frame.length);
    this.#out.set(frame, at);
    this.#replied(at + frame.length);
  }

  #replied(length: number): void {
    if (this.#outLength === 0) this.#owner.onDirty(this);
    this.#outLength = length;
    this.pending--;
    this.#owner.traffic.framesOut++;
    this.#owner.totals.calls--;
  }

  /** Writes the turn's replies. The kernel has usually taken them when `write` returns, and the buffer is free again. */
  flush(): void {
    if (this.#closed) return;
    const { limits } = this.#owner,
      bytes = this.#out.subarray(0, this.#outLength);
    this.#outLength = 0;
    this.#owner.traffic.bytesOut += bytes.length;
    const isTaken = this.#socket.write(bytes);
    if (this.#socket.writableLength > 0 || this.#out.length > KEPT_OUT_BYTES)
      this.#out = Buffer.allocUnsafeSlow(FIRST_OUT_BYTES);
    if (this.#socket.writableLength > limits.bufferedBytes) {
      if (this.#stuckSinceMs === 0) this.#stuckSinceMs = performance.now();
      this.#pause();
    }
    if (!isTaken) this.#count();
    this.#resume();
    this.#endWhenDone();
  }

  // ------------------------------------------------------------------ end

  /** Takes no new calls; what was accepted is answered. */
  drain(): void {
    this.#draining = true;
    this.#pause();
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#closed || this.#ending || !(this.#ended || this.#draining) || this.pending > 0 || this.#outLength > 0)
      return;
    // Frames that have been read and not been looked at are answered first.
    if (this.#paused && this.#restLength > 0 && !this.#draining) return;
    this.#ending = true;
    this.#socket.end();
    if (this.#ended) return;
    // What still comes is read and dropped: unread bytes would make the kernel reset the connection under the replies.
    this.#socket.resume();
    // A caller that keeps its own side open is not waited for.
    setTimeout(() => this.close(), LINGER_MS).unref();
  }

  /** Why the connection must end now, if it must. */
  overdue(nowMs: number): string | undefined {
    const { limits } = this.#owner;
    if (this.pending > 0) this.#activeMs = nowMs;
    if (this.#stuckSinceMs > 0 && nowMs - this.#stuckSinceMs > limits.writeTimeoutMs)
      return 'does not take its replies';
    if (this.#partialSinceMs > 0 && !this.#paused && nowMs - this.#partialSinceMs > limits.partialFrameTimeoutMs)
      return 'a frame that does not end';
    if (nowMs - this.#activeMs > limits.idleTimeoutMs) return 'idle';
    return undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rest = undefined;
    for (const held of this.#held) {
      this.heldBytes -= held.frame!.length;
      held.frame = undefined;
    }
    this.#held.clear();
    this.lastQuestion = undefined;
    this.shownToken = undefined;
    this.#out = Buffer.alloc(0);
    this.#owner.totals.calls -= this.pending;
    this.#count();
    this.#socket.destroy();
    this.#owner.onClose(this, reason);
  }
}
