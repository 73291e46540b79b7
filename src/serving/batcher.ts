/**
 * The turns of the event loop: which plans have batches, and what is done when they have run.
 *
 * All reads of a turn happen in its poll phase; `setImmediate` then runs the plans' batches, and the replies are written
 * after that. A turn runs batches for a few milliseconds, a batch of each plan after the other, so that no model starves
 * another and what was answered is not kept; what is left runs in the next turn, behind its reads. No timer, no wait.
 * Hot path: nothing is allocated per value, nothing is awaited per row. bench/quick measures it.
 */
import { deadlineExceeded, type ParleyError, withoutStack } from '../errors.js';
import type { TensorData } from '../model/tensor.js';
import { PredictionIds } from './prediction-id.js';
import type { Servable, Slot } from './servable.js';

/** A request whose rows wait in a batch. Exactly one of its two methods is called, once, unless it is cancelled. */
export interface Call {
  /** On performance.now()'s clock. */
  readonly arrivedMs: number;
  /** On the same clock; Infinity: none. */
  readonly deadlineMs: number;
  /** Whether nobody waits for the answer any more: it is not run then, and neither delivered nor failed. */
  readonly cancelled: boolean;
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
  /** Whether they are those of an earlier run. */
  readonly cached: boolean;
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

/** What a call is failed with whose time was up before it ran. */
export function lateAt({ arrivedMs, deadlineMs }: Call, nowMs: number): ParleyError {
  const waitedMs = Math.round(nowMs - arrivedMs),
    timeoutMs = Math.round(deadlineMs - arrivedMs);
  return withoutStack(() =>
    deadlineExceeded(
      `the call waited ${waitedMs} ms for its turn, its timeout_ms is ${timeoutMs}; it was not run. Allow more time, or send less at once`,
    ),
  );
}

/** What is left when a batch has run. */
export const Left = { nothing: 0, more: 1, untilNextTurn: 2 } as const;
export type Left = (typeof Left)[keyof typeof Left];

/** What has batches to run. */
export interface Runnable {
  /** Runs one. Never throws. */
  run(): Left;
}

/** How long a turn runs batches; the one under way is not interrupted. */
const TURN_MS = 4;

/** One a process. */
export class Batcher {
  readonly ids = new PredictionIds();
  /** Calls that waited when their connections ended: grows with every such connection. */
  ends = 0;
  #ready: Runnable[] = [];
  #next: Runnable[] = [];
  readonly #after: (() => void)[] = [];
  #scheduled = false;

  /** Called after the batches of a turn have run: the place for what is done once a turn. */
  onTurnEnd(callback: () => void): void {
    this.#after.push(callback);
  }

  /** Until its `run` says that nothing is left. */
  add(plan: Runnable): void {
    this.#ready.push(plan);
    this.schedule();
  }

  /** Whether batches wait for a turn. */
  get busy(): boolean {
    return this.#ready.length > 0;
  }

  /** Makes sure that this turn ends with the callbacks. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Not only when the turn ends: what is kept is answered before, and its answers are named too.
    this.ids.tick(Date.now());
    setImmediate(this.#turn);
  }

  turnEnded(): void {
    for (const callback of this.#after) callback();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.ids.tick(Date.now());
    const untilMs = performance.now() + TURN_MS,
      ready = this.#ready;
    let ran = 0;
    while (ran < ready.length) {
      const plan = ready[ran++]!;
      const left = plan.run();
      if (left === Left.more) ready.push(plan);
      else if (left === Left.untilNextTurn) this.#next.push(plan);
      if (ran < ready.length && performance.now() >= untilMs) break;
    }
    this.#keepForNextTurn(ran);
    this.turnEnded();
  };

  #keepForNextTurn(ran: number): void {
    const ready = this.#ready;
    if (ran === ready.length) ready.length = 0;
    else ready.splice(0, ran);
    if (this.#next.length > 0) ready.push(...this.#next.splice(0));
    if (ready.length > 0) this.schedule();
  }
}
