import { expect } from 'chai';
import type { FixtureAnswers } from '#parley/evaluation/answers.js';
import { bootstrapInterval } from '#parley/evaluation/bootstrap.js';
import { closedInterval, resampledInterval } from '#parley/evaluation/intervals.js';
import { normalProbability, normalQuantile } from '#parley/evaluation/normal.js';
import { randomShare, randomWords } from '#parley/evaluation/random.js';
import { meanOf } from '#parley/evaluation/statistic.js';

/** Skewed: the interval of its mean is not symmetric. */
function exponential(rows: number, seed: number): Float64Array {
  const next = randomWords(seed);
  return Float64Array.from({ length: rows }, () => -Math.log(1 - randomShare(next)));
}

const classes = (truth: number[], predicted: number[], more = {}): FixtureAnswers => ({
  task: 'classification',
  classes: 3,
  classNames: ['a', 'b', 'c'],
  truth,
  predicted,
  ...more,
});

describe('the normal distribution', () => {
  // scipy.stats.norm
  it('has the probabilities and quantiles that tables have', () => {
    expect(normalProbability(1.959963984540054)).to.be.closeTo(0.975, 1e-14);
    expect(normalProbability(-3)).to.be.closeTo(0.0013498980316300933, 1e-15);
    expect(normalQuantile(0.975)).to.be.closeTo(1.959963984540054, 1e-12);
    expect(normalQuantile(0.001)).to.be.closeTo(-3.090232306167813, 1e-12);
    expect(normalQuantile(0.5)).to.be.closeTo(0, 1e-12);
    expect([normalQuantile(0), normalQuantile(1)]).to.deep.equal([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});

describe('the bootstrap', () => {
  const values = exponential(80, 3);

  it('gives the same interval every time, and another one for another seed', () => {
    const interval = bootstrapInterval(meanOf(values), 80, 0.95);
    expect(bootstrapInterval(meanOf(values), 80, 0.95)).to.deep.equal(interval);
    expect(bootstrapInterval(meanOf(values), 80, 0.95, { seed: 9 })).not.to.deep.equal(interval);
  });

  it('is wider where more confidence is asked for', () => {
    const [narrow, wide] = [0.8, 0.99].map((level) => bootstrapInterval(meanOf(values), 80, level));
    expect(wide!.low).to.be.below(narrow!.low);
    expect(wide!.high).to.be.above(narrow!.high);
  });

  it('says of skewed values what BCa corrects: both ends lie higher than those of the percentiles', () => {
    const bca = bootstrapInterval(meanOf(values), 80, 0.95);
    const percentile = bootstrapInterval(meanOf(values), 80, 0.95, { kind: 'percentile' });
    expect(bca.low).to.be.above(percentile.low);
    expect(bca.high).to.be.above(percentile.high);
  });

  it('moves both ends to where a figure lies among its resamples', () => {
    const next = randomWords(5);
    const even = Float64Array.from({ length: 80 }, () => randomShare(next));
    const higher = (weights?: Float64Array) => meanOf(even)(weights) + (weights === undefined ? 0.03 : 0);
    const [moved, unmoved] = [higher, meanOf(even)].map((statistic) => bootstrapInterval(statistic, 80, 0.95));
    expect(moved!.low).to.be.above(unmoved!.low + 0.03);
    expect(moved!.high).to.be.above(unmoved!.high + 0.01);
  });

  it('holds the true mean in 19 of 20 samples', () => {
    let held = 0;
    for (let trial = 0; trial < 400; trial++) {
      const { low, high } = bootstrapInterval(meanOf(exponential(100, 1_000 + trial)), 100, 0.95, { resamples: 399 });
      held += Number(low <= 1 && 1 <= high);
    }
    expect(held / 400).to.be.within(0.92, 0.975);
  });

  it('knows nothing of a single row, or where most resamples have no figure', () => {
    expect(bootstrapInterval(() => 1, 1, 0.95).low).to.be.NaN;
    const seldom = (weights?: Float64Array) => (weights === undefined || weights[0]! > 2 ? 1 : Number.NaN);
    expect(bootstrapInterval(seldom, 10, 0.95).high).to.be.NaN;
  });
});

describe('the interval of a figure', () => {
  it("is Wilson's for a share of rows, at the level that is asked for", () => {
    // scipy.stats.binomtest(9, 10).proportion_ci(level, method='wilson')
    const answers = classes([0, 0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 0, 1, 1, 1, 2, 2, 1]);
    expect(closedInterval({ metric: 'accuracy' }, answers, 0.95)!.low).to.be.closeTo(0.5958499732047615, 1e-9);
    expect(closedInterval({ metric: 'accuracy' }, answers, 0.9)!.low).to.be.closeTo(0.6522813326641417, 1e-9);
    expect(closedInterval({ metric: 'f1', argument: 'micro' }, answers, 0.95)).to.deep.equal(
      closedInterval({ metric: 'accuracy' }, answers, 0.95),
    );
  });

  it('of the F1 of a class is that of the share of rows that are both', () => {
    // 2 of c are right and 1 is not; nothing else was answered c: j = 2 / 3, F1 = 0.8.
    const answers = classes([0, 0, 1, 2, 2, 2], [0, 0, 1, 2, 2, 1]);
    const { low, high } = closedInterval({ metric: 'f1', argument: 'c' }, answers, 0.95)!;
    const share = closedInterval({ metric: 'recall', argument: 'c' }, answers, 0.95)!;
    expect(low).to.be.closeTo((2 * share.low) / (1 + share.low), 1e-12);
    expect(high).to.be.closeTo((2 * share.high) / (1 + share.high), 1e-12);
  });

  it('of a perfect figure reaches as low as the smallest class allows', () => {
    const truth = [...new Array<number>(50).fill(0), 1, 1, 1, 1];
    const answers = classes(truth, truth);
    const { low, high } = resampledInterval(() => 1, answers, 0.95, 'higher');
    expect(high).to.equal(1);
    expect(low).to.be.closeTo(4 / (4 + 1.959963984540054 ** 2), 1e-12);
  });

  it('is not there in closed form for what is no share', () => {
    const answers = classes([0, 1, 2], [0, 1, 2]);
    for (const metric of ['log_loss', 'roc_auc', 'latency_p99_ms'] as const)
      expect(closedInterval({ metric }, answers, 0.95), metric).to.equal(undefined);
    for (const metric of ['precision', 'recall', 'f1'] as const)
      expect(closedInterval({ metric, argument: 'macro' }, answers, 0.95), metric).to.equal(undefined);
  });
});
