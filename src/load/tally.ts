/** What came of the calls: latencies, errors, versions. Of calls that began inside the window; answers inside it make the rate. */
import { sameBytes } from '../rpc/wire/protocol.js';
import { Histogram } from './histogram.js';
import type { Failure } from './replies.js';

const VERSION_BYTES = 64;
const NONE = Buffer.alloc(0);

export class Tally {
  readonly latency = new Histogram();
  readonly failed = new Histogram();
  readonly late = new Histogram();
  readonly errors = new Map<string, number>();
  readonly messages = new Map<string, string>();
  readonly versions = new Map<string, number>();
  /** Answers that arrived while the window was open. */
  answered = 0;
  fromMs = Number.POSITIVE_INFINITY;
  toMs = Number.POSITIVE_INFINITY;
  /** The version that answered last, and how far behind a reply's begin it stood. */
  #version = NONE;
  #versionOffset = 0;
  #versionText = '';

  begunInside(startedMs: number): boolean {
    return startedMs >= this.fromMs && startedMs < this.toMs;
  }

  answer(startedMs: number, nowMs: number): void {
    if (nowMs >= this.fromMs && nowMs < this.toMs) this.answered++;
    if (this.begunInside(startedMs)) this.latency.add((nowMs - startedMs) * 1000);
  }

  failure(startedMs: number, nowMs: number, { code, message }: Failure): void {
    if (!this.begunInside(startedMs)) return;
    this.failed.add((nowMs - startedMs) * 1000);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    if (!this.messages.has(code)) this.messages.set(code, message);
  }

  /** Whether the reply is of the version that answered last, where the version stood last; counted if so. */
  sameVersion(buffer: Buffer, at: number, end: number): boolean {
    const place = at + this.#versionOffset;
    if (this.#version === NONE || place + VERSION_BYTES > end) return false;
    // A digest's first 16 characters are as telling as all of it.
    if (!sameBytes(buffer, place, 16, this.#version)) return false;
    this.#count(this.#versionText);
    return true;
  }

  version(buffer: Buffer, at: number, versionAt: number): void {
    this.#versionText = buffer.toString('latin1', versionAt, versionAt + VERSION_BYTES);
    this.#version = Buffer.from(this.#versionText.slice(0, 16), 'latin1');
    this.#versionOffset = versionAt - at;
    this.#count(this.#versionText);
  }

  #counted = 0;
  #countedText = '';

  /** Counted by the run of equal ones: a map's look-up costs more than all the rest. */
  #count(text: string): void {
    if (text !== this.#countedText) this.#settle();
    this.#countedText = text;
    this.#counted++;
  }

  #settle(): void {
    if (this.#counted > 0)
      this.versions.set(this.#countedText, (this.versions.get(this.#countedText) ?? 0) + this.#counted);
    this.#counted = 0;
  }

  versionCounts(): Record<string, number> {
    this.#settle();
    return Object.fromEntries([...this.versions].sort((a, b) => b[1] - a[1]));
  }
}
