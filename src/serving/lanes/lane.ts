/**
 * A lane: one process after another, and the jobs that the current one has still to do.
 *
 * Jobs are done in the order in which they come. When the process dies, the job that it was at fails; the others, and the
 * sessions that they need, go to the next process, which starts at once. A job's frame is kept until it is answered.
 */
import { internal, modelBroken, ParleyError, shuttingDown } from '../../errors.js';
import { brokenRun } from '../../onnx/session.js';
import { type Frame, KIND, Reader, textFrame } from './frames.js';
import { LaneProcess, type LaneProcessOptions } from './lane-process.js';
import { allowedMs, isHung, LOADING_MS, type Patience } from './patience.js';
import { failureOf } from './replies.js';
import type { Strikes } from './strikes.js';

/** Frames in the socket: the next job's values travel while one runs. */
const AHEAD = 2;
const WATCH_MS = 250,
  /** From its start until it can take a job, by the clock. */
  STARTING_MS = 60_000,
  /** A process without sessions ends after this. */
  IDLE_MS = 10_000;

/** A session as its lane sees it. */
export interface Resident {
  readonly id: number;
  /** Its version, for people. */
  readonly name: string;
  /** Of its graph. */
  readonly file: string;
  /** The most CPU time that a row of it took so far. */
  mostRowMs: number;
}

export interface Job {
  readonly kind: 'load' | 'run';
  readonly resident: Resident;
  readonly frame: Buffer;
  readonly rows: number;
  /** Called once. Must not throw. */
  settle(outcome: Frame | ParleyError): void;
}

export interface LaneOptions extends LaneProcessOptions {
  readonly patience: Patience;
  readonly strikes: Strikes;
  readonly log: { info(told: object, text: string): void; warn(told: object, text: string): void };
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #residents = new Set<Resident>();
  #queue: Job[] = [];
  #sent: Job[] = [];
  #process: LaneProcess | undefined;
  #ready = false;
  /** What the current process has loaded, or has been told to. */
  #loaded = new Set<Resident>();
  #watch: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Of the watch, since the first of `#sent` began. */
  #ticks = 0;
  /** Of the process, at the first tick. */
  #cpuMs: number | undefined;
  #hung: string | undefined;
  /** Whether the process was told to end because it had nothing to do: what comes now is for the next one. */
  #ending = false;
  #closed = false;
  /** Processes that were replaced. */
  restarts = 0;
  /** Of graphs, that were answered. */
  runs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get sessions(): number {
    return this.#residents.size;
  }

  get jobs(): number {
    return this.#queue.length + this.#sent.length;
  }

  /** Loads the resident's graph, now and whenever the process is another one; until `remove`. */
  add(resident: Resident, settle: Job['settle']): void {
    this.#residents.add(resident);
    this.do(this.#loading(resident, settle));
  }

  do(job: Job): void {
    this.#queue.push(job);
    this.#pump();
  }

  remove(resident: Resident): void {
    this.#residents.delete(resident);
    if (this.#loaded.delete(resident)) this.#process?.send(textFrame(KIND.release, resident.id, ''));
    this.#endWhenIdle();
  }

  /** Ends the process; what it was at and what waits fails. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const process = this.#process;
    process?.kill();
    await process?.ended;
    this.#failAll(shuttingDown('the server is stopping; another one will answer'));
  }

  /** At once, where nobody can wait. */
  kill(): void {
    this.#process?.kill();
  }

  #loading(resident: Resident, settle: Job['settle']): Job {
    const frame = textFrame(KIND.load, resident.id, resident.file);
    return { kind: 'load', resident, frame, rows: 1, settle };
  }

  #pump(): void {
    if (this.#closed) {
      this.#failAll(shuttingDown('the server is stopping; another one will answer'));
      return;
    }
    if (this.#queue.length === 0) return;
    clearTimeout(this.#idle);
    if (this.#ending) return;
    this.#process ??= this.#start();
    if (this.#process === undefined) return;
    while (this.#sent.length < AHEAD && this.#queue.length > 0) this.#send(this.#process);
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS).unref();
  }

  #send(process: LaneProcess): void {
    const next = this.#queue[0]!;
    if (next.kind === 'run' && !this.#loaded.has(next.resident)) {
      this.#queue.unshift(this.#loading(next.resident, (outcome) => this.#loadedAgain(next.resident, outcome)));
      this.#loaded.add(next.resident);
      return;
    }
    this.#queue.shift();
    if (next.kind === 'load') this.#loaded.add(next.resident);
    if (this.#sent.push(next) === 1) this.#ticks = 0;
    process.send(next.frame);
  }

  #start(): LaneProcess | undefined {
    const { folder, nice } = this.#options;
    this.#ready = false;
    this.#hung = undefined;
    this.#ticks = 0;
    this.#loaded = new Set();
    try {
      return new LaneProcess(
        { folder, nice },
        (frame) => this.#heard(frame),
        (how) => this.#ended(how),
      );
    } catch (error) {
      this.#notStarted(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #heard(frame: Frame): void {
    this.#ticks = 0;
    if (frame.kind === KIND.ready) {
      this.#ready = true;
      return;
    }
    const job = this.#sent.shift();
    if (job === undefined) throw internal('a lane answered what it was not asked');
    if (frame.kind === KIND.answered) {
      this.runs++;
      job.resident.mostRowMs = Math.max(job.resident.mostRowMs, new Reader(frame).spentMs() / job.rows);
    }
    if (job.kind === 'load' && frame.kind !== KIND.loaded) this.#loaded.delete(job.resident);
    this.#pump();
    job.settle(frame);
    this.#endWhenIdle();
  }

  #loadedAgain(resident: Resident, outcome: Frame | ParleyError): void {
    if (outcome instanceof ParleyError || outcome.kind !== KIND.loaded)
      this.#fail(
        (job) => job.resident === resident,
        outcome instanceof ParleyError ? outcome : brokenRun(failureOf(outcome)),
      );
  }

  /** The first of what was sent is what the process was at. */
  #ended(how: string): void {
    const wasReady = this.#ready,
      culprit = this.#sent.shift();
    this.#process = undefined;
    this.#ready = false;
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#queue.unshift(...this.#sent.splice(0));
    if (this.#ending) {
      this.#ending = false;
      this.#pump();
      return;
    }
    if (this.#closed || (culprit === undefined && this.jobs === 0 && this.#residents.size === 0)) {
      if (culprit !== undefined) this.#queue.unshift(culprit);
      return;
    }
    if (wasReady) this.#replace(culprit, this.#hung ?? how);
    else {
      if (culprit !== undefined) this.#queue.unshift(culprit);
      this.#notStarted(how);
    }
  }

  #replace(culprit: Job | undefined, how: string): void {
    const { strikes, log } = this.#options;
    this.restarts++;
    log.warn({ how, at: culprit?.resident.name }, 'a lane has ended; another one takes over');
    if (culprit !== undefined) strikes.add(culprit.resident.name);
    for (const resident of this.#residents)
      if (resident !== culprit?.resident && !this.#queue.some((job) => job.resident === resident))
        this.#queue.push(this.#loading(resident, () => {}));
    const refusal = culprit && strikes.refusal(culprit.resident.name);
    if (refusal !== undefined) this.#fail((job) => job.resident === culprit!.resident, refusal);
    this.#pump();
    culprit?.settle(brokenLane(culprit, how));
  }

  /** The fault is the machine's: nothing waits for it, and what comes next tries again. */
  #notStarted(how: string): void {
    this.#options.log.warn({ how }, 'a lane could not be started');
    this.#failAll(internal(`the process that is to run the graph could not be started (${how})`));
  }

  #failAll(error: ParleyError): void {
    this.#fail(() => true, error);
  }

  #fail(which: (job: Job) => boolean, error: ParleyError): void {
    const failed = this.#queue.filter(which);
    this.#queue = this.#queue.filter((job) => !which(job));
    for (const job of failed) {
      if (job.kind === 'load') this.#loaded.delete(job.resident);
      job.settle(error);
    }
  }

  #look(): void {
    const head = this.#sent[0];
    if (head === undefined || this.#process === undefined || this.#hung !== undefined) {
      if (head === undefined) {
        clearInterval(this.#watch);
        this.#watch = undefined;
      }
      return;
    }
    if (++this.#ticks === 1) this.#cpuMs = this.#process.cpuMs();
    const clockMs = this.#ticks * WATCH_MS,
      { patience } = this.#options;
    const allowed = head.kind === 'load' ? LOADING_MS : allowedMs(patience, head.resident.mostRowMs, head.rows);
    if (!this.#ready ? clockMs <= STARTING_MS : clockMs <= allowed) return;
    const all = this.#process.cpuMs();
    const cpuMs = all === undefined || this.#cpuMs === undefined ? undefined : all - this.#cpuMs;
    if (this.#ready && !isHung({ allowedMs: allowed, clockMs, cpuMs }, patience)) return;
    this.#hung = `it hung: ${cpuMs === undefined ? '' : `${seconds(cpuMs)} of CPU time, `}${seconds(clockMs)} by the clock, ${seconds(allowed)} allowed`;
    this.#process.kill();
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idle);
    if (this.#process === undefined || this.#residents.size > 0 || this.jobs > 0) return;
    this.#idle = setTimeout(() => {
      if (this.#process === undefined || this.#residents.size > 0 || this.jobs > 0) return;
      this.#ending = true;
      this.#process.kill();
    }, IDLE_MS).unref();
  }
}

const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))} s`;

function brokenLane({ kind, resident }: Job, how: string): ParleyError {
  const at = kind === 'load' ? 'loading it' : 'this run';
  return modelBroken(`${resident.name}: ${at} ended the process that runs it (${how}); the server goes on without it`);
}
