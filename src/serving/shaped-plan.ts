/**
 * Runs a graph that cannot be batched, request by request, with each caller's own shapes.
 *
 * Calls wait for the end of the turn as those of a {@link Plan} do, and are answered in the order of their arrival.
 */
import { deadlineExceeded, internal, invalidInput, ParleyError } from '../errors.js';
import type { TensorData, TensorSpec } from '../model/tensor.js';
import { brokenRun, type Feeds, type Fetches, type Results } from '../onnx/session.js';
import { type Answers, type Batcher, bytesOf, type Call, deliverOne, failOne } from './batcher.js';
import type { Servable } from './servable.js';

/** A finished run of one request. */
export interface ShapedAnswers extends Answers {
  /** By position in the plan's outputs. */
  readonly shapes: readonly (readonly number[])[];
}

interface Waiting {
  readonly feeds: Feeds;
  readonly call: Call;
}

export class ShapedPlan {
  readonly servable: Servable;
  readonly outputs: readonly TensorSpec[];
  readonly #fetches: Fetches;
  readonly #batcher: Batcher;
  #offered: Feeds | undefined;
  #waiting: Waiting[] = [];

  constructor(servable: Servable, outputs: readonly TensorSpec[], batcher: Batcher) {
    this.servable = servable;
    this.outputs = outputs;
    this.#batcher = batcher;
    this.#fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]));
  }

  /** The inputs of the request that is committed next; those that it leaves out are the graph's own. */
  offer(feeds: Feeds): void {
    this.#offered = { ...this.servable.defaults, ...feeds };
  }

  /** Takes what was offered; it runs at the end of this turn. */
  commit(_rows: number, call: Call): void {
    if (this.#offered === undefined) throw internal('nothing was offered to be run');
    this.#waiting.push({ feeds: this.#offered, call });
    this.#offered = undefined;
    this.servable.users.enter();
    if (this.#waiting.length === 1) this.#batcher.add(this);
  }

  /** Never throws: every call is delivered or failed, now or when an asynchronous session answers. */
  run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) this.#runOne(each);
  }

  #runOne({ feeds, call }: Waiting): void {
    const startedMs = performance.now();
    if (call.deadlineMs <= startedMs) {
      this.#failed(call, deadlineExceeded('the call waited longer than its timeout_ms; it was not run'));
      return;
    }
    const { session, tally } = this.servable;
    this.servable.usedMs = startedMs;
    session.run(feeds, this.#fetches, (error, results) => {
      if (results === undefined) this.#failed(call, refusedRun(error));
      else {
        const answers = this.#answers(results, startedMs);
        tally.answered(call.arrivedMs, startedMs, startedMs + answers.computeUs / 1000);
        deliverOne(call, answers, 0, 1);
        this.servable.users.leave();
      }
      if (!session.synchronous) this.#batcher.turnEnded();
    });
  }

  #failed(call: Call, error: ParleyError): void {
    this.servable.tally.refused(error.code);
    failOne(call, error);
    this.servable.users.leave();
  }

  #answers(results: Results, startedMs: number): ShapedAnswers {
    const tensors = this.outputs.map(({ name }) => results[name]!),
      values = tensors.map(({ data }) => data as TensorData),
      computeUs = Math.round((performance.now() - startedMs) * 1000);
    this.servable.tally.ran(1, computeUs);
    return {
      servable: this.servable,
      outputs: [],
      values,
      bytes: values.map(bytesOf),
      shapes: tensors.map(({ dims }) => dims),
      startedMs,
      computeUs,
    };
  }
}

/** The graph has run on other inputs, or on none yet: what fails is this call's shapes and values. */
function refusedRun(cause: unknown): ParleyError {
  const { message } = brokenRun(cause);
  return cause instanceof ParleyError
    ? cause
    : invalidInput(`the inputs cannot be computed with: ${message}`, { cause });
}
