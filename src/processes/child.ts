/** One serving process as its supervisor sees it. */
import cluster, { type Worker } from 'node:cluster';
import type { FromProcess, Ready, ToProcess } from './messages.js';

/** A process that is busy for longer is told by what it last said. */
const ANSWER_MS = 2_000;

export interface Ending {
  /** For people: `by SIGKILL`, `with status 1`. */
  readonly how: string;
  /** Why it could not begin, in its own words. */
  readonly refusal: Refusal | undefined;
  /** It ended as if it had been told to. */
  readonly orderly: boolean;
}

export type Refusal = Extract<FromProcess, { from: 'refusal' }>;

export interface ChildEvents {
  onReady(child: Child): void;
  /** Once, after everything else. */
  onEnd(child: Child, ending: Ending): void;
}

export class Child {
  /** While it answers calls. */
  ready: Ready | undefined;
  readonly startedMs = performance.now();
  /** By question, its latest answer. */
  readonly answered = new Map<string, unknown>();
  readonly #worker: Worker;
  readonly #asked = new Map<number, (value: unknown) => void>();
  #questions = 0;
  #refusal: Refusal | undefined;
  #hears = false;
  #options: object | undefined;
  #ended = false;

  /** Starts it; `cluster.setupPrimary` says what. */
  constructor(private readonly events: ChildEvents) {
    this.#worker = cluster.fork();
    this.#worker.on('message', (message: FromProcess) => this.#take(message));
    this.#worker.on('exit', (code, signal) => this.#end(signal ? `by ${signal}` : `with status ${code}`, code === 0));
    this.#worker.on('error', (error) => {
      // A message to one that has just ended is no news; a process that could not be started has no exit.
      if (this.#worker.process.pid === undefined) this.#end(`before it began: ${error.message}`, false);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Has it serve, as soon as it hears. */
  begin(options: object): void {
    this.#options = options;
    if (this.#hears) this.#tell({ to: 'begin', options });
  }

  /** Has it answer what it accepted, and end. */
  stop(): void {
    this.ready = undefined;
    if (this.#hears) this.#tell({ to: 'stop' });
    else this.kill();
  }

  hangUp(): void {
    this.#tell({ to: 'hang-up' });
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  /** @returns its answer; the one before where it takes too long, undefined where there is none */
  async ask(what: string, about?: string): Promise<unknown> {
    const id = ++this.#questions;
    let late: NodeJS.Timeout | undefined;
    const value = await new Promise<unknown>((resolve) => {
      this.#asked.set(id, resolve);
      late = setTimeout(() => resolve(undefined), ANSWER_MS);
      this.#tell({ to: 'ask', id, what, ...(about === undefined ? {} : { about }) });
    });
    clearTimeout(late);
    this.#asked.delete(id);
    // What one caller asks about is nobody else's: it is not kept.
    if (about !== undefined) return value;
    if (value !== undefined) this.answered.set(what, value);
    return this.answered.get(what);
  }

  #take(message: FromProcess): void {
    if (message.from === 'answer') this.#asked.get(message.id)?.(message.value);
    else if (message.from === 'refusal') this.#refusal = message;
    else if (message.from === 'waiting') {
      this.#hears = true;
      if (this.#options !== undefined) this.begin(this.#options);
    } else {
      this.ready = message;
      this.events.onReady(this);
    }
  }

  #tell(message: ToProcess): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }

  #end(how: string, orderly: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.ready = undefined;
    for (const resolve of this.#asked.values()) resolve(undefined);
    this.events.onEnd(this, { how, orderly, refusal: this.#refusal });
  }
}
