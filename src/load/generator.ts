/** A load generator in a process of its own, so that what it does is not done by whoever asks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { internal, unsupported } from '../errors.js';
import type { LoadPlan, LoadResult, Message, Order, Reply } from './plan.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

export interface Measure {
  /** Ends the measurement; what was measured until then is the result. */
  readonly signal?: AbortSignal;
  readonly expectation?: NonNullable<Order['expectation']>;
  /** The warm-up is over. */
  readonly onWindow?: () => void;
}

export class Generator {
  readonly #child: ChildProcess;

  /** @param core the processor that it is bound to, by `taskset`; undefined: any */
  constructor(core?: number) {
    const pinned = core === undefined ? [] : ['taskset', '-c', String(core)];
    const [command, ...args] = [...pinned, process.execPath, MAIN];
    this.#child = spawn(command!, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }

  /**
   * @throws ParleyError UNSUPPORTED where the answers are not what was asked for, or no connection could be opened
   */
  measure(plan: LoadPlan, { signal, expectation, onWindow }: Measure = {}): Promise<LoadResult> {
    const child = this.#child;
    const stop = (): void => void child.send('stop' satisfies Message);
    let settled = (): void => {};
    return new Promise<LoadResult>((resolve, reject) => {
      const ended = (): void => reject(internal("the load generator's process ended without a result"));
      const answered = (reply: Reply): void => {
        if (reply === 'measuring') onWindow?.();
        else if ('result' in reply) resolve(reply.result);
        else reject(unsupported(`${plan.host}:${plan.port}: ${reply.error}`));
      };
      settled = () => void child.off('exit', ended).off('error', reject).off('message', answered);
      child.once('exit', ended).once('error', reject).on('message', answered);
      child.send({ plan, ...(expectation === undefined ? {} : { expectation }) } satisfies Order);
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }).finally(() => {
      settled();
      signal?.removeEventListener('abort', stop);
    });
  }

  close(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }
}
