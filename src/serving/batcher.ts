/**
 * What has arrived in one turn of the event loop for one version and one set of outputs runs as one batch.
 *
 * All reads of a turn happen in its poll phase; `setImmediate` then runs every plan that has rows, once, and the replies
 * are written after that. No timer, no wait. Hot path: nothing is allocated per value, nothing is awaited per row; one
 * small object per call. bench/quick measures it.
 */
import { deadlineExceeded } from '../errors.js';
import { allocate, type TensorData } from '../model/tensor.js';
import { brokenRun, type Feeds, type Fetches, type Results, runtimeTensor } from '../onnx/session.js';
import { PredictionIds } from './prediction-id.js';
import { type Servable, type Slot, valuesOf } from './servable.js';

/** A request whose rows wait in a batch. Exactly one of the two is called, once. */
export interface Call {
  /** On performance.now()'s clock. */
  readonly arrivedMs: number;
  /** On the same clock; Infinity: none. */
  readonly deadlineMs: number;
  /** Rows `first` and the following of the answers are this call's; the arrays are only its own during this call. */
  deliver(answers: Answers, first: number, rows: number): void;
  fail(error: unknown): void;
}

/** A finished run. */
export interface Answers {
  readonly servable: Servable;
  /** By position in the plan's outputs. */
  readonly values: readonly TensorData[];
  /** The same values' bytes; undefined for strings. */
  readonly bytes: readonly (Buffer | undefined)[];
  readonly outputs: readonly Slot[];
  readonly startedMs: number;
  readonly computeUs: number;
}

/** Of more rows than this, a view with strings is not kept: each would hold a copy of them. */
const MOST_COPIED_ROWS = 64;

/** Rows being gathered; `columns[i]` belongs to the servable's input i. Owned by its plan. */
export class Batch {
  rows = 0;
  columns: TensorData[] = [];
  /** The columns' bytes; undefined for a column of strings. */
  bytes: (Buffer | undefined)[] = [];
  readonly calls: Call[] = [];
  readonly sizes: number[] = [];
  #capacity = 0;
  #feeds: (Feeds | undefined)[] = [];

  /** Which inputs hold strings. */
  readonly #texts: readonly number[];

  constructor(readonly inputs: readonly Slot[]) {
    this.#texts = [...inputs.keys()].filter((index) => inputs[index]!.dataType === 'string');
  }

  get capacity(): number {
    return this.#capacity;
  }

  reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    const old = this.columns;
    this.#capacity = Math.max(rows, this.#capacity * 2);
    this.columns = this.inputs.map((slot, index) => {
      const larger = allocate(slot.dataType, this.#capacity * slot.rowWidth);
      const previous = old[index];
      if (previous !== undefined) copyValues(previous, larger);
      return larger;
    });
    this.bytes = this.columns.map(bytesOf);
    this.#feeds = [];
  }

  /** The inputs of the first `rows` rows: views of the columns, made once per count; strings are copied into theirs. */
  feeds(rows: number): Feeds {
    if (this.#texts.length > 0 && rows > MOST_COPIED_ROWS) return this.view(0, rows);
    const made = this.#feeds[rows];
    if (made === undefined) return (this.#feeds[rows] = this.view(0, rows));
    for (const index of this.#texts) {
      const column = this.columns[index] as string[],
        copy = made[this.inputs[index]!.name]!.data as string[];
      for (let i = 0; i < copy.length; i++) copy[i] = column[i]!;
    }
    return made;
  }

  view(from: number, rows: number): Feeds {
    const feeds: Feeds = {};
    this.inputs.forEach(({ name, dataType, rowShape, rowWidth }, index) => {
      const column = this.columns[index]!;
      const part = Array.isArray(column)
        ? column.slice(from * rowWidth, (from + rows) * rowWidth)
        : column.subarray(from * rowWidth, (from + rows) * rowWidth);
      feeds[name] = runtimeTensor(dataType, part, [rows, ...rowShape]);
    });
    return feeds;
  }

  clear(): void {
    this.rows = 0;
    this.calls.length = 0;
    this.sizes.length = 0;
  }
}

export function bytesOf(values: TensorData): Buffer | undefined {
  return Array.isArray(values) ? undefined : Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function copyValues(from: TensorData, to: TensorData): void {
  if (Array.isArray(from)) for (let i = 0; i < from.length; i++) (to as string[])[i] = from[i]!;
  else (to as Uint8Array).set(from as Uint8Array);
}

/**
 * The batch being filled for one version and one set of outputs.
 *
 * While a batch runs and is delivered, a spare one takes its place: what is committed meanwhile waits there.
 */
export class Plan {
  readonly servable: Servable;
  readonly outputs: readonly Slot[];
  readonly #fetches: Fetches;
  readonly #batcher: Batcher;
  #batch: Batch;
  #spare: Batch | undefined;

  constructor(servable: Servable, outputs: readonly Slot[], batcher: Batcher) {
    this.servable = servable;
    this.outputs = outputs;
    this.#batcher = batcher;
    this.#fetches = Object.fromEntries(outputs.map((slot) => [slot.name, null]));
    this.#batch = new Batch(servable.inputs);
  }

  /** Room for `rows` more rows, at `batch.rows` and behind it. A batch that they would overfill runs first. */
  reserve(rows: number): Batch {
    if (this.#batch.rows > 0 && this.#batch.rows + rows > this.servable.maxRows) this.run();
    const batch = this.#batch;
    batch.reserve(batch.rows + rows);
    return batch;
  }

  /** Takes the rows that were written since `reserve`; they run at the end of this turn. */
  commit(rows: number, call: Call): void {
    const batch = this.#batch;
    batch.rows += rows;
    batch.calls.push(call);
    batch.sizes.push(rows);
    if (batch.calls.length > 1) return;
    this.servable.users.enter();
    this.#batcher.add(this);
  }

  /** Never throws: every call of the batch is delivered or failed, now or when an asynchronous session answers. */
  run(): void {
    const batch = this.#batch;
    if (batch.calls.length === 0) return;
    if (this.#dropExpired(batch)) {
      this.servable.users.leave();
      return;
    }
    this.#batch = this.#spare ?? new Batch(this.servable.inputs);
    this.#spare = undefined;
    const startedMs = performance.now();
    this.servable.usedMs = startedMs;
    let feeds: Feeds;
    try {
      feeds = batch.feeds(batch.rows);
    } catch (error) {
      this.#failed(batch, error);
      return;
    }
    this.servable.session.run(feeds, this.#fetches, (error, results) => {
      const answers = this.#answers(error, results, batch.rows, startedMs);
      if (!('servable' in answers)) this.#failed(batch, answers.error);
      else {
        const { tally } = this.servable,
          endedMs = startedMs + answers.computeUs / 1000;
        for (let i = 0, first = 0; i < batch.calls.length; i++) {
          tally.answered(batch.calls[i]!.arrivedMs, startedMs, endedMs);
          deliverOne(batch.calls[i]!, answers, first, batch.sizes[i]!);
          first += batch.sizes[i]!;
        }
        this.#finished(batch);
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
    try {
      const values = this.outputs.map((slot) => valuesOf(results, slot, rows)),
        computeUs = Math.round((performance.now() - startedMs) * 1000);
      this.servable.tally.ran(rows, computeUs);
      return {
        servable: this.servable,
        outputs: this.outputs,
        values,
        bytes: values.map(bytesOf),
        startedMs,
        computeUs,
      };
    } catch (error) {
      return { error };
    }
  }

  /** A run of several calls that failed is repeated for each alone, so that only the culprit fails. */
  #failed(batch: Batch, error: unknown): void {
    const { calls, sizes } = batch;
    const { tally } = this.servable;
    if (calls.length === 1) {
      const broken = brokenRun(error);
      tally.refused(broken.code);
      failOne(calls[0]!, broken);
      this.#finished(batch);
      return;
    }
    let left = calls.length;
    for (let i = 0, first = 0; i < calls.length; first += sizes[i]!, i++) {
      const call = calls[i]!,
        rows = sizes[i]!,
        startedMs = performance.now();
      this.servable.session.run(batch.view(first, rows), this.#fetches, (alone, results) => {
        const answers = this.#answers(alone, results, rows, startedMs);
        if ('servable' in answers) {
          tally.answered(call.arrivedMs, startedMs, startedMs + answers.computeUs / 1000);
          deliverOne(call, answers, 0, rows);
        } else {
          const broken = brokenRun(answers.error);
          tally.refused(broken.code);
          failOne(call, broken);
        }
        if (--left === 0) this.#finished(batch);
      });
    }
  }

  /** The batch is free again. One that a large request has made much too large is let go. */
  #finished(batch: Batch): void {
    batch.clear();
    if (batch.capacity <= this.servable.maxRows * 4) {
      // The same batch serves from turn to turn, so that its views are made once; the spare waits.
      if (this.#batch.calls.length > 0) this.#spare = batch;
      else {
        this.#spare = this.#batch;
        this.#batch = batch;
      }
    }
    this.servable.users.leave();
    if (!this.servable.session.synchronous) this.#batcher.turnEnded();
  }

  /** When every call of the batch is past its deadline, nothing runs. */
  #dropExpired(batch: Batch): boolean {
    const now = performance.now();
    for (const call of batch.calls) if (call.deadlineMs > now) return false;
    const expired = [...batch.calls];
    batch.clear();
    for (const call of expired) {
      this.servable.tally.refused('DEADLINE_EXCEEDED');
      failOne(call, deadlineExceeded('the call waited longer than its timeout_ms; it was not run'));
    }
    return true;
  }
}

/** A call that cannot take its answer must not cost the others theirs. */
export function deliverOne(call: Call, answers: Answers, first: number, rows: number): void {
  try {
    call.deliver(answers, first, rows);
  } catch (error) {
    failOne(call, error);
  }
}

/** Nor one that cannot even be failed; that is a defect, which ends the process as any other, once the turn is over. */
export function failOne(call: Call, error: unknown): void {
  try {
    call.fail(error);
  } catch (defect) {
    setImmediate(() => {
      throw defect;
    });
  }
}

/** What waits for the end of a turn. */
export interface Runnable {
  /** Never throws. */
  run(): void;
}

/** The turns of the event loop: which plans have rows, and what is to be done when they have run. One a process. */
export class Batcher {
  readonly ids = new PredictionIds();
  readonly #dirty: Runnable[] = [];
  readonly #after: (() => void)[] = [];
  #scheduled = false;

  /** Called after the plans of a turn have run: the place for what is done once a turn. */
  onTurnEnd(callback: () => void): void {
    this.#after.push(callback);
  }

  add(plan: Runnable): void {
    this.#dirty.push(plan);
    this.schedule();
  }

  /** Makes sure that this turn ends with the callbacks. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Not only when the turn ends: a batch that is full runs before, and its answers are named too.
    this.ids.tick(Date.now());
    setImmediate(this.#turn);
  }

  turnEnded(): void {
    for (const callback of this.#after) callback();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.ids.tick(Date.now());
    for (let i = 0; i < this.#dirty.length; i++) this.#dirty[i]!.run();
    this.#dirty.length = 0;
    this.turnEnded();
  };
}
