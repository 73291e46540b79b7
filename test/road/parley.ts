/** The real command line in processes of its own, on data folders of its own; everything it starts is ended by its pid. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Registry } from '#parley/registry/registry.js';
import { openStore } from '#parley/store/connect.js';

export const MAIN = resolve('dist/main.js');
export const EXAMPLE = resolve('examples/penguins');
const DEADLINE_MS = 25_000;

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

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command under way. */
export class Command {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ran>;

  constructor(readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until stderr has this text; fails at once when the command ends without. */
  async says(text: string): Promise<void> {
    await until(`"${text}"`, () => {
      if (this.stderr.includes(text)) return true;
      if (!this.running) throw new Error(`ended without "${text}": ${this.stderr}`);
      return false;
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ran> {
    if (this.running) this.child.kill(signal);
    return this.ended;
  }
}

type Listening = { host: string; port: number };

/** A running `parley serve`. */
export interface Server extends Command {
  readonly host: string;
  readonly port: number;
  /** As `--server` takes it. */
  readonly address: string;
  /** Where `--http-port` was given. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
  /** Where there are several. */
  readonly processes: readonly number[];
}

/**
 * A place of its own to run commands in: a data folder, a folder for temporary files, and projects.
 *
 * `leave` ends what is still running, the data folder's Redis too, and removes all files.
 */
export class Place {
  readonly root = mkdtempSync(join(tmpdir(), 'road-'));
  readonly dataFolder = join(this.root, 'data');
  readonly temporary = join(this.root, 'tmp');
  private readonly commands: Command[] = [];

  /** @param from a data folder to begin with a copy of, whose Redis must not run */
  constructor(from?: string) {
    mkdirSync(this.temporary);
    if (from !== undefined) cpSync(from, this.dataFolder, { recursive: true });
  }

  /** Starts a command without waiting for it. */
  start(
    args: readonly string[],
    options: { input?: string | Buffer; detached?: boolean; env?: NodeJS.ProcessEnv } = {},
  ) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PARLEY_'));
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.root,
      detached: options.detached === true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        PARLEY_DATA_DIR: this.dataFolder,
        TMPDIR: this.temporary,
        ...options.env,
      },
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(options.input ?? '');
    const command = new Command(child);
    this.commands.push(command);
    return command;
  }

  run(...args: readonly string[]): Promise<Ran> {
    return this.start(args).ended;
  }

  /** A command that must succeed; what it printed. */
  async output(...args: readonly string[]): Promise<string> {
    const ran = await this.run(...args);
    if (ran.code !== 0) throw new Error(`parley ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** A command that must succeed; the one JSON document that it printed. */
  async json<T = unknown>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.output(...args, '--json')) as T;
  }

  /** Looks at the data folder in this process: a command of its own for each look would take longer. */
  async look<T>(ask: (registry: Registry) => Promise<T>): Promise<T> {
    const store = await openStore({ dataFolder: this.dataFolder });
    try {
      return await ask(new Registry(store, 'test'));
    } finally {
      await store.close();
    }
  }

  versions() {
    return this.look(async (registry) => (await registry.listVersions({ model: 'penguins' })).items);
  }

  history(query: { aliasName?: string; limit?: number } = {}) {
    return this.look((registry) => registry.history({ model: 'penguins', ...query }));
  }

  /** The version in production. */
  async production(): Promise<string | undefined> {
    return (await this.versions()).find(({ aliases }) => aliases.includes('production'))?.version;
  }

  serve(...args: readonly string[]): Promise<Server> {
    return this.serveIn({}, ...args);
  }

  /** `parley mock`, on any free port. */
  mock(file: string, ...args: readonly string[]): Promise<Server> {
    return this.#listening(this.start(['mock', file, '--port', '0', '--json', ...args]));
  }

  /** With more in its environment. */
  serveIn(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Server> {
    return this.#listening(this.start(['serve', '--port', '0', '--json', ...args], { env }));
  }

  /** In a process group of its own. */
  serveDetached(...args: readonly string[]): Promise<Server> {
    return this.#listening(this.start(['serve', '--port', '0', '--json', ...args], { detached: true }));
  }

  async #listening(command: Command): Promise<Server> {
    const lines = createInterface({ input: command.child.stdout! });
    const first = await Promise.race([once(lines, 'line'), command.ended]);
    if (!Array.isArray(first)) throw new Error(`parley serve ended with ${first.code}: ${first.stderr}`);
    const said = JSON.parse(first[0] as string) as Record<'thrift' | 'http', Listening> & { processes?: number[] };
    const { thrift, http, processes = [] } = said;
    return Object.assign(command, { ...thrift, address: `${thrift.host}:${thrift.port}`, http, processes });
  }

  /** The process of the data folder's Redis; undefined when none runs. */
  redisPid(): number | undefined {
    const file = join(this.dataFolder, 'redis', 'server.json');
    if (!existsSync(file)) return undefined;
    const pid = Number((JSON.parse(readFileSync(file, 'utf8')) as { mark: string }).mark.split('@')[0]);
    return isAlive(pid) ? pid : undefined;
  }

  get redisSocket(): string {
    return join(this.dataFolder, 'redis', 'redis.sock');
  }

  async killRedis(): Promise<void> {
    const pid = this.redisPid();
    if (pid === undefined) throw new Error('no Redis runs in this data folder');
    process.kill(pid, 'SIGKILL');
    await until('Redis to be gone', () => !isAlive(pid));
  }

  /**
   * A copy of the example, changed by `changes`: file -> its new text, made of the old one.
   *
   * Its bound on latency is wide: what is in production must not depend on what else this machine does.
   */
  project(changes: Readonly<Record<string, (text: string) => string>> = {}): string {
    const folder = mkdtempSync(join(this.root, 'project-'));
    cpSync(EXAMPLE, folder, { recursive: true });
    rewrite(join(folder, 'penguins.thrift'), (text) =>
      text.replace('latency_p99_ms = "<= 5"', 'latency_p99_ms = "<= 2000"'),
    );
    for (const [name, change] of Object.entries(changes)) {
      rewrite(join(folder, name), change);
    }
    return folder;
  }

  async leave(): Promise<void> {
    await Promise.all(this.commands.map((command) => command.kill()));
    const pid = this.redisPid();
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
      await until('Redis to be gone', () => !isAlive(pid));
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

function rewrite(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was changed in ${file}`);
  writeFileSync(file, after);
}

/** A zombie that nobody waits for is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return !existsSync('/proc');
  }
}

/** Writes the example's database, which is made and not committed. */
export function loadExample(): void {
  execFileSync(process.execPath, [join(EXAMPLE, 'load.mjs')], { stdio: 'pipe' });
}

/** A place for each test, left after it. */
export function placeForEach(from: () => string | undefined = () => undefined): () => Place {
  let place: Place | undefined;
  beforeEach(() => {
    place = new Place(from());
  });
  afterEach(() => place?.leave());
  return () => place!;
}
