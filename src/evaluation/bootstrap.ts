/**
 * Confidence intervals of any statistic of rows, by resampling them: BCa, the bias-corrected and accelerated bootstrap
 * (Efron 1987; DiCiccio & Efron 1996, section 2).
 *
 * Resamples of n rows out of n with replacement are drawn as how often each row comes. All draws start at one seed, so that
 * the same rows give the same interval on every machine. For a statistic of pairs (two versions' answers to the same rows) it
 * is the paired bootstrap.
 */
import { normalProbability, normalQuantile } from './normal.js';
import { quantile } from './quantile.js';
import { randomWords } from './random.js';
import type { Statistic } from './statistic.js';
import type { Interval } from './wilson.js';

const SEED = 20_260_101;
const RESAMPLES = 2_000;
/** Rows times resamples are kept under this, down to the fewest resamples: large fixtures have narrow intervals anyway. */
const MOST_DRAWS = 100_000_000;
const FEWEST_RESAMPLES = 400;
/** The acceleration is estimated by leaving out each row, or each of so many groups of rows where there are more. */
const MOST_GROUPS = 400;

export interface BootstrapOptions {
  readonly seed?: number;
  readonly resamples?: number;
  /** `percentile` takes the resamples' quantiles as they are. */
  readonly kind?: 'bca' | 'percentile';
}

/** How many resamples an interval of so many rows is made from, without another wish. */
export const resamplesFor = (rows: number): number =>
  Math.max(FEWEST_RESAMPLES, Math.min(RESAMPLES, Math.floor(MOST_DRAWS / rows)));

/**
 * @param statistic of the rows, by how often each counts
 * @param level two-sided: 0.95 leaves 2.5 % on either side
 * @returns NaN for both ends where half of the resamples have no figure, or there are not two rows; both ends the figure where
 *   all resamples agree
 */
export function bootstrapInterval(
  statistic: Statistic,
  rows: number,
  level: number,
  { seed = SEED, resamples = resamplesFor(rows), kind = 'bca' }: BootstrapOptions = {},
): Interval {
  const whole = statistic();
  const drawn = resample(statistic, rows, resamples, randomWords(seed));
  if (rows < 2 || Number.isNaN(whole) || drawn.length < resamples / 2) return { low: Number.NaN, high: Number.NaN };
  if (drawn[0] === drawn[drawn.length - 1]) return { low: drawn[0], high: drawn[0] };
  const tail = (1 - level) / 2;
  if (kind === 'percentile') return { low: quantile(drawn, tail), high: quantile(drawn, 1 - tail) };
  const bias = biasOf(drawn, whole);
  const acceleration = accelerationOf(statistic, rows, randomWords(seed + 1));
  const end = (share: number): number => {
    const shifted = bias + normalQuantile(share);
    return quantile(drawn, normalProbability(bias + shifted / (1 - acceleration * shifted)));
  };
  return { low: end(tail), high: end(1 - tail) };
}

/** The figures that there are, in rising order. */
function resample(statistic: Statistic, rows: number, resamples: number, next: () => number): Float64Array {
  const drawn = new Float64Array(resamples);
  const weights = new Float64Array(rows);
  let found = 0;
  for (let turn = 0; turn < resamples; turn++) {
    weights.fill(0);
    for (let draw = 0; draw < rows; draw++) weights[Math.floor((next() / 2 ** 32) * rows)] += 1;
    const figure = statistic(weights);
    if (!Number.isNaN(figure)) drawn[found++] = figure;
  }
  return drawn.slice(0, found).sort();
}

/** In deviations: how far the figure lies from the resamples' middle; resamples that equal it count half. */
function biasOf(drawn: Float64Array, whole: number): number {
  let under = 0;
  for (const figure of drawn) under += figure < whole ? 1 : figure === whole ? 0.5 : 0;
  const share = under / drawn.length;
  const least = 0.5 / drawn.length;
  return normalQuantile(Math.min(1 - least, Math.max(least, share)));
}

/** From the jackknife; groups are of rows at random, since neighbours may be alike. */
function accelerationOf(statistic: Statistic, rows: number, next: () => number): number {
  const groups = Math.min(rows, MOST_GROUPS);
  const shuffled = shuffle(rows, next);
  const weights = new Float64Array(rows).fill(1);
  const figures: number[] = [];
  for (let group = 0; group < groups; group++) {
    for (let at = group; at < rows; at += groups) weights[shuffled[at]] = 0;
    const figure = statistic(weights);
    if (!Number.isNaN(figure)) figures.push(figure);
    for (let at = group; at < rows; at += groups) weights[shuffled[at]] = 1;
  }
  const mean = figures.reduce((a, b) => a + b, 0) / figures.length;
  let squares = 0;
  let cubes = 0;
  for (const figure of figures) {
    squares += (mean - figure) ** 2;
    cubes += (mean - figure) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function shuffle(rows: number, next: () => number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let at = rows - 1; at > 0; at--) {
    const other = Math.floor((next() / 2 ** 32) * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}
