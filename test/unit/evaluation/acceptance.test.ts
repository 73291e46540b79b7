import { expect } from 'chai';
import type { Acceptance, AcceptBound, Comparison } from '#parley/contract/contract.js';
import { METRICS, metricOf } from '#parley/contract/metrics.js';
import { ParleyError } from '#parley/errors.js';
import { type FixtureAnswers, type JudgeInput, judge } from '#parley/evaluation/acceptance.js';

const bound = (metric: string, comparison: Comparison, limit: number): AcceptBound => ({
  metric,
  comparison,
  bound: limit,
  text: `${comparison} ${limit}`,
  position: { file: 'penguins.thrift', line: 38, column: 3 },
});

/** Ten rows of three classes, nine of them right. */
const CLASSES: FixtureAnswers = {
  task: 'classification',
  classes: 3,
  truth: [0, 0, 0, 0, 1, 1, 1, 2, 2, 2],
  predicted: [0, 0, 0, 0, 1, 1, 1, 2, 2, 1],
};
const VALUES: FixtureAnswers = { task: 'regression', truth: [1, 2, 3, 4, 5, 6], predicted: [1, 2, 3, 4, 5, 7] };
const COST = { latencyP50Ms: 0.02, latencyP99Ms: 0.5, sizeBytes: 1000 };

function verdictOf(answers: FixtureAnswers, acceptance: Partial<Acceptance>, more: Partial<JudgeInput> = {}) {
  return judge({
    acceptance: { bounds: [], guards: [], ...acceptance },
    answers,
    cost: COST,
    contractFingerprint: 'c'.repeat(64),
    fixtureFingerprint: 'f'.repeat(64),
    ...more,
  });
}

function criterionOf(answers: FixtureAnswers, each: AcceptBound, more: Partial<JudgeInput> = {}) {
  return verdictOf(answers, { bounds: [each] }, more).criteria[0];
}

describe('the verdict', () => {
  it('has one criterion a bound, in order, and says what it is a verdict on', () => {
    const verdict = verdictOf(CLASSES, { bounds: [bound('f1', '>=', 0.85), bound('latency_p99_ms', '<=', 5)] });
    expect(verdict).to.deep.equal({
      accepted: true,
      criteria: [
        { name: 'f1', bound: '>= 0.85', measured: (1 + 6 / 7 + 4 / 5) / 3, passed: true, rows: 10 },
        { name: 'latency_p99_ms', bound: '<= 5', measured: 0.5, passed: true, rows: 10 },
      ],
      fixtureRows: 10,
      fixtureFingerprint: 'f'.repeat(64),
      contractFingerprint: 'c'.repeat(64),
    });
  });

  it('accepts only where every criterion passes', () => {
    const bounds = [bound('recall', '>=', 0.85), bound('precision', '>=', 0.95)];
    const verdict = verdictOf(CLASSES, { bounds });
    expect(verdict.criteria.map(({ passed }) => passed)).to.deep.equal([true, false]);
    expect(verdict.accepted).to.equal(false);
  });

  it('holds a figure that equals its bound to the letter', () => {
    for (const [comparison, passed] of [
      ['>=', true],
      ['>', false],
      ['<=', true],
      ['<', false],
    ] as const) {
      expect(criterionOf(CLASSES, bound('size_bytes', comparison, 1000)).passed, comparison).to.equal(passed);
    }
  });

  it('passes nothing on a figure that is not a number, whichever way the bound points', () => {
    for (const comparison of ['>=', '>', '<=', '<'] as const) {
      const criterion = criterionOf(CLASSES, bound('log_loss', comparison, 1));
      expect(criterion.measured).to.be.NaN;
      expect(criterion.passed, comparison).to.equal(false);
      const cost = { ...COST, latencyP99Ms: Number.NaN };
      expect(criterionOf(CLASSES, bound('latency_p99_ms', comparison, 1), { cost }).passed).to.equal(false);
    }
  });

  it('gives an interval with a share of rows', () => {
    // scipy.stats.binomtest(9, 10).proportion_ci(method='wilson')
    const { intervalLow, intervalHigh } = criterionOf(CLASSES, bound('accuracy', '>=', 0.5));
    expect(intervalLow).to.be.closeTo(0.5958499732047615, 1e-9);
    expect(intervalHigh).to.be.closeTo(0.9821237869049271, 1e-9);
    const binary: FixtureAnswers = { ...CLASSES, classes: 2, truth: [1, 1, 0], predicted: [1, 0, 0], positive: 1 };
    expect(criterionOf(binary, bound('recall', '>=', 0)).intervalHigh).to.be.closeTo(0.9055, 1e-4);
    expect(criterionOf(binary, bound('precision', '>=', 0)).intervalLow).to.be.closeTo(0.2065, 1e-4);
    expect(criterionOf(CLASSES, bound('f1', '>=', 0))).to.not.have.property('intervalLow');
  });

  it('measures every metric of its task, and refuses those of the other with their place', () => {
    const withProbabilities = { ...CLASSES, probabilities: new Float32Array(30).fill(1 / 3) };
    const withIntervals = { ...VALUES, intervalLow: [0, 1, 2, 3, 4, 5], intervalHigh: [2, 3, 4, 5, 6, 7] };
    for (const { name, ...metric } of METRICS) {
      const answers = metric.task === 'regression' ? withIntervals : withProbabilities;
      const criterion = criterionOf(answers, bound(name, metric.better === 'higher' ? '>=' : '<=', 0));
      expect(criterion.measured, name).to.be.a('number').that.is.not.NaN;
      if (metric.task === 'any') continue;
      const other = metric.task === 'regression' ? withProbabilities : VALUES;
      expect(() => criterionOf(other, bound(name, '>=', 0)))
        .to.throw(ParleyError, `penguins.thrift:38: accept.${name} is for ${metric.task}`)
        .with.property('code', 'INVALID_INPUT');
    }
    expect(metricOf('recall')).to.include({ name: 'recall' });
    expect(metricOf('toString')).to.equal(undefined);
  });

  it('refuses a metric that does not exist, and says which do', () => {
    expect(() => criterionOf(CLASSES, bound('recal', '>=', 1))).to.throw(
      ParleyError,
      'accept.recal is no metric; they are accuracy',
    );
  });

  it('never accepts on no fixtures', () => {
    const none: FixtureAnswers = { task: 'classification', classes: 2, truth: [], predicted: [] };
    expect(() => verdictOf(none, {}))
      .to.throw(ParleyError, 'no fixtures')
      .with.property('code', 'INVALID_INPUT');
  });

  it('measures regression in the unit of the target', () => {
    expect(criterionOf(VALUES, bound('rmse', '<=', 0.5)).measured).to.be.closeTo(Math.sqrt(1 / 6), 1e-12);
    expect(criterionOf(VALUES, bound('mae', '<', 0.2)).measured).to.be.closeTo(1 / 6, 1e-12);
    expect(criterionOf(VALUES, bound('r2', '>', 0.9)).passed).to.equal(true);
  });
});

describe('the baseline criterion', () => {
  const majority = (answers: FixtureAnswers) => verdictOf(answers, { baseline: 'majority' }).criteria;

  it("holds the accuracies side by side and passes where McNemar's test tells them apart", () => {
    const criteria = majority({ ...CLASSES, predicted: CLASSES.truth, baseline: new Array(10).fill(0) });
    expect(criteria).to.deep.equal([
      {
        name: 'baseline',
        bound: 'better than majority, McNemar p < 0.05',
        measured: 1,
        passed: true,
        rows: 10,
        compared: 0.4,
      },
    ]);
  });

  it('does not pass a version that is better by no more than chance', () => {
    // Five rows to none: p = 0.0625.
    const answers = { ...CLASSES, baseline: [0, 0, 0, 0, 0, 0, 0, 2, 0, 0] };
    const verdict = verdictOf(answers, { baseline: 'majority' });
    expect(verdict.criteria[0]).to.include({ measured: 0.9, compared: 0.5, passed: false });
    expect(verdict.accepted).to.equal(false);
  });

  it('does not pass a version that is surely worse', () => {
    expect(majority({ ...CLASSES, predicted: new Array(10).fill(0), baseline: CLASSES.truth })[0].passed).to.equal(
      false,
    );
  });

  it('compares regressions by which answer was nearer, and by the error as a whole', () => {
    const truth = [1, 2, 3, 4, 5, 6];
    const mean = new Array(6).fill(3.5);
    const criterion = (predicted: number[]) =>
      verdictOf({ task: 'regression', truth, predicted, baseline: mean }, { baseline: 'mean' }).criteria[0];
    const good = criterion([1.1, 2.1, 3.1, 4.1, 5.1, 6.1]);
    expect(good).to.include({ bound: 'better than mean, sign test p < 0.05', passed: true });
    expect(good.measured).to.be.closeTo(0.1, 1e-9);
    expect(good.compared).to.be.closeTo(Math.sqrt(35 / 12), 1e-9);
    expect(criterion([1.1, 2.1, 3.1, 4.1, 5.1, 9]).passed).to.equal(false);
    expect(criterion([1.1, 2.1, 3.1, 4.1, 5.1, Number.NaN]).passed).to.equal(false);
    const many = { truth: Array.from({ length: 20 }, (_, i) => i), baseline: new Array(20).fill(9.5) };
    const nearest = many.truth.map((value) => (value === 19 ? 1000 : value));
    const further = many.truth.map((value) => value + 0.3);
    const outlier = { task: 'regression', truth: many.truth, predicted: further, baseline: nearest } as const;
    expect(verdictOf(outlier, { baseline: 'mean' }).criteria[0].passed).to.equal(false);
    const wild = many.truth.map((value) => (value === 19 ? 1000 : value));
    const verdict = verdictOf({ task: 'regression', ...many, predicted: wild }, { baseline: 'mean' });
    expect(verdict.criteria[0].passed).to.equal(false);
  });

  it('refuses the baseline of the other task, one that was not asked, and answers of another number', () => {
    expect(() => verdictOf(VALUES, { baseline: 'majority' })).to.throw(ParleyError, 'is for classification');
    expect(() => verdictOf(CLASSES, { baseline: 'mean' })).to.throw(ParleyError, 'is for regression');
    expect(() => verdictOf(CLASSES, { baseline: 'majority' })).to.throw(ParleyError, 'was not asked');
    expect(() => majority({ ...CLASSES, baseline: [0] })).to.throw(
      ParleyError,
      '10 rows have 1 answers of the baseline',
    );
  });
});
