/** Metrics against scikit-learn's figures, which scripts/metrics-against-scikit wrote. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { MetricName } from '#parley/contract/metrics.js';
import type { FixtureAnswers } from '#parley/evaluation/answers.js';
import { statisticOf } from '#parley/evaluation/figures.js';

interface Reference {
  readonly seed: number;
  readonly cases: number;
  readonly figures: readonly Readonly<Record<string, number | null>>[];
}

interface RandomCase {
  readonly task: 'classification' | 'regression';
  readonly shape: string;
  readonly classes?: number;
  readonly weights?: readonly number[];
  readonly probabilities?: readonly number[];
}

const { seed, cases, figures } = JSON.parse(
  readFileSync('test/unit/evaluation/scikit-figures.json', 'utf8'),
) as Reference;

function answersOf(each: RandomCase): FixtureAnswers {
  const { classes = 0, probabilities } = each;
  return {
    ...each,
    classNames: Array.from({ length: classes }, (_, index) => String(index)),
    ...(probabilities === undefined ? {} : { probabilities: Float64Array.from(probabilities) }),
  } as unknown as FixtureAnswers;
}

describe("metrics beside scikit-learn's", () => {
  let made: readonly RandomCase[];
  before(async () => {
    const generator = new URL('../../../scripts/metrics/cases.mjs', import.meta.url).href;
    const { randomCases } = (await import(generator)) as {
      randomCases(seed: number, cases: number): readonly RandomCase[];
    };
    made = randomCases(seed, cases);
  });

  it('has a figure of every metric of answers', () => {
    const named = new Set(figures.flatMap((each) => Object.keys(each).map((name) => name.split('(')[0])));
    expect([...named].sort()).to.deep.equal([
      'accuracy',
      'brier',
      'expected_calibration_error',
      'f1',
      'interval_coverage',
      'interval_width',
      'log_loss',
      'mae',
      'mape',
      'pinball',
      'pr_auc',
      'precision',
      'r2',
      'recall',
      'rmse',
      'roc_auc',
    ]);
    expect(figures).to.have.length(made.length);
  });

  it('agrees on each to 1e-9', () => {
    for (const [index, each] of made.entries()) {
      const answers = answersOf(each);
      const weights = each.weights && Float64Array.from(each.weights);
      for (const [name, theirs] of Object.entries(figures[index]!)) {
        const [, metric, argument] = /^(\w+)(?:\((.+)\))?$/.exec(name)!;
        const figure = { metric: metric as MetricName, ...(argument === undefined ? {} : { argument }) };
        const ours = statisticOf(figure, answers)!(weights);
        const what = `${name} of case ${index}, ${each.shape}`;
        if (theirs === null) expect(ours, what).to.be.NaN;
        else expect(ours, what).to.be.closeTo(theirs, 1e-9 * Math.max(1, Math.abs(theirs)));
      }
    }
  });
});
