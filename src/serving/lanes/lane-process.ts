/** The child process behind a lane: started, spoken to, killed. It ends by itself when the server is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ArrivingFrames } from './frame-readers.js';
import type { Frame } from './frames.js';
import { processStat } from './process-stat.js';

const MAIN = fileURLToPath(new URL('./lane-main.js', import.meta.url));
const LAST_WORDS_CHARACTERS = 2_000;

export interface LaneProcessOptions {
  /** Removed by whoever is left when the server is gone. */
  readonly folder: string;
  /** Added to the process's priority, 0 to 19: it gives way to the serving process. */
  readonly nice: number;
}

export class LaneProcess {
  readonly #child: ChildProcess;
  #lastWords = '';
  /** When it has ended and all that it said has been heard. */
  readonly ended: Promise<void>;

  /**
   * @param onEnd is called once, with how it ended, for people; later than the constructor returns
   * @throws what the system has against another process, unless `onEnd` tells it
   */
  constructor({ folder, nice }: LaneProcessOptions, onFrame: (frame: Frame) => void, onEnd: (how: string) => void) {
    this.#child = spawn(process.execPath, [MAIN, String(process.pid), folder, String(nice)], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    const frames = new ArrivingFrames(onFrame);
    this.#socket?.on('data', (chunk: Buffer) => frames.take(chunk));
    // A broken socket is a process that has ended, which is told below.
    this.#socket?.on('error', () => {});
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(-LAST_WORDS_CHARACTERS);
    });
    this.ended = new Promise((resolve) => {
      const settle = (how: string) => {
        resolve();
        onEnd(how);
      };
      // A child that was never there does not close; one that was says by closing what became of it.
      this.#child.on('error', (error) => {
        if (this.pid === undefined) settle(error.message);
      });
      this.#child.on('close', (code, signal) => settle(`${signal ?? `exit code ${code}`}${this.#said()}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Absent where the process could not be started. */
  get #socket(): Socket | undefined {
    return this.#child.stdio?.[3] as Socket | undefined;
  }

  /** `frame` must stay as it is until it is answered. */
  send(frame: Uint8Array): void {
    this.#socket?.write(frame);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** CPU time of all its threads since it started; undefined where the system does not tell. */
  cpuMs(): number | undefined {
    const stat = this.pid === undefined ? undefined : processStat(this.pid);
    return stat && stat.cpuUs / 1000;
  }

  #said(): string {
    const line = this.#lastWords.trim().split('\n').at(-1);
    return line ? `: ${line.slice(0, 300)}` : '';
  }
}
