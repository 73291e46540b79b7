/** Pipeline step: the stored graph must answer as its trainer did. Pure. */
import { modelBroken } from '../../errors.js';
import type { Tensor } from '../../model/tensor.js';

/** Largest difference between the graph's answer and the trainer's: sums of float32 in another order differ less. */
export const TOLERANCE = 1e-5;

type Value = Tensor['data'][number];

/** What decides between labels, as the version's metadata has it; all absent for a regression. */
export interface Decision {
  readonly classes?: readonly string[];
  readonly positive?: string;
  readonly threshold?: number;
}

/**
 * @returns the largest difference found
 * @throws ParleyError MODEL_BROKEN naming the output, the row and both values
 */
export function compareOutputs(
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
  decision: Decision = {},
): number {
  const isTie = tiesOf(expected, decision);
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
      if (difference <= TOLERANCE) largest = Math.max(largest, difference);
      else if (width !== 1 || !isTie(i, wanted.data[i]!, found.data[i]!)) {
        throw modelBroken(
          `output "${name}", row ${Math.floor(i / width) + 1}: the graph answers ${found.data[i]} where the trainer answered ${wanted.data[i]}; at most ${TOLERANCE} apart are allowed`,
        );
      }
    }
  }
  return largest;
}

/**
 * Labels and indices must be equal; numbers may differ by the tolerance, absolute below 1 and relative above.
 *
 * @returns NaN where exactly one is not a number
 */
function differenceOf(wanted: Value, found: Value): number {
  if (wanted === found) return 0;
  if (typeof wanted !== 'number' || typeof found !== 'number') return Number.POSITIVE_INFINITY;
  if (Number.isNaN(wanted) && Number.isNaN(found)) return 0;
  return Math.abs(wanted - found) / Math.max(1, Math.abs(wanted));
}

/**
 * Whether two labels of a row are both right, because the trainer's own probabilities tell them apart by no more than
 * graph and trainer may differ: then the last bit of a sum has decided.
 */
function tiesOf(
  expected: Readonly<Record<string, Tensor>>,
  { classes = [], positive, threshold }: Decision,
): (row: number, wanted: Value, found: Value) => boolean {
  const matrix = Object.values(expected).find(
    ({ dataType, shape }) =>
      (dataType === 'float32' || dataType === 'float64') && shape.length === 2 && shape[1] === classes.length,
  )?.data;
  if (matrix === undefined || classes.length === 0) return () => false;
  const indexOf = (label: Value) =>
    typeof label === 'string' ? classes.indexOf(label) : typeof label === 'bigint' ? Number(label) : -1;
  const probability = (row: number, index: number) => Number(matrix[row * classes.length + index]);
  return (row, wanted, found) => {
    const [a, b] = [indexOf(wanted), indexOf(found)];
    if (!(a in classes) || !(b in classes)) return false;
    if (threshold !== undefined && positive !== undefined)
      return Math.abs(probability(row, classes.indexOf(positive)) - threshold) <= TOLERANCE;
    return Math.abs(probability(row, a) - probability(row, b)) <= 2 * TOLERANCE;
  };
}
