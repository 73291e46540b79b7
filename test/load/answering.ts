/** Starting the scripted server, and plans of loads for it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { predictFrame } from '#parley/load/frames.js';
import type { LoadPlan } from '#parley/load/plan.js';

export interface Script {
  readonly delayMs?: number;
  readonly overloadedEvery?: number;
  /** With a TApplicationException. */
  readonly refusedEvery?: number;
  readonly closeEvery?: number;
  /** This call is answered with another one's sequence id. */
  readonly wrongAt?: number;
}

export interface Seen {
  readonly calls: number;
  readonly mostUnderWay: number;
  readonly pings: number;
}

export const VERSION = 'ab'.repeat(32);

export class AnsweringServer {
  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(script: Script): Promise<AnsweringServer> {
    const child = fork(new URL('./answering-main.js', import.meta.url), [JSON.stringify(script)]);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new AnsweringServer(child, port);
  }

  async seen(): Promise<Seen> {
    this.child.send('seen');
    return ((await once(this.child, 'message')) as [Seen])[0];
  }

  /** Stops it for a while as if the machine had. */
  async stall(ms: number): Promise<void> {
    this.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

const inputs = { x: { dataType: 'float32', shape: [1, 1], data: Float32Array.of(1) } } as const;

/** A short closed loop of one connection, but for what is said otherwise. */
export function planFor(port: number, changes: Partial<LoadPlan> = {}): LoadPlan {
  const codec = changes.codec ?? 'binary';
  return {
    host: '127.0.0.1',
    port,
    codec,
    requests: codec === 'http' ? [] : [1, 2, 3].map(() => predictFrame(codec, { model: 'scores', inputs })),
    connections: 1,
    inFlight: 1,
    warmUpMs: 50,
    durationMs: 300,
    drainMs: 2_000,
    provenance: { fieldId: 1, many: false },
    ...changes,
  };
}
