/**
 * Starts what is measured and what measures it, each process on the core that it is given, with models in a folder of its
 * own; stops all of it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Generator } from '../dist/load/generator.js';
import { Registry } from '../dist/registry/registry.js';
import { openStore } from '../dist/store/connect.js';
import * as logistic from './logistic.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const STOP_MS = 5_000;

/** A model that nobody calls. */
export const IDLE = 'idle';

const PYTHON = join(root, 'bench/.venv/bin/python');
/** Why the Python side cannot be measured; undefined where it can. */
export const pythonMissing = () => (existsSync(PYTHON) ? undefined : 'bench/.venv is not there: run bench/setup');

/** Every process that was started and every folder that was made, undone by `close`. */
export class Workplace {
  #folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  #children = new Set();
  #generators = [];
  #closing;

  /** Runs Node on one core, where there is a `taskset`. @param core undefined: any */
  #node(core, args, options) {
    return this.#run(core, [process.execPath, ...args], options);
  }

  #run(core, command, options) {
    const [program, ...args] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
    const child = spawn(program, args, { cwd: root, ...options });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  get folder() {
    return this.#folder;
  }

  /** The penguins, trained and promoted. */
  async preparePenguins() {
    await this.#finish(['examples/penguins/load.mjs']);
    await this.#finish(['dist/main.js', 'train', 'examples/penguins', '--promote', '--data-dir', this.#folder]);
  }

  /** The plain graph of what was trained. */
  async exportPenguins() {
    const file = join(this.#folder, 'penguins.onnx');
    await this.#finish(['dist/main.js', 'export', 'penguins', '--onnx', file, '--data-dir', this.#folder]);
    return file;
  }

  /** Model name to what is published and promoted: an envelope, or a plain ONNX file. @param redis a URL, or the folder's own */
  async prepare(models, redis) {
    const store = await openStore({ dataFolder: this.#folder, ...(redis === undefined ? {} : { redisUrl: redis }) });
    try {
      const registry = new Registry(store, 'bench');
      for (const [name, bytes] of Object.entries(models)) await publish(registry, name, bytes);
    } finally {
      await store.close();
    }
  }

  /** A file of the workplace's own. */
  file(name, bytes) {
    const path = join(this.#folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  /** Versions of the logistic model, the first in production. @returns what moves the alias, and must be closed */
  async prepareSwaps(envelopes) {
    const store = await openStore({ dataFolder: this.#folder });
    const registry = new Registry(store, 'bench');
    for (const model of [IDLE, logistic.NAME])
      for (const envelope of [...envelopes].reverse()) await publish(registry, model, envelope);
    return { registry, close: () => store.close() };
  }

  async #finish(args) {
    const child = this.#node(undefined, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${said.trim()}`);
  }

  /** @param profileFolder where the server writes a CPU profile when it stops; undefined: it writes none */
  parley(core, profileFolder, more = []) {
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    return this.#server(core, [
      ...profile,
      'dist/main.js',
      'serve',
      '--port',
      '0',
      '--json',
      '--data-dir',
      this.#folder,
      ...more,
    ]);
  }

  /** The `thrift` package's own server. @param model an ONNX file and its input, output and shape of a row; absent: an echo */
  stock(core, model) {
    return this.#server(core, ['bench/stock-server.mjs', ...(model === undefined ? [] : [JSON.stringify(model)])]);
  }

  /** Parley's transport with an echo behind it. */
  echo(core) {
    return this.#server(core, ['bench/echo-server.mjs']);
  }

  /** @param app a module of bench/rivals @param env what it is told */
  python(core, app, env) {
    const options = { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } };
    return this.#listening(this.#run(core, [PYTHON, 'bench/rivals/serve.py', app], options), app);
  }

  /** A program that ends by itself: what it printed, as JSON. */
  async outcome(core, args) {
    const child = this.#node(core, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
    return JSON.parse(printed);
  }

  /** A Redis in memory, on a socket. @returns its URL */
  async redis() {
    const socket = join(this.#folder, 'own.sock');
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    this.#run(undefined, ['redis-server', ...args], { stdio: 'ignore' });
    for (let waited = 0; !existsSync(socket); waited++) {
      if (waited > 500) throw new Error('redis-server does not start');
      await sleep(10);
    }
    return socket;
  }

  /** @returns `{ pid, host, port, stop() }` once it can answer */
  #server(core, args) {
    return this.#listening(this.#node(core, args, { stdio: ['ignore', 'pipe', 'pipe'] }), `node ${args.join(' ')}`);
  }

  async #listening(child, name) {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000);
    });
    const line = await new Promise((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('exit', (status) => reject(new Error(`${name} ended with ${status}: ${said.trim()}`)));
    });
    const { pid, thrift } = JSON.parse(line);
    return { pid, ...thrift, stop: () => stop(child) };
  }

  /**
   * A load generator: `measure(load, server, options)`, a load of workloads.mjs.
   *
   * @param core the processor that it is bound to
   */
  generator(core) {
    const generator = new Generator(core);
    this.#generators.push(generator);
    return async (load, { host, port, pid }, options, signal) => {
      const { expectation, ...plan } = load;
      const times = { inFlight: 1, warmUpMs: 200, drainMs: 10_000 };
      return generator.measure(
        { ...plan, host, port, serverPid: pid, ...times, ...options },
        { ...(expectation === undefined ? {} : { expectation }), ...(signal === undefined ? {} : { signal }) },
      );
    };
  }

  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    await Promise.all(this.#generators.map((generator) => generator.close()));
    await Promise.all([...this.#children].map(stop));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Uncontracted: no suite guards its production alias. */
async function publish(registry, model, envelope) {
  const { uploadId, partBytes } = await registry.beginUpload(model, envelope.length);
  for (let at = 0; at < envelope.length; at += partBytes)
    await registry.uploadPart(uploadId, at, envelope.subarray(at, at + partBytes));
  const { version } = await registry.publish({ model, uploadId });
  await registry.promote({ model, version });
}

/** Asks a process to end, and ends it when it does not. */
function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Two cores that this process may use, one for servers and one for the generator; undefined where they cannot be had. */
export function twoCores() {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return undefined;
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  const cores = allowed.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return cores.length >= 2 ? { server: cores[0], generator: cores[1] } : undefined;
}
