/** The side of one serving process: begins when it is told to, answers questions, ends with its supervisor. */
import cluster from 'node:cluster';
import { internal, ParleyError } from '../errors.js';
import type { FromProcess, Ready, ToProcess } from './messages.js';

/** How long accepted calls may take once the supervisor is gone: nobody would end a process that hangs. */
const ORPHAN_MS = 5_000;

export interface Served extends Ready {
  /** Accepts nothing more, answers what was accepted. */
  close(): Promise<void>;
  /** Reads files again that are followed; absent where there are none. */
  reload?: () => void;
}

/** What the supervisor may ask for, by name. */
export type Answers<S> = Readonly<Record<string, (served: S, about: string | undefined) => unknown>>;

/** Serves as its supervisor says, until it says stop, is gone, or a signal comes; then the process ends. */
export function serveSupervised<S extends Served>(serve: (options: object) => Promise<S>, answers: Answers<S>): void {
  const process_ = new ServingProcess(serve, answers);
  process.on('message', (message: ToProcess) => process_.take(message));
  // Without this, Node ends a process whose supervisor is gone at once, and its calls with it.
  const { worker } = cluster;
  worker?.on('disconnect', () => {
    worker.exitedAfterDisconnect = true;
    process_.orphaned();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process_.signalled());
  // What it means is for the supervisor to say.
  process.on('SIGHUP', () => {});
  tell({ from: 'waiting' });
}

class ServingProcess<S extends Served> {
  #serving: Promise<S> | undefined;
  #stopping = false;
  #signalled = false;

  constructor(
    private readonly serve: (options: object) => Promise<S>,
    private readonly answers: Answers<S>,
  ) {}

  take(message: ToProcess): void {
    if (message.to === 'begin') void this.#begin(message.options);
    else if (message.to === 'stop') this.#stop();
    else if (message.to === 'hang-up') void this.#hangUp();
    else void this.#answer(message.id, message.what, message.about);
  }

  /** The terminal's Ctrl-C reaches every process: the first one is what the supervisor is about to say. */
  signalled(): void {
    if (this.#signalled) process.exit(1);
    this.#signalled = true;
    this.#stop();
  }

  orphaned(): void {
    // A supervisor that leaves while processes drain was told to end at once.
    if (this.#stopping) process.exit(1);
    setTimeout(() => process.exit(1), ORPHAN_MS).unref();
    this.#stop();
  }

  async #begin(options: object): Promise<void> {
    this.#serving = this.serve(options);
    try {
      const { thrift, services } = await this.#serving;
      tell({ from: 'ready', thrift, services });
    } catch (error) {
      const { code, message } = error instanceof ParleyError ? error : internal(textOf(error));
      tell({ from: 'refusal', code, message }, () => process.exit(1));
    }
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    void this.#end();
  }

  async #end(): Promise<void> {
    // What it refused with is told by `#begin`.
    const served = await this.#serving?.catch(() => undefined);
    await served?.close();
    process.exit(0);
  }

  async #hangUp(): Promise<void> {
    // One that cannot begin tells why by itself.
    const served = await this.#serving?.catch(() => undefined);
    served?.reload?.();
  }

  async #answer(id: number, what: string, about: string | undefined): Promise<void> {
    const served = await this.#serving;
    const answer = this.answers[what];
    if (served === undefined || answer === undefined) return;
    let value: unknown;
    try {
      value = await answer(served, about);
    } catch (error) {
      // Such as a file of a release that has been replaced: calls go on, and what was said before is told.
      process.emitWarning(textOf(error));
    }
    tell({ from: 'answer', id, value });
  }
}

/** A supervisor that is gone is told nothing. */
function tell(message: FromProcess, then: () => void = () => {}): void {
  if (process.connected) process.send!(message, then);
  else then();
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
