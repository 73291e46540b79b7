/**
 * Runs a graph that cannot be batched, request by request, with each caller's own shapes. A request may be several runs, one
 * after the other: rows whose shapes differ.
 *
 * Calls wait for their turn as those of a {@link Plan} do, and begin in the order of their arrival. An asynchronous session
 * has two under way at most.
 */
import { internal, invalidInput, ParleyError } from '../errors.js';
import type { TensorData, TensorSpec } from '../model/tensor.js';
import { brokenRun, type Feeds, type Fetches, type Results } from '../onnx/session.js';
import { bytesOf } from './batch.js';
import { type Answers, type Batcher, type Call, deliverOne, failOne, Left, lateAt, type Runnable } from './batcher.js';
import type { Servable } from './servable.js';

const MOST_UNDER_WAY = 2;

/** A finished run; of a request of several, its last one. */
export interface ShapedAnswers extends Answers {
  /** By position in the plan's outputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Of all the request's runs, in their order. */
  readonly runs: readonly ShapedAnswers[];
}

interface Waiting {
  readonly runs: readonly Feeds[];
  readonly bytes: number;
  readonly call: Call;
  /** As far as it has run. */
  readonly done: ShapedAnswers[];
}

export class ShapedPlan implements Runnable {
  readonly servable: Servable;
  readonly outputs: readonly TensorSpec[];
  readonly #fetches: Fetches;
  readonly #batcher: Batcher;
  #offered: readonly Feeds[] | undefined;
  #offeredBytes = 0;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #listed = false;

  constructor(servable: Servable, outputs: readonly TensorSpec[], batcher: Batcher) {
    this.servable = servable;
    this.outputs = outputs;
    this.#batcher = batcher;
    this.#fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]));
  }

  /** The inputs of each run of the request that is committed next; those that it leaves out are the graph's own. */
  offer(runs: readonly Feeds[]): void {
    const tensors = runs.flatMap((feeds) => Object.values(feeds));
    this.#offeredBytes = tensors.reduce((sum, { data }) => sum + sizeOf(data as TensorData), 0);
    this.#offered = runs.map((feeds) => ({ ...this.servable.defaults, ...feeds }));
  }

  /** Takes what was offered; it runs when those before it have. */
  commit(_rows: number, call: Call): void {
    if (this.#offered === undefined) throw internal('nothing was offered to be run');
    this.#waiting.push({ runs: this.#offered, bytes: this.#offeredBytes, call, done: [] });
    this.servable.queue.entered(this.#offered.length, this.#offeredBytes);
    this.#offered = undefined;
    this.servable.users.enter();
    this.#list();
  }

  get #mayStart(): boolean {
    return this.#waiting.length > 0 && (this.servable.session.synchronous || this.#underWay < MOST_UNDER_WAY);
  }

  #list(): void {
    if (this.#listed || !this.#mayStart) return;
    this.#listed = true;
    this.#batcher.add(this);
  }

  /** Runs a request, or the next run of one. Never throws: its call is delivered or failed, now or when an asynchronous session answers. */
  run(): Left {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#runOne(next);
    this.#listed = this.#mayStart;
    return this.#listed ? Left.more : Left.nothing;
  }

  #runOne(waiting: Waiting): void {
    const startedMs = performance.now(),
      { runs, call, done } = waiting;
    if (this.#isDropped(waiting, startedMs)) return;
    const { session, queue } = this.servable;
    this.servable.usedMs = startedMs;
    this.#underWay++;
    session.run(runs[done.length]!, this.#fetches, (error, results) => {
      this.#underWay--;
      if (results !== undefined) done.push(this.#answers(results, startedMs));
      else this.#failed(call, refusedRun(error));
      if (results !== undefined && done.length < runs.length) this.#waiting.unshift(waiting);
      else {
        if (results !== undefined) this.#deliver(waiting);
        this.#left(waiting);
      }
      queue.ran(1, startedMs, performance.now());
      if (session.synchronous) return;
      this.#list();
      this.#batcher.turnEnded();
    });
  }

  #deliver({ call, runs, done }: Waiting): void {
    const { startedMs } = done[0]!,
      last = done.at(-1)!,
      computeUs = done.reduce((sum, each) => sum + each.computeUs, 0);
    this.servable.tally.answered(call.arrivedMs, startedMs, last.startedMs + last.computeUs / 1000);
    const answers: ShapedAnswers = { ...last, startedMs, computeUs, runs: done };
    deliverOne(call, answers, 0, runs.length);
  }

  /** What is late is told so; whoever has gone is told nothing. */
  #isDropped(waiting: Waiting, nowMs: number): boolean {
    const { call } = waiting;
    if (call.cancelled) this.servable.tally.cancelled++;
    else if (call.deadlineMs <= nowMs) this.#failed(call, lateAt(call, nowMs));
    else return false;
    this.#left(waiting);
    return true;
  }

  /** Gives up what waits for nothing. */
  purge(): void {
    const now = performance.now(),
      waiting = this.#waiting;
    this.#waiting = [];
    this.#waiting.unshift(...waiting.filter((each) => !this.#isDropped(each, now)));
  }

  #left({ bytes, runs }: Waiting): void {
    this.servable.queue.left(1, runs.length, bytes);
    this.servable.users.leave();
  }

  #failed(call: Call, error: ParleyError): void {
    this.servable.tally.refused(error.code);
    failOne(call, error);
  }

  #answers(results: Results, startedMs: number): ShapedAnswers {
    const tensors = this.outputs.map(({ name }) => results[name]!),
      values = tensors.map(({ data }) => data as TensorData),
      computeUs = Math.round((performance.now() - startedMs) * 1000);
    this.servable.tally.ran(1, computeUs);
    return {
      servable: this.servable,
      outputs: this.outputs.map(({ name, dataType }, i) => ({
        name,
        dataType,
        rowShape: tensors[i]!.dims.slice(1),
        rowWidth: values[i]!.length,
      })),
      values,
      bytes: values.map(bytesOf),
      shapes: tensors.map(({ dims }) => dims),
      startedMs,
      computeUs,
      cached: false,
      runs: [],
    };
  }
}

const sizeOf = (values: TensorData): number =>
  Array.isArray(values) ? values.reduce((sum, text) => sum + 16 + text.length * 2, 0) : values.byteLength;

/** The graph has run on other inputs, or on none yet: what fails is this call's shapes and values. */
function refusedRun(cause: unknown): ParleyError {
  const { message } = brokenRun(cause);
  return cause instanceof ParleyError
    ? cause
    : invalidInput(`the inputs cannot be computed with: ${message}`, { cause });
}
