/**
 * Serving processes behind one port: starts them, replaces one that ends, and ends all of them together.
 *
 * The port is Node's `cluster`: this process accepts, and hands connections to the others in turn, which answers them evenly
 * however few there are; calls never come through here.
 */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { internal, ParleyError } from '../errors.js';
import { Child, type Ending } from './child.js';
import type { Address, Ready } from './messages.js';
import { pauseBeforeMs } from './pause.js';

/** One that ends sooner after its start ended in its start. */
const SETTLED_MS = 10_000;
/** So many endings without a reason, before any process was ready, are no accident. */
const MOST_VAIN_STARTS = 5;
/** What a process may take beyond the drain's own limit before it is killed. */
const STOP_GRACE_MS = 5_000;

export interface SupervisorOptions {
  /** The file that serving processes run. */
  readonly main: URL;
  readonly count: number;
  /** How long accepted calls may take when all stop. */
  readonly drainMs: number;
  readonly log: Logger;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Set<Child>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #told: (object & { port: number }) | undefined;
  #thrift: Address | undefined;
  #whole: { resolve(ready: Ready): void; reject(error: Error): void } | undefined;
  #stopping = false;
  #allEnded = () => {};
  #earlyEndings = 0;
  #crashes = 0;
  #ended: Child[] = [];

  /** Starts the processes; they wait for `begin`. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    cluster.setupPrimary({
      exec: fileURLToPath(options.main),
      args: [],
      // What they say besides their log is not for whoever reads our stdout.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    for (let i = 0; i < options.count; i++) this.#start();
  }

  /**
   * Has them serve. @param told what each is told; `port` may be 0
   *
   * @returns what the last one said, when all answer
   * @throws ParleyError what one of them refused with, or INTERNAL when they end without a reason
   */
  begin(told: object & { port: number }): Promise<Ready> {
    this.#told = told;
    return new Promise((resolve, reject) => {
      this.#whole = { resolve, reject };
      for (const child of this.#children) child.begin(told);
    });
  }

  /** Those that answer calls. */
  get ready(): readonly Child[] {
    return [...this.#children].filter((child) => child.ready !== undefined);
  }

  get pids(): number[] {
    return [...this.#children].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** How many have ended without being told to. */
  get crashes(): number {
    return this.#crashes;
  }

  /** What those that answer calls say, each for itself; without those that never said anything. */
  async ask(what: string, about?: string): Promise<unknown[]> {
    const asked = this.ready,
      answers = await Promise.all(asked.map((child) => child.ask(what, about)));
    // What one said that has ended meanwhile is its last.
    return answers.filter((answer, i) => answer !== undefined && this.#children.has(asked[i]!));
  }

  /** Has all of them read again what files they follow. */
  hangUp(): void {
    for (const child of this.#children) child.hangUp();
  }

  /** What those said last that have ended since this was asked before. */
  lastOfEnded(what: string): unknown[] {
    const answers = this.#ended.map(({ answered }) => answered.get(what));
    this.#ended = [];
    return answers.filter((answer) => answer !== undefined);
  }

  /** All drain at once; what has not ended long after its time is killed. */
  async close(): Promise<void> {
    this.#stopping = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    if (this.#children.size === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    for (const child of this.#children) child.stop();
    const force = setTimeout(() => {
      for (const child of this.#children) child.kill();
    }, this.#options.drainMs + STOP_GRACE_MS);
    await ended;
    clearTimeout(force);
  }

  #start(): void {
    const child = new Child({
      onReady: (ready) => this.#onReady(ready),
      onEnd: (ended, ending) => this.#onEnd(ended, ending),
    });
    this.#children.add(child);
    if (this.#told !== undefined) child.begin(this.#told);
  }

  #onReady(child: Child): void {
    if (this.#stopping) return;
    const { thrift } = child.ready!;
    this.#thrift ??= thrift;
    if (thrift.port !== this.#thrift.port) {
      // Port 0 is one port for as long as somebody listens on it. It began while nobody did.
      child.kill();
      return;
    }
    if (this.ready.length < this.#options.count) return;
    this.#whole?.resolve(child.ready!);
    this.#whole = undefined;
  }

  #onEnd(child: Child, ending: Ending): void {
    this.#children.delete(child);
    if (child.answered.size > 0) this.#ended.push(child);
    if (this.#stopping) {
      if (this.#children.size === 0) this.#allEnded();
      return;
    }
    const settled = performance.now() - child.startedMs > SETTLED_MS;
    this.#earlyEndings = settled ? 1 : this.#earlyEndings + 1;
    if (this.#whole !== undefined && this.#givesUp(ending)) return;
    this.#tellOf(child, ending);
    // Whatever port they shared was let go by the last of them.
    if (this.ready.length === 0 && this.#thrift !== undefined) this.#told = { ...this.#told!, port: this.#thrift.port };
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#start();
    }, pauseBeforeMs(this.#earlyEndings));
    this.#pauses.add(pause);
  }

  #tellOf({ pid }: Child, { how, orderly, refusal }: Ending): void {
    const { log } = this.#options;
    if (orderly) {
      log.info({ process: pid }, 'a serving process was stopped; another one takes its place');
      return;
    }
    this.#crashes++;
    const reason = refusal === undefined ? {} : { code: refusal.code, reason: refusal.message };
    log.error({ process: pid, how, ...reason }, 'a serving process ended; another one takes its place');
  }

  /** Before all have served once: what they refuse with is the command's own failure. */
  #givesUp({ refusal, how }: Ending): boolean {
    const error =
      refusal !== undefined
        ? new ParleyError(refusal.code, refusal.message)
        : this.#earlyEndings < MOST_VAIN_STARTS
          ? undefined
          : internal(`serving processes end as soon as they are started, the last one ${how}; see the log`);
    if (error === undefined) return false;
    this.#whole!.reject(error);
    this.#whole = undefined;
    return true;
  }
}
