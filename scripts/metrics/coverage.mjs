/** Samples whose true figures are known, and how often intervals hold them. `under`: the interval lies under the truth. */
import { bootstrapInterval } from '../../dist/evaluation/bootstrap.js';
import { statisticOf } from '../../dist/evaluation/figures.js';
import { closedInterval } from '../../dist/evaluation/intervals.js';
import { randomWords } from '../../dist/evaluation/random.js';

const LEVEL = 0.95;
/** So many resamples are enough to see the coverage; the suite takes 2,000. */
const RESAMPLES = 999;
const TRUTH_ROWS = 2_000_000;

/**
 * @returns the share of samples whose interval holds the truth, and of those that lie under and over it
 */
export function coverageOf({ sample, figure, rows, kind, pair, truth }, trials, seed) {
  const random = randomOf(seed);
  const known = truth ?? trueFigure(sample, figure, pair);
  let under = 0;
  let over = 0;
  let made = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = intervalOf(sample(rows, random), figure, kind, pair, seed + trial);
    if (Number.isNaN(low)) continue;
    made += 1;
    if (high < known) under += 1;
    else if (low > known) over += 1;
  }
  return { coverage: 1 - (under + over) / made, under: under / made, over: over / made };
}

function intervalOf(answers, figure, kind, pair, seed) {
  const own = () => statisticOf(figure, answers);
  if (kind !== 'bca' && kind !== 'percentile') return closedInterval(figure, answers, LEVEL);
  const statistic = pair ? differenceOf(figure, answers) : own();
  return bootstrapInterval(statistic, answers.truth.length, LEVEL, { seed, resamples: RESAMPLES, kind });
}

function differenceOf(figure, answers) {
  const mine = statisticOf(figure, answers);
  const theirs = statisticOf(figure, { ...answers, predicted: answers.other });
  return (weights) => theirs(weights) - mine(weights);
}

/** From a sample so large that its own error does not count. */
const known = new Map();
function trueFigure(sample, figure, pair) {
  const key = `${sample.name} ${JSON.stringify(figure)} ${pair}`;
  if (!known.has(key)) {
    const answers = sample(TRUTH_ROWS, randomOf(12_345));
    known.set(key, (pair ? differenceOf(figure, answers) : statisticOf(figure, answers))());
  }
  return known.get(key);
}

function randomOf(seed) {
  const next = randomWords(seed);
  const share = () => next() / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share());
  return { share, normal };
}

/** Three classes of unlike size and difficulty, with probabilities that mean what they say. */
function threeClasses(rows, { normal, share }) {
  const truth = new Int32Array(rows);
  const predicted = new Int32Array(rows);
  const other = new Int32Array(rows);
  const probabilities = new Float64Array(rows * 3);
  const priors = [0.5, 0.3, 0.2];
  const places = [
    [0, 0],
    [2.2, 0],
    [0.8, 2.4],
  ];
  for (let row = 0; row < rows; row++) {
    const drawn = share();
    const index = drawn < 0.5 ? 0 : drawn < 0.8 ? 1 : 2;
    const [x, y] = [places[index][0] + normal(), places[index][1] + normal()];
    const raw = places.map(([px, py], at) => priors[at] * Math.exp(-((x - px) ** 2 + (y - py) ** 2) / 2));
    const sum = raw[0] + raw[1] + raw[2];
    truth[row] = index;
    raw.forEach((value, at) => {
      probabilities[row * 3 + at] = value / sum;
    });
    predicted[row] = raw.indexOf(Math.max(...raw));
    other[row] = share() < 0.9 ? predicted[row] : Math.floor(share() * 3);
  }
  return { task: 'classification', classes: 3, classNames: ['a', 'b', 'c'], truth, predicted, other, probabilities };
}

/** A model that is right on 92 rows of 100, and on 96 of the positive class. */
function twoClasses(rows, { share, normal }) {
  const truth = new Int32Array(rows);
  const predicted = new Int32Array(rows);
  const other = new Int32Array(rows);
  const probabilities = new Float64Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    truth[row] = Number(share() < 0.35);
    const logit = (truth[row] === 1 ? 1.6 : -1.6) + 1.4 * normal();
    const probability = 1 / (1 + Math.exp(-logit));
    probabilities.set([1 - probability, probability], row * 2);
    predicted[row] = Number(probability > 0.5);
    other[row] = Number(logit + 0.8 * normal() > 0);
  }
  return {
    task: 'classification',
    classes: 2,
    classNames: ['no', 'yes'],
    positive: 1,
    truth,
    predicted,
    other,
    probabilities,
  };
}

/** Errors as a normal distribution has them. */
const values = (rows, random) => valuesOf(rows, random, 0);
/** One row in ten is three times as far off. */
const valuesWithOutliers = (rows, random) => valuesOf(rows, random, 0.1);

function valuesOf(rows, { normal, share }, outliers) {
  const truth = new Float64Array(rows);
  const predicted = new Float64Array(rows);
  const other = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    truth[row] = 50 + 10 * normal();
    const error = (share() < outliers ? 6 : 2) * normal();
    predicted[row] = truth[row] + error;
    other[row] = truth[row] + error + 1.5 * normal();
  }
  const shifted = (by) => predicted.map((value) => value + by);
  return { task: 'regression', truth, predicted, other, intervalLow: shifted(-4), intervalHigh: shifted(4) };
}

const of = (sample, metric, kind, rows, more = {}) => {
  const { argument, ...rest } = more;
  const name = `${more.pair ? 'difference of ' : ''}${metric}${argument === undefined ? '' : `(${argument})`}`;
  return { name: `${name}, ${sample.name}`, sample, figure: { metric, argument }, kind, rows, ...rest };
};

const FEW = 'too narrow: few rows carry the figure';
const NOT_TAKEN = 'the suite takes BCa';
const BIASED = 'the figure itself is too high on few rows';

/** What the suite takes, and the percentile bootstrap beside BCa. */
export const SITUATIONS = [
  ...[30, 100, 1_000].map((rows) => of(twoClasses, 'accuracy', 'Wilson', rows)),
  ...[60, 200].map((rows) => of(twoClasses, 'recall', 'Wilson', rows)),
  ...[60, 200].map((rows) => of(twoClasses, 'precision', 'Wilson', rows)),
  ...[60, 200].map((rows) => of(twoClasses, 'f1', 'Wilson of its share', rows)),
  ...[100, 400].map((rows) => of(threeClasses, 'f1', 'Wilson of its share', rows, { argument: 'c' })),
  ...[100, 400].map((rows) => of(values, 'interval_coverage', 'Wilson', rows)),
  ...['bca', 'percentile'].flatMap((kind) => bootstrapped(kind, kind === 'bca' ? {} : { told: NOT_TAKEN })),
];

function bootstrapped(kind, more) {
  const row = (sample, metric, rows, own = {}) => of(sample, metric, kind, rows, { ...more, ...own });
  return [
    row(threeClasses, 'recall', 200, { argument: 'macro' }),
    row(threeClasses, 'precision', 200, { argument: 'macro' }),
    ...[100, 400].map((rows) => row(threeClasses, 'f1', rows, { argument: 'macro' })),
    row(threeClasses, 'f1', 200, { argument: 'weighted' }),
    row(threeClasses, 'precision', 200, { argument: 'weighted' }),
    row(twoClasses, 'roc_auc', 200),
    row(threeClasses, 'roc_auc', 200, { argument: 'macro' }),
    row(twoClasses, 'pr_auc', 200),
    row(twoClasses, 'log_loss', 200),
    row(threeClasses, 'brier', 200),
    row(threeClasses, 'expected_calibration_error', 400, { told: BIASED }),
    row(values, 'mae', 200),
    row(values, 'mape', 200),
    row(values, 'pinball', 200, { argument: '0.9' }),
    row(values, 'rmse', 200),
    row(values, 'r2', 200),
    row(threeClasses, 'f1', 200, { argument: 'macro', pair: true }),
    row(twoClasses, 'accuracy', 200, { pair: true }),
    row(values, 'rmse', 200, { pair: true }),
    row(valuesWithOutliers, 'mae', 200),
    row(valuesWithOutliers, 'rmse', 1_000),
    row(valuesWithOutliers, 'rmse', 200, { told: FEW }),
    row(valuesWithOutliers, 'rmse', 30, { told: FEW }),
  ];
}
