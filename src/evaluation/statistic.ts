/** A figure as a function of how often each row counts: what a bootstrap, a slice and weighted data have in common. */

/**
 * @param weights one per row, finite and >= 0; absent: each row counts once
 * @returns NaN where nothing can be said
 */
export type Statistic = (weights?: Float64Array) => number;

/** The mean of a value per row; NaN where no row counts. */
export function meanOf(values: Float64Array): Statistic {
  return (weights) => {
    let sum = 0;
    let total = 0;
    for (let row = 0; row < values.length; row++) {
      const weight = weights === undefined ? 1 : weights[row];
      if (weight === 0) continue;
      sum += weight * values[row];
      total += weight;
    }
    return total === 0 ? Number.NaN : sum / total;
  };
}
