/** A request of more rows than a run may take, run piece by piece, so that no turn of the loop is held for long. */
import { unsupported } from '../errors.js';
import { allocate, DATA_TYPES, type TensorData } from '../model/tensor.js';
import { type Batch, bytesOf } from './batch.js';
import type { Answers } from './batcher.js';
import type { Servable, Slot } from './servable.js';

/** A frame's length is an i32. */
const MOST_ANSWER_BYTES = 2 ** 30;

export class Pieces {
  /** Rows that have been answered. */
  done = 0;
  #computeUs = 0;
  readonly #values: readonly TensorData[];

  /** @throws ParleyError UNSUPPORTED where the answers do not fit into a reply */
  constructor(
    readonly batch: Batch,
    readonly outputs: readonly Slot[],
  ) {
    const rowBytes = outputs.reduce(
        (sum, { dataType, rowWidth }) => sum + rowWidth * (DATA_TYPES[dataType].bytes || 4),
        0,
      ),
      most = Math.floor(MOST_ANSWER_BYTES / rowBytes);
    if (batch.rows > most)
      throw unsupported(
        `the answers to ${batch.rows} rows have ${batch.rows * rowBytes} bytes; send at most ${most} rows at once, or ask for fewer outputs`,
      );
    this.#values = outputs.map(({ dataType, rowWidth }) => allocate(dataType, batch.rows * rowWidth));
  }

  get left(): number {
    return this.batch.rows - this.done;
  }

  /** The answers of the next `rows` rows. */
  take({ values, computeUs }: Answers, rows: number): void {
    this.outputs.forEach(({ rowWidth }, i) => {
      const to = this.#values[i]!,
        from = values[i]!,
        at = this.done * rowWidth;
      if (Array.isArray(to)) for (let k = 0; k < from.length; k++) to[at + k] = from[k] as string;
      else (to as Uint8Array).set(from as Uint8Array, at);
    });
    this.done += rows;
    this.#computeUs += computeUs;
  }

  /** Of all rows, once none is left. */
  answers(servable: Servable): Answers {
    const values = this.#values,
      { startedMs } = this.batch;
    return {
      servable,
      outputs: this.outputs,
      values,
      bytes: values.map(bytesOf),
      startedMs,
      computeUs: this.#computeUs,
      cached: false,
    };
  }
}
