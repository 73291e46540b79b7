/**
 * Starts what is measured, each process on the core that it is given, with models in a folder of its own; stops all of it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Registry } from '../dist/registry/registry.js';
import { openStore } from '../dist/store/connect.js';
import * as logistic from './logistic.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const STOP_MS = 5_000;

/** Every process that was started and every folder that was made, undone by `close`. */
/** A model that nobody calls. */
export const IDLE = 'idle';

export class Workplace {
  #folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  #children = new Set();
  #closing;

  /** Runs Node on one core, where there is a `taskset`. @param core undefined: any */
  #node(core, args, options) {
    const command = [process.execPath, ...args];
    if (core !== undefined) command.unshift('taskset', '-c', String(core));
    const child = spawn(command[0], command.slice(1), { cwd: root, ...options });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  get folder() {
    return this.#folder;
  }

  /** The penguins, trained and promoted, and the logistic model. */
  async prepare() {
    await this.#finish(['examples/penguins/load.mjs']);
    await this.#finish(['dist/main.js', 'train', 'examples/penguins', '--promote', '--data-dir', this.#folder]);
    await this.prepareLogistic();
  }

  /** The logistic model alone. @param where another store than the folder's own Redis, as openStore takes it */
  async prepareLogistic(where = {}) {
    const store = await openStore({ dataFolder: this.#folder, ...where });
    try {
      await publish(new Registry(store, 'bench'), logistic.NAME, logistic.envelope());
    } finally {
      await store.close();
    }
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
  parley(core, profileFolder) {
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
    ]);
  }

  stock(core) {
    return this.#server(core, ['bench/stock-server.mjs']);
  }

  /** @returns `{ pid, host, port }` once it can answer */
  async #server(core, args) {
    const child = this.#node(core, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000);
    });
    const line = await new Promise((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('exit', (status) => reject(new Error(`node ${args.join(' ')} ended with ${status}: ${said.trim()}`)));
    });
    const { pid, thrift } = JSON.parse(line);
    return { pid, ...thrift };
  }

  /** A load generator: a function that takes an order and answers its result. */
  generator(core) {
    const child = this.#node(core, ['bench/load.mjs'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return (order) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('the load generator ended'));
        child.once('exit', ended);
        child.once('message', ({ result, error }) => {
          child.off('exit', ended);
          if (error === undefined) resolve(result);
          else reject(new Error(`${order.name} at ${order.connections} connections: ${error}`));
        });
        child.send(order);
      });
  }

  /** Ends what runs, and leaves the folder. */
  async stopServers() {
    await Promise.all([...this.#children].map(stop));
  }

  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
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
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    if (child.connected) child.disconnect();
    else child.kill('SIGTERM');
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
