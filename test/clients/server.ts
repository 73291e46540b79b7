/** A real server, started by the command line, that has the example's penguins in production. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PROJECT = join(ROOT, 'examples/penguins');

const MAIN = join(ROOT, 'dist/main.js');
const run = promisify(execFile);

export class PenguinsServer {
  private constructor(
    /** `host:port`. */
    readonly address: string,
    /** What was trained and is in production. */
    readonly version: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /** Loads, trains, promotes, serves: the example's README, in a data folder of its own. */
  static async start(): Promise<PenguinsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-clients-'));
    try {
      const version = await train(folder);
      const serve = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--json', ...placeIn(folder)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { host, port } = await listening(serve);
      return new PenguinsServer(`${host}:${port}`, version, folder, serve);
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const placeIn = (folder: string): string[] => ['--data-dir', join(folder, 'store')];

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
