/**
 * The lanes of this process: which graph runs in one and which inline, and the files from which lanes load. The one owner of
 * both. Lanes start when they are needed; a version stays in the lane that it was loaded in.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internal, shuttingDown } from '../../errors.js';
import { readGraph } from '../../onnx/reader.js';
import type { Feeds, RunnableSession, Session } from '../../onnx/session.js';
import { loadInline } from '../load-inline.js';
import { isLight, placeOf } from './choice.js';
import { Lane, type LaneOptions } from './lane.js';
import { LaneSession } from './lane-session.js';
import { PATIENCE, type Patience } from './patience.js';
import { Strikes } from './strikes.js';

/** Enough for a light model beside a busy lane on one core to keep its latency: row `beside` of bench/serving. */
const NICE = 10;

export interface LanesOptions {
  /** At most; 0: everything runs in this process. */
  readonly count: number;
  readonly log?: LaneOptions['log'];
  readonly nice?: number;
  readonly patience?: Patience;
}

export class Lanes {
  readonly count: number;
  readonly #log: LaneOptions['log'];
  readonly #nice: number;
  readonly #patience: Patience;
  readonly #strikes = new Strikes();
  readonly #lanes: Lane[] = [];
  readonly #onExit = () => {
    for (const lane of this.#lanes) lane.kill();
    if (this.#folderName !== undefined) rmSync(this.#folderName, { recursive: true, force: true });
  };
  #folder: Promise<string> | undefined;
  #folderName: string | undefined;
  #ids = 0;
  #closed = false;

  constructor({ count, log = SILENT, nice = NICE, patience = PATIENCE }: LanesOptions) {
    this.count = count;
    this.#log = log;
    this.#nice = nice;
    this.#patience = patience;
  }

  /** Processes that run now. */
  get running(): number {
    return this.#lanes.filter(({ pid }) => pid !== undefined).length;
  }

  /** Sessions in them. */
  get sessions(): number {
    return this.#sum('sessions');
  }

  /** Processes that ended otherwise than by our wish, since this one started. */
  get restarts(): number {
    return this.#sum('restarts');
  }

  /** Of graphs in lanes. */
  get runs(): number {
    return this.#sum('runs');
  }

  #sum(of: 'sessions' | 'restarts' | 'runs'): number {
    return this.#lanes.reduce((sum, lane) => sum + lane[of], 0);
  }

  /**
   * Loads a graph and measures it: what takes about a millisecond a row answers from this process, what takes more from a lane.
   *
   * @param name of the version, for people
   * @throws ParleyError MODEL_BROKEN when the runtime refuses the graph, or it ends the process that loads it
   */
  readonly load = async (graph: Uint8Array, name: string): Promise<RunnableSession> => {
    if (this.count === 0) return loadInline(graph);
    const place = placeOf(graph.length, readGraph(graph));
    if (place === 'inline first') return this.#inlineFirst(graph, name);
    const session = await this.#loadInLane(graph, name);
    return place === 'lane' ? session : this.#unlessLight(session, graph, name);
  };

  async #inlineFirst(graph: Uint8Array, name: string): Promise<RunnableSession> {
    const session = await loadInline(graph);
    let inLane: LaneSession;
    try {
      if ((await isLight(session.signature, (feeds) => timed(session, feeds))) !== false) return session;
      inLane = await this.#loadInLane(graph, name);
    } catch (error) {
      session.release();
      throw error;
    }
    session.release();
    return inLane;
  }

  async #unlessLight(inLane: LaneSession, graph: Uint8Array, name: string): Promise<RunnableSession> {
    const light = await isLight(inLane.signature, async (feeds) => {
      await inLane.runOnce(feeds);
      return inLane.lastRunMs;
    });
    if (light !== true) return inLane;
    inLane.release();
    const begin = performance.now();
    const session = await loadInline(graph);
    this.#log.info({ name, blockedMs: Math.round(performance.now() - begin) }, 'a light graph runs inline');
    return session;
  }

  async #loadInLane(graph: Uint8Array, name: string): Promise<LaneSession> {
    const refusal = this.#strikes.refusal(name);
    if (refusal !== undefined) throw refusal;
    const folder = await (this.#folder ??= this.#makeFolder()),
      id = ++this.#ids,
      file = join(folder, `${id}.onnx`);
    await this.#write(file, graph);
    const resident = { id, name, file, mostRowMs: 0 };
    const session = await LaneSession.load(this.#choose(folder), resident, this.#strikes, () => {
      rm(file, { force: true }).catch((error: unknown) => this.#log.warn({ error, file }, 'a file stays behind'));
    });
    this.#log.info({ name, pid: session.pid }, 'loaded in a lane');
    return session;
  }

  /** Also for the lanes that take over: the graph is not kept in memory. */
  async #write(file: string, graph: Uint8Array): Promise<void> {
    try {
      await writeFile(file, graph, { mode: 0o600 });
    } catch (cause) {
      await rm(file, { force: true });
      if (!this.#closed)
        throw internal(`a graph could not be written for its lane: ${(cause as Error).message}`, { cause });
    }
    if (this.#closed) throw shuttingDown('the server is stopping; another one will answer');
  }

  async #makeFolder(): Promise<string> {
    this.#folderName = await mkdtemp(join(tmpdir(), 'parley-lanes-'));
    process.once('exit', this.#onExit);
    return this.#folderName;
  }

  /** One without sessions, then a new one, then the one with the fewest. */
  #choose(folder: string): Lane {
    const least = [...this.#lanes].sort((a, b) => a.sessions - b.sessions || a.jobs - b.jobs)[0];
    if (least !== undefined && (least.sessions === 0 || this.#lanes.length >= this.count)) return least;
    const lane = new Lane({
      folder,
      nice: this.#nice,
      patience: this.#patience,
      strikes: this.#strikes,
      log: this.#log,
    });
    this.#lanes.push(lane);
    return lane;
  }

  /** Ends all lanes; what still runs fails with SHUTTING_DOWN. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    const folder = await this.#folder?.catch(() => undefined);
    process.removeListener('exit', this.#onExit);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

const SILENT = { info: () => {}, warn: () => {} };

/** What else this process does meanwhile is in its CPU time, what other processes do in the clock's. */
async function timed(session: Session, feeds: Feeds): Promise<number> {
  const begin = performance.now(),
    before = process.cpuUsage();
  await session.runOnce(feeds);
  const { user, system } = process.cpuUsage(before);
  return Math.min(performance.now() - begin, (user + system) / 1000);
}
