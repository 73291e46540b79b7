/** Calls that remember what became of them. */
import type { TensorData } from '#parley/model/tensor.js';
import type { Answers, Call } from '#parley/serving/batcher.js';
import type { Plan } from '#parley/serving/plan.js';

type Outcome = { readonly values: unknown[][] } | { readonly error: { code?: string; message: string } };

export class Recorded implements Call {
  readonly arrivedMs = performance.now();
  cancelled = false;
  readonly outcomes: Outcome[] = [];
  readonly settled: Promise<void>;
  /** Called before the answer is taken. */
  onDeliver: () => void = () => {};
  private settle: () => void = () => {};

  constructor(readonly deadlineMs = Number.POSITIVE_INFINITY) {
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  deliver({ values, outputs }: Answers, first: number, rows: number): void {
    this.onDeliver();
    const mine = values.map((all: TensorData, i) =>
      Array.from(all as ArrayLike<unknown>).slice(first * outputs[i].rowWidth, (first + rows) * outputs[i].rowWidth),
    );
    this.outcomes.push({ values: mine });
    this.settle();
  }

  fail(error: unknown): void {
    this.outcomes.push({ error: error as { code?: string; message: string } });
    this.settle();
  }

  /** What the one answer was, output by output. */
  get values(): unknown[][] {
    if (this.outcomes.length !== 1) throw new Error(`the call has ${this.outcomes.length} outcomes`);
    const [outcome] = this.outcomes;
    if ('error' in outcome) throw outcome.error;
    return outcome.values;
  }

  get error(): { code?: string; message: string } {
    if (this.outcomes.length !== 1) throw new Error(`the call has ${this.outcomes.length} outcomes`);
    const [outcome] = this.outcomes;
    if ('values' in outcome) throw new Error('the call was answered');
    return outcome.error;
  }
}

/** Writes rows into a plan's batch: `columns[i]` holds the values of input i. */
export function put(plan: Plan, columns: readonly (readonly (number | string)[])[], call = new Recorded()): Recorded {
  const rows = columns[0].length;
  const batch = plan.reserve(rows);
  columns.forEach((values, input) => {
    const column = batch.columns[input] as (number | string)[];
    values.forEach((value, row) => {
      column[batch.rows + row] = value;
    });
  });
  plan.commit(rows, call);
  return call;
}
