/** Runs graphs in the real runtime, for tests that hold Parley's own arithmetic to it. */
import type { ColumnBatch } from '#parley/model/row.js';

process.env.ORT_DISABLE_TELEMETRY = '1';
const { default: ort } = await import('onnxruntime-node');

export type Feeds = Readonly<Record<string, Float64Array | Float32Array | readonly string[]>>;

/** @param feeds one column an input: fed with shape (rows, 1), or (rows, width) where `width` names the input */
export async function runGraph(
  bytes: Uint8Array,
  feeds: Feeds,
  widths: Readonly<Record<string, number>> = {},
): Promise<Record<string, { data: unknown; dims: readonly number[] }>> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const inputs = Object.entries(feeds).map(([name, data]) => {
      const width = widths[name] ?? 1;
      const shape = [data.length / width, width];
      if (data instanceof Float32Array) return [name, new ort.Tensor('float32', data, shape)] as const;
      if (data instanceof Float64Array) return [name, new ort.Tensor('float64', data, shape)] as const;
      return [name, new ort.Tensor('string', [...data], shape)] as const;
    });
    return await session.run(Object.fromEntries(inputs));
  } finally {
    await session.release();
  }
}

export function feedsOf(batch: ColumnBatch): Feeds {
  return Object.fromEntries(batch.specs.map((spec, i) => [spec.name, batch.columns[i]]));
}

/** The largest difference between two lists of numbers; Infinity where they differ in length or one has a NaN. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    const each = Math.abs(a[i] - b[i]);
    difference = each <= difference ? difference : Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return difference;
}
