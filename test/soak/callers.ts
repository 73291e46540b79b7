/** Connections that ask at a given pace, or as fast as they are answered, and check every answer. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Address } from '#parley/rpc/client/connection.js';
import { outcomeOf } from '../rpc/messages.js';
import { answerOf, frameOf, replyOf, sequenceOf } from './questions.js';

/** Latencies are counted by 10 us; what took longer counts as this. */
const MOST_LATENCY = 1 << 19;
/** Calls of one connection that are not answered yet; due calls beyond are held back. */
const MOST_PENDING = 64;
/** Kept in words; the rest is counted. */
const MOST_TOLD = 20;

/** What became of all calls, over all connections. */
export class Account {
  sent = 0;
  answered = 0;
  /** Answers that are not what the version that they name answers. */
  readonly wrong: string[] = [];
  /** Valid calls that were refused or never answered. */
  readonly failed: string[] = [];
  wrongCount = 0;
  failedCount = 0;
  /** Calls that were due while every connection had as many open as it may. */
  heldBack = 0;
  /** By version. */
  readonly answers = new Map<string, number>();
  /** Nothing counts from here on. */
  over = false;
  private readonly latencies = new Uint32Array(MOST_LATENCY);
  private measured = 0;

  /** @param versions what each version adds */
  constructor(readonly versions: ReadonlyMap<string, number>) {}

  took(ms: number): void {
    this.latencies[Math.min(MOST_LATENCY - 1, (ms * 100) | 0)]!++;
    this.measured++;
  }

  /** Of the answers since the last time, milliseconds; and how many they are. */
  takeP99(): { answers: number; p99Ms: number } {
    const answers = this.measured;
    let left = Math.ceil(answers * 0.01),
      at = MOST_LATENCY - 1;
    while (at > 0 && (left -= this.latencies[at]!) > 0) at--;
    this.latencies.fill(0);
    this.measured = 0;
    return { answers, p99Ms: answers === 0 ? 0 : at / 100 };
  }

  fail(why: string): void {
    if (this.over) return;
    this.failedCount++;
    if (this.failed.length < MOST_TOLD) this.failed.push(why);
  }

  check(sequence: number, version: string, value: number): void {
    this.answered++;
    this.answers.set(version, (this.answers.get(version) ?? 0) + 1);
    const bias = this.versions.get(version);
    if (bias !== undefined && answerOf(sequence, bias) === value) return;
    this.wrongCount++;
    if (this.wrong.length < MOST_TOLD) this.wrong.push(`version ${version} answered ${value} to call ${sequence}`);
  }
}

export class Caller {
  private readonly pending = new Map<number, number>();
  private rest: Buffer | undefined;
  private count = 0;
  /** What the server may end is over: we have reset it, or have no calls open. */
  private left = false;
  onAnswer: (() => void) | undefined;

  private constructor(
    readonly socket: Socket,
    private readonly account: Account,
  ) {
    socket.on('data', (bytes) => this.read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.ended());
  }

  static async open(address: Address, account: Account): Promise<Caller> {
    const socket = connect({ ...address, noDelay: true });
    await once(socket, 'connect');
    return new Caller(socket, account);
  }

  get open(): number {
    return this.pending.size;
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }

  /** So many calls in one write. @returns how many of them went out */
  send(calls: number, form: () => number): number {
    const room = Math.min(calls, MOST_PENDING - this.pending.size);
    if (room <= 0 || this.closed) return 0;
    const frames: Buffer[] = [],
      now = performance.now();
    for (let i = 0; i < room; i++) {
      const sequence = sequenceOf(this.count++, form());
      this.pending.set(sequence, now);
      frames.push(frameOf(sequence));
    }
    this.account.sent += room;
    this.socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames));
    return room;
  }

  /** Nothing that is open counts from here on. @param last bytes that go out before */
  reset(last?: Buffer): void {
    this.left = true;
    this.account.sent -= this.pending.size;
    this.pending.clear();
    if (last === undefined) this.socket.resetAndDestroy();
    else this.socket.write(last, () => this.socket.resetAndDestroy());
  }

  /** Waits for what is open, then ends the connection. Calls without an answer after `waitMs` have failed. */
  async leave(waitMs: number): Promise<void> {
    const end = performance.now() + waitMs;
    while (this.pending.size > 0 && performance.now() < end) await setTimeout(5);
    for (const [sequence] of this.pending) this.account.fail(`call ${sequence} was not answered in ${waitMs} ms`);
    this.pending.clear();
    this.left = true;
    this.socket.destroy();
  }

  private ended(): void {
    if (this.left) return;
    for (const [sequence] of this.pending) this.account.fail(`the server ended the connection of call ${sequence}`);
    this.pending.clear();
  }

  private read(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      this.take(bytes, at + 4, end);
      at = end;
    }
    this.rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
    this.onAnswer?.();
  }

  private take(bytes: Buffer, start: number, end: number): void {
    const { sequence, version, value } = replyOf(bytes, start, end);
    const sentAt = this.pending.get(sequence);
    if (sentAt === undefined) {
      if (!this.left) this.account.fail(`a reply to call ${sequence}, which is not open`);
      return;
    }
    this.pending.delete(sequence);
    this.account.took(performance.now() - sentAt);
    if (version !== undefined && value !== undefined) this.account.check(sequence, version, value);
    else {
      const { kind, code, message } = outcomeOf(bytes.subarray(start, end));
      this.account.fail(`${kind} ${code}: ${message}`);
    }
  }
}
