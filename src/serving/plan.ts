/**
 * What waits for one version and one set of outputs: batches in the order of their arrival, of which the last is filled.
 *
 * A batch holds about two milliseconds' rows; only a larger request makes a larger one. The batcher has each plan run one
 * batch after the other; an asynchronous session has two under way at most. What is past its deadline or whose caller has
 * gone when its batch's turn comes is not run. Hot path: one small object per call; bench/quick measures it.
 */
import { ParleyError } from '../errors.js';
import { brokenRun, type Fetches, type Results } from '../onnx/session.js';
import { Batch, bytesOf } from './batch.js';
import { type Answers, type Batcher, type Call, deliverOne, failOne, Left, lateAt, type Runnable } from './batcher.js';
import { Pieces } from './pieces.js';
import type { CacheKeys, KeptAnswers, ResultCache } from './result-cache.js';
import { type Servable, type Slot, valuesOf } from './servable.js';

/** Batches of an asynchronous session: one runs, and the next one is there when it ends. */
const MOST_UNDER_WAY = 2;
/** Empty batches that are kept for the next rows. */
const MOST_SPARES = 4;

/** Where the answers of a plan are kept. */
export interface PlanCache {
  readonly results: ResultCache;
  readonly keys: CacheKeys;
}

export class Plan implements Runnable {
  readonly servable: Servable;
  readonly outputs: readonly Slot[];
  readonly #fetches: Fetches;
  readonly #batcher: Batcher;
  readonly #cache: PlanCache | undefined;
  #filling: Batch;
  readonly #full: Batch[] = [];
  readonly #spares: Batch[] = [];
  #underWay = 0;
  /** Of a large request that has begun, with a session that answers at once. */
  #pieces: Pieces | undefined;
  /** Whether the batcher will ask for the next batch. */
  #listed = false;
  #timer: NodeJS.Timeout | undefined;
  /** What it waits for, on performance.now()'s clock. */
  #timerMs = 0;

  constructor(servable: Servable, outputs: readonly Slot[], batcher: Batcher, cache?: PlanCache) {
    this.servable = servable;
    this.outputs = outputs;
    this.#batcher = batcher;
    this.#cache = cache;
    this.#fetches = Object.fromEntries(outputs.map((slot) => [slot.name, null]));
    this.#filling = new Batch(servable.inputs);
  }

  /** Room for `rows` more rows, at `batch.rows` and behind it, in a batch that they do not overfill. */
  reserve(rows: number): Batch {
    const { calls, rows: before } = this.#filling;
    if (calls.length > 0 && before + rows > this.servable.maxRows) {
      this.#full.push(this.#filling);
      this.#filling = this.#empty();
      // It waits for more rows no longer, also where these are not committed.
      this.#list();
    }
    const batch = this.#filling;
    batch.reserve(batch.rows + rows);
    return batch;
  }

  /** Takes the rows that were written since `reserve`; they run when those before them have. */
  commit(rows: number, call: Call): void {
    const batch = this.#filling,
      { servable } = this;
    if (this.#cache !== undefined && this.#answersFrom(this.#cache, batch, rows, call)) return;
    batch.rows += rows;
    batch.calls.push(call);
    batch.sizes.push(rows);
    servable.queue.entered(rows, rows * servable.rowBytes);
    if (batch.calls.length === 1) servable.users.enter();
    if (this.#listed) return;
    if (this.#timer === undefined || batch.rows >= servable.maxRows || this.#dueMs(call) < this.#timerMs) this.#list();
  }

  get #isAsynchronous(): boolean {
    return !this.servable.session.synchronous;
  }

  #list(): void {
    if (this.#listed || (this.#isAsynchronous && this.#underWay >= MOST_UNDER_WAY)) return;
    this.#listed = true;
    this.#batcher.add(this);
  }

  #empty(): Batch {
    return this.#spares.pop() ?? new Batch(this.servable.inputs);
  }

  /** Runs the batch that has waited longest. Never throws: each of its calls is delivered or failed, now or later. */
  run(): Left {
    if (this.#pieces !== undefined) this.#runPiece(this.#pieces);
    else if (this.#full.length > 0) this.#start(this.#full.shift()!);
    else if (this.#filling.calls.length > 0) {
      const left = this.servable.maxDelayMs > 0 ? this.#delay() : Left.more;
      if (left !== Left.more) return left;
      const batch = this.#filling;
      this.#filling = this.#empty();
      this.#start(batch);
    }
    const more =
      (this.#pieces !== undefined || this.#full.length > 0 || this.#filling.calls.length > 0) &&
      !(this.#isAsynchronous && this.#underWay >= MOST_UNDER_WAY);
    this.#listed = more;
    return more ? Left.more : Left.nothing;
  }

  /** For a batch that may wait for more rows. @returns `more` when it is to run now */
  #delay(): Left {
    const { calls, rows } = this.#filling;
    if (rows >= this.servable.maxRows) return Left.more;
    const dueMs = calls.reduce((least, call) => Math.min(least, this.#dueMs(call)), Number.POSITIVE_INFINITY),
      leftMs = dueMs - performance.now();
    if (leftMs <= 0) return Left.more;
    // Timers count whole milliseconds; the rest is waited for in turns of the loop.
    if (leftMs < 1) return Left.untilNextTurn;
    this.#listed = false;
    if (this.#timer !== undefined && this.#timerMs <= dueMs) return Left.nothing;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#filling.calls.length > 0) this.#list();
    }, Math.floor(leftMs));
    return Left.nothing;
  }

  /** Until when a call waits for others. Of its own time, half. */
  #dueMs({ arrivedMs, deadlineMs }: Call): number {
    return arrivedMs + Math.min(this.servable.maxDelayMs, (deadlineMs - arrivedMs) / 2);
  }

  #start(batch: Batch): void {
    const { servable } = this;
    const startedMs = (batch.startedMs = performance.now());
    if (mustDrop(batch, startedMs)) this.#drop(batch, startedMs);
    if (batch.rows === 0) {
      this.#deliverKept(batch);
      this.#finished(batch);
      return;
    }
    servable.usedMs = startedMs;
    this.#underWay++;
    if (batch.rows > servable.maxRows && !this.#isAsynchronous) {
      this.#startPieces(batch);
      return;
    }
    try {
      servable.session.run(batch.feeds(batch.rows), this.#fetches, (error, results) =>
        this.#ended(batch, error, results),
      );
    } catch (error) {
      this.#ended(batch, error, undefined);
    }
  }

  #ended(batch: Batch, error: unknown, results: Results | undefined): void {
    const answers = this.#answers(error, results, batch.rows, batch.startedMs);
    if ('servable' in answers) this.#answered(batch, answers);
    else this.#failed(batch, answers.error, isLost(error));
  }

  #answered(batch: Batch, answers: Answers): void {
    this.#deliver(batch, answers, 0, batch.calls.length);
    this.servable.shadowing.active?.offer(this, batch, answers);
    this.#ran(batch);
  }

  /** @param together whether no call is to blame */
  #failed(batch: Batch, error: unknown, together: boolean): void {
    this.#deliverKept(batch);
    const { length } = batch.calls;
    if (length > 1 && !together) {
      this.#isolate(batch, [length >> 1, length, 0, length >> 1]);
      return;
    }
    for (const call of batch.calls) this.#fail(call, error);
    this.#ran(batch);
  }

  #startPieces(batch: Batch): void {
    let pieces: Pieces;
    try {
      pieces = new Pieces(batch, this.outputs);
    } catch (error) {
      this.#failed(batch, error, true);
      return;
    }
    this.#pieces = pieces;
    this.#runPiece(pieces);
  }

  #runPiece(pieces: Pieces): void {
    const { batch, done } = pieces,
      { servable } = this,
      rows = Math.min(servable.maxRows, pieces.left),
      startedMs = performance.now();
    if (batch.calls.every(({ cancelled }) => cancelled)) {
      this.#pieces = undefined;
      this.#drop(batch, startedMs);
      this.#ran(batch, done);
      return;
    }
    servable.session.run(batch.view(done, rows), this.#fetches, (error, results) => {
      const answers = this.#answers(error, results, rows, startedMs);
      if ('servable' in answers) {
        pieces.take(answers, rows);
        if (pieces.left > 0) return;
        this.#pieces = undefined;
        this.#answered(batch, pieces.answers(servable));
      } else {
        this.#pieces = undefined;
        this.#failed(batch, answers.error, false);
      }
    });
  }

  #answers(
    error: unknown,
    results: Results | undefined,
    rows: number,
    startedMs: number,
  ): Answers | { readonly error: unknown } {
    if (results === undefined) return { error };
    const { servable, outputs } = this;
    try {
      const values = outputs.map((slot) => valuesOf(results, slot, rows)),
        computeUs = Math.round((performance.now() - startedMs) * 1000);
      servable.tally.ran(rows, computeUs);
      return { servable, outputs, values, bytes: values.map(bytesOf), startedMs, computeUs, cached: false };
    } catch (error) {
      return { error };
    }
  }

  /** To calls `from` to `to` of the batch, the first of whose rows is row 0 of the answers. */
  #deliver(batch: Batch, answers: Answers, from: number, to: number): void {
    const { calls, sizes, keys, kept } = batch,
      { tally } = this.servable,
      endedMs = answers.startedMs + answers.computeUs / 1000;
    for (let i = from, first = 0; i < to; i++) {
      const call = calls[i]!,
        rows = sizes[i]!;
      if (rows === 0) {
        this.#deliverOneKept(call, kept[i]!);
        continue;
      }
      tally.answered(call.arrivedMs, answers.startedMs, endedMs);
      deliverOne(call, answers, first, rows);
      const key = keys[i];
      if (key !== undefined) this.#cache!.results.keep(key, answers.values, this.outputs, first, rows);
      first += rows;
    }
  }

  #fail(call: Call, error: unknown): void {
    const broken = brokenRun(error);
    this.servable.tally.refused(broken.code);
    failOne(call, broken);
  }

  /**
   * A run of several calls that failed is repeated for its halves, one at a time, until the culprits are alone.
   *
   * @param ranges of calls that are to run: to and from, in pairs, the next one last
   */
  #isolate(batch: Batch, ranges: number[]): void {
    while (ranges.length > 0) {
      const to = ranges.pop()!,
        from = ranges.pop()!,
        startedMs = performance.now();
      const { first, rows } = placeOf(batch, from, to);
      let ended = false,
        returned = false;
      this.servable.session.run(batch.view(first, rows), this.#fetches, (error, results) => {
        ended = true;
        const answers = this.#answers(error, results, rows, startedMs);
        if ('servable' in answers) this.#deliver(batch, answers, from, to);
        else if (to - from === 1) this.#fail(batch.calls[from]!, answers.error);
        else {
          const middle = (from + to) >> 1;
          ranges.push(middle, to, from, middle);
        }
        if (returned) this.#isolate(batch, ranges);
      });
      returned = true;
      if (!ended) return;
    }
    this.#ran(batch);
  }

  /** @param rows that its run took time for */
  #ran(batch: Batch, rows = batch.rows): void {
    const { startedMs } = batch;
    this.#underWay--;
    this.#finished(batch);
    this.servable.queue.ran(rows, startedMs, performance.now());
  }

  /** The batch is free again. One that a large request has made much too large is let go. */
  #finished(batch: Batch): void {
    const { servable } = this,
      filling = this.#filling;
    servable.queue.left(batch.calls.length, batch.rows, batch.rows * servable.rowBytes);
    batch.clear();
    if (batch.capacity <= servable.maxRows * 4) {
      // The same batch serves from turn to turn, so that its views are made once; the others wait.
      if (filling.calls.length === 0) this.#filling = batch;
      if (this.#spares.length < MOST_SPARES) this.#spares.push(this.#filling === batch ? filling : batch);
    }
    servable.users.leave();
    if (!this.#isAsynchronous) return;
    if (this.#full.length > 0 || this.#filling.calls.length > 0) this.#list();
    this.#batcher.turnEnded();
  }

  // ------------------------------------------------------------------ what does not run

  /** Gives up what waits for nothing: makes room where a call would be refused. */
  purge(): void {
    const now = performance.now();
    for (const batch of this.#full) if (mustDrop(batch, now)) this.#drop(batch, now);
  }

  /** What is late is told so; whoever has gone is told nothing. */
  #drop(batch: Batch, nowMs: number): void {
    const { tally, queue, rowBytes } = this.servable,
      { rows } = batch;
    const dropped = batch.takeOut((call) => call.cancelled || call.deadlineMs <= nowMs),
      less = rows - batch.rows;
    queue.left(dropped.length, less, less * rowBytes);
    for (const call of dropped) {
      if (call.cancelled) tally.cancelled++;
      else {
        tally.refused('DEADLINE_EXCEEDED');
        failOne(call, lateAt(call, nowMs));
      }
    }
  }

  /** Its version was released: whoever remembers the plan keeps no memory with it. */
  letGo(): void {
    this.#spares.length = 0;
    if (this.#filling.calls.length === 0) this.#filling = new Batch(this.servable.inputs);
  }

  // ------------------------------------------------------------------ answers that are kept

  /** @returns whether the call needs no run; when it does, its answers will be kept */
  #answersFrom({ results, keys }: PlanCache, batch: Batch, rows: number, call: Call): boolean {
    const key = keys.of(batch, batch.rows, rows);
    const found = key === undefined ? undefined : results.get(key);
    if (found === undefined) {
      batch.keys[batch.calls.length] = key;
      return false;
    }
    // Behind the calls of this turn, in order, where those are answered in this turn.
    if (batch.calls.length > 0 && this.#full.length === 0 && !this.#isAsynchronous && this.#timer === undefined) {
      batch.kept[batch.calls.length] = found;
      batch.calls.push(call);
      batch.sizes.push(0);
      this.servable.queue.entered(0, 0);
    } else this.#deliverOneKept(call, found);
    return true;
  }

  #deliverOneKept(call: Call, { values, bytes }: KeptAnswers): void {
    const startedMs = performance.now(),
      { servable, outputs } = this;
    if (call.deadlineMs <= startedMs) {
      servable.tally.refused('DEADLINE_EXCEEDED');
      failOne(call, lateAt(call, startedMs));
      return;
    }
    servable.tally.answered(call.arrivedMs, startedMs, startedMs);
    const rows = values.length === 0 ? 0 : values[0]!.length / outputs[0]!.rowWidth;
    deliverOne(call, { servable, outputs, values, bytes, startedMs, computeUs: 0, cached: true }, 0, rows);
  }

  /** Takes those out of the batch that need no run. */
  #deliverKept(batch: Batch): void {
    const { kept, calls } = batch;
    if (kept.length === 0) return;
    const known = kept.filter((each) => each !== undefined);
    const out = batch.takeOut((_call, index) => kept[index] !== undefined);
    if (calls.length === 0) batch.rows = 0;
    this.servable.queue.left(out.length, 0, 0);
    for (let i = 0; i < out.length; i++) this.#deliverOneKept(out[i]!, known[i]!);
  }
}

/** Where the rows of calls `from` to `to` are. */
function placeOf({ sizes }: Batch, from: number, to: number): { readonly first: number; readonly rows: number } {
  let first = 0,
    rows = 0;
  for (let i = 0; i < from; i++) first += sizes[i]!;
  for (let i = from; i < to; i++) rows += sizes[i]!;
  return { first, rows };
}

function mustDrop({ calls }: Batch, nowMs: number): boolean {
  for (let i = 0; i < calls.length; i++) if (calls[i]!.deadlineMs <= nowMs || calls[i]!.cancelled) return true;
  return false;
}

/** Of what runs it: it has ended, could not be started, or the server stops. */
const LOST: readonly string[] = ['MODEL_BROKEN', 'INTERNAL', 'SHUTTING_DOWN'];
/** Whether a run was lost with what ran it, for which no row is to blame. */
const isLost = (error: unknown): boolean => error instanceof ParleyError && LOST.includes(error.code);
