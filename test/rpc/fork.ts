/** Starts server-process.ts and speaks with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Limits } from '#parley/rpc/limits.js';
import type { World } from '../store/world.js';
import type { Start, State } from './server-process.js';

export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: { readonly host: string; readonly port: number },
  ) {}

  static async start(world: World, limits: Partial<Limits> = {}): Promise<ServerProcess> {
    const start: Start = { socket: world.redis.socket, prefix: world.prefix, limits };
    const child = fork(new URL('./server-process.js', import.meta.url), [JSON.stringify(start)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [address] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([status]) => {
        throw new Error(`the server ended with ${status}`);
      }),
    ]);
    return new ServerProcess(child, address);
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async state(): Promise<State> {
    if (!this.alive) throw new Error('the server has ended');
    const answer = once(this.child, 'message');
    this.child.send('state');
    const [state] = await answer;
    return state as State;
  }

  /** Lets it end by itself. @returns its exit status */
  async stop(): Promise<number | null> {
    if (this.alive) {
      const exit = once(this.child, 'exit');
      this.child.send('stop');
      await exit;
    }
    return this.child.exitCode;
  }
}
