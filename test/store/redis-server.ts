/** A real Redis of the test's own, on a Unix socket in a temporary folder, stopped by its process id. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type RedisAddress, socketAddress } from '#parley/store/address.js';

const DEADLINE_MS = 15_000;

/** Waits for `condition`, asking every few milliseconds; fails with `what` after the deadline. */
export async function until<T>(what: string, condition: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const reply = await condition();
    if (reply) return reply;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await setTimeout(5);
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'parley-test-'));
}

export class TestRedis {
  readonly folder = temporaryFolder();
  readonly socket = join(this.folder, 'r.sock');
  readonly address: RedisAddress = socketAddress(this.socket);
  private process: ChildProcess | undefined;

  /** @param settings more command-line settings; `--port` for a TCP port beside the socket */
  constructor(private readonly settings: readonly string[] = []) {}

  get pid(): number {
    if (this.process?.pid === undefined) throw new Error('this Redis is not running');
    return this.process.pid;
  }

  async start(): Promise<this> {
    const fixed = ['--unixsocket', this.socket, '--dir', this.folder, '--appendonly', 'yes', '--appendfsync', 'always'];
    const port = this.settings.includes('--port') ? [] : ['--port', '0'];
    const settings = [...fixed, ...port, '--save', '', '--logfile', join(this.folder, 'log'), ...this.settings];
    this.process = spawn('redis-server', settings, { stdio: 'ignore' });
    await until('Redis to listen', () => accepts(this.socket));
    return this;
  }

  /** Sends one command behind everybody's back. */
  command(...words: readonly string[]): string {
    return execFileSync('redis-cli', ['-s', this.socket, ...words], { encoding: 'utf8' });
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Stops the process where it is. A signal takes a moment to arrive, in which Redis would go on answering. */
  async pause(): Promise<void> {
    this.signal('SIGSTOP');
    const isPaused = () =>
      execFileSync('ps', ['-o', 'state=', '-p', String(this.pid)], { encoding: 'utf8' }).startsWith('T');
    await until('Redis to stop', isPaused);
  }

  /** Ends the process, at once and without a last write. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** One Redis for the tests of a file. */
export function sharedRedis(settings: readonly string[] = []): TestRedis {
  const redis = new TestRedis(settings);
  before(() => redis.start());
  after(() => redis.stop());
  return redis;
}
