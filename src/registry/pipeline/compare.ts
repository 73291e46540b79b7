/** Pipeline step: the stored graph must answer as its trainer did. Pure. */
import { modelBroken } from '../../errors.js';
import type { Tensor } from '../../model/tensor.js';

/** Largest difference between the graph's answer and the trainer's: sums of float32 in another order differ less. */
export const TOLERANCE = 1e-5;

/**
 * @returns the largest difference found
 * @throws ParleyError MODEL_BROKEN naming the output, the row and both values
 */
export function compareOutputs(
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
): number {
  let largest = 0;
  for (const [name, wanted] of Object.entries(expected)) {
    const found = actual[name];
    if (found === undefined)
      throw modelBroken(
        `the trainer answered "${name}", which the graph does not; it answers ${Object.keys(actual).join(', ')}`,
      );
    if (found.data.length !== wanted.data.length)
      throw modelBroken(
        `output "${name}": the trainer answered ${wanted.data.length} values, the graph ${found.data.length}`,
      );
    const width = wanted.data.length / Math.max(1, wanted.shape[0] ?? 1);
    for (let i = 0; i < wanted.data.length; i++) {
      const difference = differenceOf(wanted.data[i]!, found.data[i]!);
      if (!(difference <= TOLERANCE)) {
        throw modelBroken(
          `output "${name}", row ${Math.floor(i / width) + 1}: the graph answers ${found.data[i]} where the trainer answered ${wanted.data[i]}; at most ${TOLERANCE} apart are allowed`,
        );
      }
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}

function differenceOf(wanted: number | bigint | string, found: number | bigint | string): number {
  if (typeof wanted === 'string' || typeof found === 'string') return wanted === found ? 0 : Number.POSITIVE_INFINITY;
  if (Number.isNaN(wanted) && Number.isNaN(found)) return 0;
  const difference = Math.abs(Number(wanted) - Number(found));
  return difference <= TOLERANCE ? difference : difference / Math.max(1, Math.abs(Number(wanted)));
}
