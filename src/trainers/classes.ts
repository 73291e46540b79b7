/** How often each class occurs among the examples; refuses what no classifier can learn from. */
import { invalidInput } from '../errors.js';
import type { Examples } from '../model/training-port.js';
import type { Pace } from './pace.js';

/**
 * @returns counts by class, in the order of `classes`; two or more are above 0
 * @throws ParleyError INVALID_INPUT for fewer than two classes, in the contract or in the examples, and for a target
 *   that is not an index of `classes`
 */
export async function countClasses(examples: Examples, classes: readonly string[], pace: Pace): Promise<Float64Array> {
  if (classes.length < 2) {
    throw invalidInput(`a classifier needs two or more classes; the contract has ${list(classes)}`);
  }
  const counts = new Float64Array(classes.length);
  for (const { rows, targets } of examples.batches()) {
    for (let row = 0; row < rows; row++) {
      const target = targets[row];
      if (!(target >= 0 && target < classes.length && Number.isInteger(target))) {
        throw invalidInput(`a target is ${target}; it must be the index of one of the ${classes.length} classes`);
      }
      counts[target] += 1;
    }
    await pace.after(rows);
  }
  const seen = classes.filter((_, index) => counts[index] > 0);
  if (seen.length < 2) {
    throw invalidInput(`a classifier needs examples of two or more classes; ${list(seen)} of ${list(classes)} occur`);
  }
  return counts;
}

const list = (classes: readonly string[]): string =>
  classes.length === 0 ? 'none' : classes.map((name) => JSON.stringify(name)).join(', ');
