/**
 * A load generator's run, in its own event loop: closed loop (each answer is followed by the next call) or open loop (calls
 * are sent when they are due, and their latency counts from then, however late a slow server let them be sent).
 *
 * Hot path: see channel.ts. Timers are exact to a millisecond only. So in the open loop the last one before a call is slept
 * through where no answer is under way, and turned through where one is: this process is for a core of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, type ChannelOwner } from './channel.js';
import type { LoadPlan, LoadResult } from './plan.js';
import { type Failure, type ReplyReader, replyReader } from './replies.js';
import { resultOf, snapshot } from './result.js';
import { Tally } from './tally.js';

/** What a benchmark knows of its answers, beyond what every answer must be. */
export interface Expectation {
  /** The first answer of each connection, or every one. @throws where it is not the right one */
  check(reply: Buffer, request: number, channel: number, tookMs: number): void;
  readonly every: boolean;
  /** What it has to say at the end of the run. */
  found?(): unknown;
}

const NO_ANSWER: Failure = { code: 'NO_ANSWER', message: 'no answer came before the end of the measurement' };
const TIMER_MS = 1,
  /** A timer of Node is late by up to so much more than a millisecond. */
  TIMER_SLACK_MS = 1.2,
  /** What waking takes. */
  WAKE_MS = 0.05;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/**
 * @param stopped ends the measurement before its time; what was measured so far is told
 * @param onWindow called when the warm-up is over
 * @throws Error when no connection can be opened, WrongReply or what `check` throws when an answer is not what was asked for
 */
export async function runLoad(
  plan: LoadPlan,
  stopped?: AbortSignal,
  expectation?: Expectation,
  onWindow: () => void = () => {},
): Promise<LoadResult> {
  const run = new Run(plan, expectation);
  try {
    await run.open();
    return await run.measure(stopped, onWindow);
  } finally {
    run.close();
  }
}

class Run implements ChannelOwner {
  readonly host: string;
  readonly port: number;
  readonly tls: ChannelOwner['tls'];
  readonly requests: readonly Buffer[];
  readonly replies: ReplyReader;
  readonly #plan: LoadPlan;
  readonly #expectation: Expectation | undefined;
  readonly #channels: Channel[];
  readonly #tally = new Tally();
  readonly #countsVersions: boolean;
  #running = false;
  #ended = false;
  #error: Error | undefined;
  #stop: () => void = () => {};
  #nextRequest = 0;
  /** Calls that have neither an answer nor failed. */
  #underWay = 0;

  // Open loop: when the first call was due, calls begun, and the connection that is next.
  readonly #everyMs: number;
  #firstDueMs = 0;
  #begun = 0;
  #nextChannel = 0;
  /** Whether a call that is due waits for room on a connection. */
  #blocked = false;
  /** When a call last had to wait for room: what is late then is not for want of the generator's time. */
  #blockedMs = 0;

  constructor(plan: LoadPlan, expectation: Expectation | undefined) {
    this.#plan = plan;
    this.#expectation = expectation;
    this.host = plan.host;
    this.port = plan.port;
    this.tls = plan.tls;
    this.requests = plan.requests.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.replies = replyReader(plan.codec, plan.provenance);
    this.#countsVersions = plan.provenance !== undefined;
    this.#everyMs = plan.rate === undefined ? 0 : 1000 / plan.rate;
    const inFlight = plan.codec === 'http' ? 1 : plan.inFlight;
    this.#channels = Array.from({ length: plan.connections }, () => new Channel(this, inFlight, plan.greeting));
  }

  async open(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.open()));
  }

  close(): void {
    this.#running = false;
    this.#ended = true;
    for (const channel of this.#channels) channel.close();
  }

  async measure(stopped: AbortSignal | undefined, onWindow: () => void): Promise<LoadResult> {
    const { warmUpMs, durationMs } = this.#plan,
      tally = this.#tally;
    const over = new AbortController();
    this.#stop = () => over.abort();
    stopped?.addEventListener('abort', this.#stop, { once: true });
    if (stopped?.aborted) this.#stop();
    const pass = (ms: number) => sleep(ms, undefined, { signal: over.signal }).catch(() => {});
    this.#begin();
    await pass(warmUpMs);
    const before = snapshot(this.#plan.serverPid);
    if (!over.signal.aborted) {
      tally.fromMs = before.ms;
      onWindow();
      await pass(durationMs);
    }
    const after = snapshot(this.#plan.serverPid);
    tally.toMs = after.ms;
    this.#running = false;
    await this.#drain();
    if (this.#error !== undefined) throw this.#error;
    const found = this.#expectation?.found?.();
    return {
      ...resultOf(tally, before, after),
      interrupted: stopped?.aborted === true,
      ...(this.#plan.rate === undefined ? {} : { late: tally.late.summary() }),
      ...(found === undefined ? {} : { found }),
    };
  }

  #begin(): void {
    this.#running = true;
    if (this.#plan.rate !== undefined) {
      this.#firstDueMs = performance.now();
      this.#pace();
    } else for (const channel of this.#channels) this.#fill(channel);
  }

  /** Calls that were due before the window closed are sent, and answers waited for. */
  async #drain(): Promise<void> {
    const end = performance.now() + this.#plan.drainMs;
    const unfinished = () => this.#underWay > 0 || !this.#allSent();
    while (this.#error === undefined && unfinished() && performance.now() < end) await sleep(TIMER_MS);
    this.#ended = true;
    this.#unsent();
    for (const channel of this.#channels) channel.close(NO_ANSWER);
  }

  // ------------------------------------------------------------------ closed loop

  #fill(channel: Channel): void {
    const now = performance.now();
    for (; channel.ready; this.#underWay++) channel.send(this.#request(), now);
    channel.flush();
  }

  #request(): number {
    const request = this.#nextRequest;
    this.#nextRequest = request + 1 === this.requests.length ? 0 : request + 1;
    return request;
  }

  // ------------------------------------------------------------------ open loop

  #pace(): void {
    if (this.#ended || this.#allSent()) return;
    this.#sendDue();
    const waitMs = this.#due() - performance.now();
    if (waitMs > TIMER_SLACK_MS || this.#blocked) setTimeout(this.#paced, Math.max(TIMER_MS, waitMs - TIMER_SLACK_MS));
    else {
      if (this.#underWay === 0 && waitMs > WAKE_MS) Atomics.wait(asleep, 0, 0, waitMs - WAKE_MS);
      setImmediate(this.#paced);
    }
  }

  readonly #paced = (): void => this.#pace();

  #sendDue(): void {
    const now = performance.now(),
      channels = this.#channels;
    this.#blocked = false;
    const lastMs = Math.min(now, this.#tally.toMs);
    for (let due = this.#due(); due < lastMs; due = this.#due()) {
      const channel = this.#roomy();
      if (channel === undefined) {
        this.#blocked = true;
        this.#blockedMs = now;
        break;
      }
      if (due > this.#blockedMs && this.#tally.begunInside(due)) this.#tally.late.add((now - due) * 1000);
      channel.send(this.#request(), due);
      this.#begun++;
      this.#underWay++;
    }
    for (const channel of channels) channel.flush();
  }

  #due(): number {
    return this.#firstDueMs + this.#begun * this.#everyMs;
  }

  #roomy(): Channel | undefined {
    const channels = this.#channels;
    for (let tried = 0; tried < channels.length; tried++) {
      const channel = channels[this.#nextChannel]!;
      this.#nextChannel = (this.#nextChannel + 1) % channels.length;
      if (channel.ready) return channel;
    }
    return undefined;
  }

  #allSent(): boolean {
    return this.#plan.rate === undefined || this.#due() >= this.#tally.toMs;
  }

  /** Calls that were due and found no room until the end have no answer either. */
  #unsent(): void {
    const now = performance.now();
    for (; !this.#allSent(); this.#begun++) this.#tally.failure(this.#due(), now, NO_ANSWER);
  }

  // ------------------------------------------------------------------ what comes back

  onDone(channel: Channel, slot: number, failure: Failure | undefined, buffer: Buffer, at: number, end: number): void {
    const now = performance.now(),
      started = channel.startedMs[slot]!,
      tally = this.#tally;
    this.#underWay--;
    if (failure !== undefined) {
      tally.failure(started, now, failure);
      return;
    }
    tally.answer(started, now);
    if (!channel.walked || this.#expectation?.every === true)
      this.#check(channel, slot, buffer, at, end, now - started);
    if (this.#countsVersions && tally.begunInside(started) && !tally.sameVersion(buffer, at, end)) {
      const versionAt = this.replies.walk(buffer, at, end);
      if (versionAt >= 0) tally.version(buffer, at, versionAt);
    }
  }

  #check(channel: Channel, slot: number, buffer: Buffer, at: number, end: number, tookMs: number): void {
    if (!channel.walked) this.replies.walk(buffer, at, end);
    channel.walked = true;
    if (this.#expectation === undefined) return;
    const number = this.#expectation.every ? this.#channels.indexOf(channel) : 0;
    this.#expectation.check(buffer.subarray(at, end), channel.requestOf[slot]!, number, tookMs);
  }

  onRead(channel: Channel): void {
    if (this.#plan.rate === undefined) {
      if (this.#running) this.#fill(channel);
    } else if (this.#blocked && !this.#ended) this.#sendDue();
  }

  onOpen(channel: Channel): void {
    if (this.#running && this.#plan.rate === undefined) this.#fill(channel);
  }

  onWrong(error: Error): void {
    this.#error ??= error;
    this.#running = false;
    this.#ended = true;
    this.#stop();
  }
}
