/** What metrics say where there is little to say it of. */
import { expect } from 'chai';
import { answersTo, type FixtureAnswers } from '#parley/evaluation/answers.js';
import { type Figure, statisticOf } from '#parley/evaluation/figures.js';

const figure = (metric: Figure['metric'], answers: FixtureAnswers, argument?: string): number =>
  statisticOf({ metric, ...(argument === undefined ? {} : { argument }) }, answers)!();

const binary = (truth: number[], positives: number[], more = {}): FixtureAnswers => ({
  task: 'classification',
  classes: 2,
  classNames: ['no', 'yes'],
  positive: 1,
  truth,
  predicted: positives.map((share) => Number(share > 0.5)),
  probabilities: Float64Array.from(positives.flatMap((share) => [1 - share, share])),
  ...more,
});

describe('figures of classes', () => {
  it('counts half of a pair whose scores tie', () => {
    expect(figure('roc_auc', binary([0, 1], [0.5, 0.5]))).to.equal(0.5);
    expect(figure('roc_auc', binary([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8]))).to.equal(0.875);
    expect(figure('pr_auc', binary([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8]))).to.be.closeTo(1 / 2 + 2 / 3 / 2, 1e-15);
  });

  it('has no ROC curve of one class, and no precision without a positive row', () => {
    expect(figure('roc_auc', binary([1, 1], [0.2, 0.9]))).to.be.NaN;
    expect(figure('pr_auc', binary([0, 0], [0.2, 0.9]))).to.equal(0);
    expect(figure('roc_auc', binary([1, 1], [0.2, 0.9], { positive: undefined }), 'macro')).to.be.NaN;
  });

  it('has no log loss of what is no distribution: certainty of all classes at once would be none', () => {
    for (const probabilities of [Float64Array.of(1, 1, 0.5, 0.5), Float64Array.of(2, -1, 0.5, 0.5)])
      expect(figure('log_loss', binary([0, 1], [0.5, 0.5], { probabilities }))).to.be.NaN;
    const rounded = Float64Array.of(0.5, 0.4999, 0.5, 0.5);
    expect(figure('log_loss', binary([0, 1], [0.5, 0.5], { probabilities: rounded }))).to.equal(Math.LN2);
  });

  it('takes a class that does not occur for 0, alone, and leaves it out of a mean', () => {
    const answers: FixtureAnswers = {
      task: 'classification',
      classes: 3,
      classNames: ['a', 'b', 'c'],
      truth: [0, 0, 1],
      predicted: [0, 0, 0],
    };
    expect(figure('recall', answers, 'c')).to.equal(0);
    expect(figure('precision', answers, 'b')).to.equal(0);
    expect(figure('recall', answers, 'macro')).to.equal(0.5);
    expect(figure('recall', answers, 'weighted')).to.be.closeTo(2 / 3, 1e-15);
    expect(figure('f1', answers)).to.be.closeTo(0.4, 1e-15);
    expect(() => figure('recall', answers, 'd')).to.throw('there is no class "d"; they are a, b, c');
  });

  it('counts an answer that is none of the classes as wrong, and as no class’s', () => {
    const answers = binary([1, 1, 0], [0.9, 0.9, 0.1], { predicted: [1, -1, 0] });
    expect(figure('accuracy', answers)).to.be.closeTo(2 / 3, 1e-15);
    expect(figure('precision', answers)).to.equal(1);
    expect(figure('precision', answers, 'micro')).to.equal(1);
    expect(figure('recall', answers, 'micro')).to.be.closeTo(2 / 3, 1e-15);
  });

  it('has no figure where a probability is none, or there are none at all', () => {
    const broken = binary([0, 1, 1], [0.1, Number.NaN, 0.9]);
    for (const metric of ['roc_auc', 'pr_auc', 'log_loss', 'brier', 'expected_calibration_error'] as const) {
      expect(figure(metric, broken), metric).to.be.NaN;
      const { probabilities: _, ...without } = broken as Extract<FixtureAnswers, { task: 'classification' }>;
      expect(figure(metric, without), `${metric} of labels`).to.be.NaN;
    }
  });

  it('puts a probability that is a bin’s upper end into that bin', () => {
    // 0.6 is the end of the ninth of 15 bins, and 0.61 in the tenth: two bins, each half wrong by itself.
    const answers = binary([1, 0], [0.6, 0.61]);
    expect(figure('expected_calibration_error', answers)).to.be.closeTo((0.4 + 0.61) / 2, 1e-12);
    const together = binary([1, 0], [0.6, 0.6]);
    expect(figure('expected_calibration_error', together)).to.be.closeTo(0.1, 1e-12);
  });
});

describe('figures of values', () => {
  const values = (truth: number[], predicted: number[], more = {}): FixtureAnswers => ({
    task: 'regression',
    truth,
    predicted,
    ...more,
  });

  it('measures a share of a truth of 0 by the smallest step at 1', () => {
    expect(figure('mape', values([0, 2], [1, 1]))).to.equal((2 ** 52 + 0.5) / 2);
  });

  it('costs a quantile’s estimate more on the side where it should not be', () => {
    expect(figure('pinball', values([10], [8]), '0.9')).to.be.closeTo(1.8, 1e-12);
    expect(figure('pinball', values([10], [12]), '0.9')).to.be.closeTo(0.2, 1e-12);
    expect(figure('pinball', values([10, 10], [8, 12]))).to.equal(1);
  });

  it('covers a truth on an interval’s end, and none where an end is missing', () => {
    const answers = values([1, 2, 3, 4], [1, 2, 3, 4], {
      intervalLow: [1, 0, 4, Number.NaN],
      intervalHigh: [2, 2, 5, 9],
    });
    expect(figure('interval_coverage', answers)).to.equal(0.5);
    expect(figure('interval_width', values([1], [1]))).to.be.NaN;
  });

  it('has no figure where an answer is missing', () => {
    for (const metric of ['rmse', 'mae', 'mape', 'pinball', 'r2'] as const)
      expect(figure(metric, values([1, 2], [1, Number.NaN])), metric).to.be.NaN;
  });
});

describe('the answers to some rows', () => {
  it('are of those rows, with all that belongs to them', () => {
    const answers = binary([0, 1, 1, 0], [0.1, 0.9, 0.4, 0.2], { baseline: [0, 0, 1, 1] });
    const part = answersTo(answers, [2, 3]) as Extract<FixtureAnswers, { task: 'classification' }>;
    expect(Array.from(part.truth)).to.deep.equal([1, 0]);
    expect(Array.from(part.predicted)).to.deep.equal([0, 0]);
    expect(Array.from(part.baseline!)).to.deep.equal([1, 1]);
    expect(Array.from(part.probabilities!)).to.deep.equal([0.6, 0.4, 0.8, 0.2]);
    const regression: FixtureAnswers = {
      task: 'regression',
      truth: [1, 2],
      predicted: [3, 4],
      intervalLow: [5, 6],
      intervalHigh: [7, 8],
    };
    expect(answersTo(regression, [1])).to.deep.include({ task: 'regression', intervalLow: Float64Array.of(6) });
  });
});
