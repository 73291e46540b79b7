/** The targets of a regression, checked and averaged. */
import { invalidInput } from '../errors.js';
import type { Examples } from '../model/training-port.js';
import type { Pace } from './pace.js';

/** @throws ParleyError INVALID_INPUT where there are no rows, or a target is missing or infinite */
export async function summarizeTargets(examples: Examples, pace: Pace): Promise<{ rows: number; mean: number }> {
  let count = 0;
  let mean = 0;
  for (const { rows, targets } of examples.batches()) {
    for (let row = 0; row < rows; row++) {
      const target = targets[row];
      if (!Number.isFinite(target)) throw invalidInput(`a target is ${target}; leave out rows without a finite one`);
      count += 1;
      mean += (target - mean) / count;
    }
    await pace.after(rows);
  }
  if (count === 0) throw invalidInput('there are no rows to learn from');
  return { rows: count, mean };
}
