/** Whether probabilities mean what they say. */
import type { Statistic } from './statistic.js';

export const CALIBRATION_BINS = 15;

/**
 * Expected calibration error (Naeini et al. 2015; as Guo et al. 2017 take it): the rows are put into bins by their largest
 * probability, and the distances between a bin's mean of it and its share of right answers are averaged, each bin by its rows.
 *
 * The 15 bins are equally wide and hold their upper ends, (0, 1/15], (1/15, 2/15] …; 0 is in the first. Empty bins do not
 * count. It is too high by about 1 / sqrt(rows in a bin) where rows are few.
 *
 * @param probabilities shape (rows, classes), row-major
 */
export function expectedCalibrationErrorOf(answers: {
  readonly classes: number;
  readonly truth: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
}): Statistic {
  const { classes, truth, predicted, probabilities } = answers;
  const rows = truth.length;
  const confidence = new Float64Array(rows);
  const bins = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < classes; index++) {
      const probability = probabilities[row * classes + index];
      largest = probability > largest || Number.isNaN(probability) ? probability : largest;
    }
    confidence[row] = largest;
    bins[row] = binOf(largest);
  }
  return (weights) => {
    const gaps = new Float64Array(CALIBRATION_BINS);
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const weight = weights === undefined ? 1 : weights[row];
      gaps[bins[row]] += weight * (confidence[row] - Number(predicted[row] === truth[row]));
      total += weight;
    }
    return total === 0 ? Number.NaN : gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
  };
}

function binOf(probability: number): number {
  let bin = 0;
  while (bin < CALIBRATION_BINS - 1 && probability > (bin + 1) / CALIBRATION_BINS) bin += 1;
  return bin;
}
