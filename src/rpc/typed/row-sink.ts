/** Where the rows of a typed call go: into a plan's batch, or, where rows hold lists of any length, each into a run of its own. */
import type { TensorData, TensorSpec } from '../../model/tensor.js';
import { allocate, DATA_TYPES } from '../../model/tensor.js';
import { type Feeds, feedsOf, runtimeTensor } from '../../onnx/session.js';
import type { Call } from '../../serving/batcher.js';
import type { Plan } from '../../serving/plan.js';
import type { Servable, Slot } from '../../serving/servable.js';
import type { ShapedPlan } from '../../serving/shaped-plan.js';
import type { Columns } from './fields.js';

export interface RowSink {
  /** As fields are placed in them; a `rowWidth` of 0: as many values as a row has. */
  readonly slots: readonly Slot[];
  /** What a row takes at least, whatever little of it is sent. */
  readonly rowBytes: number;
  /** Room for so many rows, the first of which is this one of the columns. */
  reserve(rows: number): { readonly into: Columns; readonly first: number };
  /** Of row `i` of the call, where it is written. */
  rowOf(first: number, i: number): number;
  /** The row has been written. */
  rowEnds(): void;
  /** Has the rows run that were written since `reserve`. */
  commit(rows: number, call: Call): void;
  /** The rows will not run. @param rows that there was room for */
  drop(rows: number): void;
}

/** More columns than these are not kept for the next call where the rows that made them were refused. */
export const MOST_KEPT_BYTES = 16 << 20;

/** What a tensor takes beside its values, about: an array, its buffer, its shape. */
const TENSOR_BYTES = 256;

export class BatchedRows implements RowSink {
  constructor(readonly plan: Plan) {}

  get slots(): readonly Slot[] {
    return this.plan.servable.inputs;
  }

  get rowBytes(): number {
    return this.plan.servable.rowBytes;
  }

  reserve(rows: number): { into: Columns; first: number } {
    const batch = this.plan.reserve(rows);
    return { into: batch, first: batch.rows };
  }

  rowOf(first: number, i: number): number {
    return first + i;
  }

  rowEnds(): void {}

  commit(rows: number, call: Call): void {
    this.plan.commit(rows, call);
  }

  drop(rows: number): void {
    if (rows * this.plan.servable.rowBytes > MOST_KEPT_BYTES) this.plan.letGo();
  }
}

export class ShapedRows implements RowSink {
  readonly slots: readonly Slot[];
  readonly rowBytes: number;
  readonly #inputs: readonly TensorSpec[];
  #runs: Feeds[] = [];
  readonly #row: { columns: TensorData[] } = { columns: [] };

  constructor(
    servable: Servable,
    readonly plan: ShapedPlan,
  ) {
    this.#inputs = servable.signature.inputs;
    this.slots = this.#inputs.map(({ name, dataType, shape }) => {
      const rowShape = shape.slice(1);
      return { name, dataType, rowShape, rowWidth: rowShape.reduce((a, b) => a * Math.max(0, b), 1) };
    });
    this.rowBytes = this.slots.reduce(
      (sum, { dataType, rowWidth }) => sum + TENSOR_BYTES + rowWidth * (DATA_TYPES[dataType].bytes || 16),
      0,
    );
  }

  reserve(): { into: Columns; first: number } {
    this.#runs = [];
    this.#begin();
    return { into: this.#row, first: 0 };
  }

  #begin(): void {
    this.#row.columns = this.slots.map(({ dataType, rowWidth }) => allocate(dataType, rowWidth));
  }

  rowOf(): number {
    return 0;
  }

  rowEnds(): void {
    const { columns } = this.#row;
    this.#runs.push(
      feedsOf(
        this.slots.map(({ name, dataType, rowShape }, i) => {
          const column = columns[i]!;
          const shape = [1, ...rowShape.map((extent) => (extent < 0 ? column.length : extent))];
          return [name, runtimeTensor(dataType, column, shape)] as const;
        }),
      ),
    );
    this.#begin();
  }

  commit(rows: number, call: Call): void {
    this.plan.offer(this.#runs);
    this.#runs = [];
    this.plan.commit(rows, call);
  }

  drop(): void {
    this.#runs = [];
  }
}
