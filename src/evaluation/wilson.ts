/** The confidence interval of a share. */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The standard normal distribution's 0.975 quantile: two-sided 95 %. */
const Z95 = 1.959963984540054;

/**
 * Wilson's score interval (Wilson 1927), which stays inside [0, 1] and is right for small counts too.
 *
 * @param successes 0 to `trials`
 * @param z standard deviations to either side; the default gives 95 %
 * @returns NaN for both ends where `trials` is 0
 */
export function wilsonInterval(successes: number, trials: number, z = Z95): Interval {
  if (trials === 0) return { low: Number.NaN, high: Number.NaN };
  const share = successes / trials;
  const denominator = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / denominator;
  const half = (z / denominator) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === trials ? 1 : Math.min(1, centre + half),
  };
}
