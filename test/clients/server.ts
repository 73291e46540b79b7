/** A real server, started by the command line, that has the example's penguins in production. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Certificate } from './tls.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PROJECT = join(ROOT, 'examples/penguins');

const MAIN = join(ROOT, 'dist/main.js');
const run = promisify(execFile);

/** A server that speaks TLS and asks for a token. */
interface Guarded {
  /** `host:port`. */
  readonly address: string;
  /** One that may do everything. */
  readonly token: string;
}

export class PenguinsServer {
  private readonly processes: ChildProcess[] = [];

  private constructor(
    /** `host:port`. */
    readonly address: string,
    /** What was trained and is in production. */
    readonly version: string,
    private readonly folder: string,
    process: ChildProcess,
  ) {
    this.processes.push(process);
  }

  /** Loads, trains, promotes, serves: the example's README, in a data folder of its own. */
  static async start(): Promise<PenguinsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-clients-'));
    try {
      const version = await train(folder);
      const { address, process } = await serve(folder);
      return new PenguinsServer(address, version, folder, process);
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  /** A second server on the same models. */
  async guarded({ cert, key }: Certificate): Promise<Guarded> {
    const tokens = join(this.folder, 'tokens.yaml');
    const created = await run(process.execPath, [
      ...[MAIN, 'token', 'create', '--role', 'admin', '--name', 'probe', '--tokens', tokens, '--json'],
    ]);
    const { token } = JSON.parse(created.stdout);
    const made = await serve(this.folder, '--tls-cert', cert, '--tls-key', key, '--tokens', tokens);
    this.processes.push(made.process);
    return { address: made.address, token };
  }

  async stop(): Promise<void> {
    for (const process of this.processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      const exited = once(process, 'exit');
      process.kill('SIGTERM');
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const placeIn = (folder: string): string[] => ['--data-dir', join(folder, 'store')];

async function serve(folder: string, ...more: string[]): Promise<{ address: string; process: ChildProcess }> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--json', ...placeIn(folder), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { host, port } = await listening(child);
  return { address: `${host}:${port}`, process: child };
}

/** @returns the version that is in production then */
async function train(folder: string): Promise<string> {
  await run(process.execPath, [join(PROJECT, 'load.mjs')]);
  const project = timeless(join(folder, 'project'));
  const { stdout } = await run(process.execPath, [MAIN, 'train', project, '--promote', '--json', ...placeIn(folder)]);
  return JSON.parse(stdout).version.version;
}

/** A copy of the project whose contract has no bound on time, which a busy machine does not keep. */
function timeless(folder: string): string {
  cpSync(PROJECT, folder, { recursive: true, filter: (path) => path !== join(PROJECT, 'clients') });
  const contract = join(folder, 'penguins.thrift');
  const lines = readFileSync(contract, 'utf8').split('\n');
  writeFileSync(contract, lines.filter((line) => !line.includes('accept.latency_p99_ms')).join('\n'));
  return folder;
}

/** The line that `serve --json` prints once it can answer. */
async function listening(serve: ChildProcess): Promise<{ host: string; port: number }> {
  let complaints = '';
  serve.stderr!.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const [line] = await Promise.race([once(createInterface({ input: serve.stdout! }), 'line'), once(serve, 'close')]);
  if (typeof line !== 'string') throw new Error(`the server ended before it could answer: ${complaints}`);
  return JSON.parse(line).thrift;
}
