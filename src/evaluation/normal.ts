/** The standard normal distribution. */

/**
 * Probability of at most `x`, by the series of Marsaglia (2004): exact to about 1e-15; 0 or 1 beyond 8 deviations.
 */
export function normalProbability(x: number): number {
  if (Math.abs(x) > 8) return x < 0 ? 0 : 1;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-17; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + sum * density(x);
}

/**
 * The value that a share of the distribution lies under.
 *
 * @param share above 0 and below 1; at the ends the value is infinite
 */
export function normalQuantile(share: number): number {
  if (share <= 0 || share >= 1) return share <= 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (share < 0.5) return -normalQuantile(1 - share);
  // Abramowitz & Stegun 26.2.23, within 4.5e-4, and from there Newton's method.
  const t = Math.sqrt(-2 * Math.log(1 - share));
  let x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 4; step++) x -= (normalProbability(x) - share) / density(x);
  return x;
}

const density = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
