/**
 * Whether a graph's rows can be batched: run on made-up rows, each alone and all at once.
 *
 * A graph whose first extents are open may still mix its rows (a softmax over the first axis) or answer something else
 * than rows (a list of indices). Rows that answer the same alone and in company are taken for independent.
 */
import { modelBroken } from '../errors.js';
import { allocate, type DataType, type Signature, type TensorData, type TensorSpec } from '../model/tensor.js';
import { type Feeds, type Results, type RunnableSession, runtimeTensor } from '../onnx/session.js';
import type { Slot } from './servable.js';

const ROWS = 3;
/** Sums in another order differ less, relative above 1. */
const TOLERANCE = 1e-4;

/** @throws ParleyError MODEL_BROKEN where rows influence each other, or that cannot be found out */
export async function checkIndependence(
  session: RunnableSession,
  inputs: readonly Slot[],
  outputs: readonly Slot[],
): Promise<void> {
  const made = inputs.map((slot, index) => madeUp(slot.dataType, ROWS * slot.rowWidth, index + 1));
  const run = (from: number, rows: number) =>
    session.runOnce(
      Object.fromEntries(
        inputs.map(({ name, dataType, rowShape, rowWidth }, index) => {
          const part = made[index]!.slice(from * rowWidth, (from + rows) * rowWidth) as TensorData;
          return [name, runtimeTensor(dataType, part, [rows, ...rowShape])];
        }),
      ),
    );
  const together = await run(0, ROWS);
  for (let row = 0; row < ROWS; row++) compareRow(await run(row, 1), together, row, outputs);
}

function compareRow(alone: Results, together: Results, row: number, outputs: readonly Slot[]): void {
  for (const { name, rowShape, rowWidth } of outputs) {
    const one = alone[name]!,
      all = together[name]!;
    const fits = (rows: number, dims: readonly number[]) => String(dims) === String([rows, ...rowShape]);
    if (!fits(1, one.dims) || !fits(ROWS, all.dims))
      throw modelBroken(`output "${name}" has the shape (${all.dims.join(', ')}) for ${ROWS} rows`);
    const [single, several] = [one.data as TensorData, all.data as TensorData];
    for (let i = 0; i < rowWidth; i++)
      if (!isSame(single[i]!, several[row * rowWidth + i]!))
        throw modelBroken(`output "${name}" answers a row otherwise alone than among others`);
  }
}

function isSame(a: TensorData[number], b: TensorData[number]): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Object.is(a, b) || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a));
}

/** Values that differ from row to row, and are the same in every process. Whole numbers are 0 and 1, in reach of any table. */
function madeUp(dataType: DataType, length: number, seed: number): TensorData {
  const data = allocate(dataType, length);
  let state = seed * 2_654_435_761;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const fraction = state / 2 ** 32;
    if (Array.isArray(data)) data[i] = `${String.fromCharCode(97 + Math.floor(fraction * 26))}`;
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = fraction < 0.5 ? 0n : 1n;
    else if (dataType === 'float16') data[i] = 0x3800 + Math.floor(fraction * 0x400);
    else if (dataType === 'float32' || dataType === 'float64') data[i] = fraction * 2 - 1;
    else data[i] = fraction < 0.5 ? 0 : 1;
  }
  return data;
}

/**
 * Runs a graph that takes shapes of its callers' choice on small ones, to see that this does not end the process.
 *
 * That it refuses them says nothing of the shapes and values that it was made for.
 */
export async function tryBlankShapes(session: RunnableSession, defaults: Feeds): Promise<void> {
  for (const extent of [1, 2])
    for (const filled of [0, 1]) {
      const done = await session.runOnce(blankFeeds(session.signature, extent, filled, defaults)).then(
        () => true,
        () => false,
      );
      if (done) return;
    }
}

function blankFeeds({ inputs }: Signature, extent: number, filled: number, defaults: Feeds): Feeds {
  const made = inputs.map((input) => [input.name, defaults[input.name] ?? blank(input, extent, filled)] as const);
  return Object.fromEntries(made);
}

function blank({ dataType, shape }: Pick<TensorSpec, 'dataType' | 'shape'>, extent: number, filled: number) {
  const dims = shape.map((each) => (each < 0 ? extent : each));
  const data = allocate(
    dataType,
    dims.reduce((a, b) => a * b, 1),
  );
  if (filled !== 0 && !Array.isArray(data))
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n);
    else data.fill(1);
  return runtimeTensor(dataType, data, dims);
}
