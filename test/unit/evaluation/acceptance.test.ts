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
    const verdict = verdictOf(CLASSES, { bounds: [bound('recall', '>=', 0.85), bound('latency_p99_ms', '<=', 5)] });
    expect(verdict).to.deep.equal({
      accepted: true,
      criteria: [
        { name: 'recall', bound: '>= 0.85', measured: (1 + 1 + 2 / 3) / 3, passed: true, rows: 10 },
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
    expect(criterionOf(CLASSES, bound('recall', '>=', 0))).to.not.have.property('intervalLow');
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

describe('a bound', () => {
  const of = (metric: string, comparison: Comparison, limit: number, more: Partial<AcceptBound>): AcceptBound => ({
    ...bound(metric, comparison, limit),
    ...more,
  });
  const NAMED = { ...CLASSES, classNames: ['a', 'b', 'c'] } as FixtureAnswers;
  const evenRows = () => [0, 2, 4, 6, 8];

  it('is on one class where it names one, and is called so', () => {
    const criterion = criterionOf(NAMED, of('recall', '>=', 0.6, { argument: 'c' }));
    expect(criterion).to.include({ name: 'recall(c)', passed: true });
    expect(criterion.measured).to.be.closeTo(2 / 3, 1e-12);
    expect(() => criterionOf(NAMED, of('recall', '>=', 0, { argument: 'd' }))).to.throw(ParleyError, 'no class "d"');
  });

  it('is on the rows of its slice, and fails where there are none', () => {
    const slice = [{ field: 'sex', value: 'FEMALE' }];
    const bounded = of('accuracy', '>=', 0.9, { slice });
    expect(criterionOf(CLASSES, bounded, { rowsIn: evenRows })).to.include({
      slice: 'sex=FEMALE',
      rows: 5,
      measured: 1,
      passed: true,
    });
    expect(criterionOf(CLASSES, bounded, { rowsIn: () => [8, 9] })).to.include({ measured: 0.5, passed: false });
    const none = criterionOf(CLASSES, bounded, { rowsIn: () => [] });
    expect(none).to.include({ rows: 0, passed: false, note: 'no fixture is in the slice' });
  });

  it('is refused on fewer fixtures than are asked for, however good the figure', () => {
    const slice = [{ field: 'sex', value: 'FEMALE' }];
    const bounds = [bound('accuracy', '>=', 0.5), of('accuracy', '>=', 0.5, { slice }), bound('size_bytes', '<=', 1e9)];
    const few = verdictOf(CLASSES, { bounds, minFixtures: 6 }, { rowsIn: evenRows });
    expect(few.criteria.map(({ name, slice: of, measured, passed }) => [name, of, measured, passed])).to.deep.equal([
      ['accuracy', undefined, 0.9, true],
      ['accuracy', 'sex=FEMALE', 1, false],
      ['size_bytes', undefined, 1000, true],
      ['min_fixtures', undefined, 10, true],
      ['min_fixtures', 'sex=FEMALE', 5, false],
    ]);
    expect(few.criteria[1].note).to.equal('5 fixtures, and at least 6 are asked for');
    expect(few.accepted).to.equal(false);
    expect(verdictOf(CLASSES, { bounds, minFixtures: 11 }, { rowsIn: evenRows }).criteria[0].passed).to.equal(false);
    expect(verdictOf(CLASSES, { bounds, minFixtures: 5 }, { rowsIn: evenRows }).accepted).to.equal(true);
  });

  it('with confidence is kept by the worse end of the interval', () => {
    // Wilson: 9 of 10 are 0.5958 to 0.9821.
    const judged = (limit: number) =>
      verdictOf(CLASSES, { bounds: [bound('accuracy', '>=', limit)], confidence: 0.95 }).criteria[0];
    expect(judged(0.59).passed).to.equal(true);
    expect(judged(0.6)).to.include({ measured: 0.9, passed: false });
    expect(judged(0.6).note).to.equal('the lower end of its 95 % interval counts: 0.5958');
    const less = verdictOf(CLASSES, { bounds: [bound('accuracy', '>=', 0.6)], confidence: 0.8 });
    expect(less.accepted).to.equal(true);
    const values = verdictOf(VALUES, { bounds: [bound('rmse', '<=', 0.5)], confidence: 0.95 }).criteria[0];
    expect(values.measured).to.be.below(0.5);
    expect(values.intervalHigh).to.be.above(0.5);
    expect(values.passed).to.equal(false);
    expect(verdictOf(CLASSES, { bounds: [bound('latency_p99_ms', '<=', 5)], confidence: 0.95 }).accepted).to.equal(
      true,
    );
  });

  it('with confidence does not believe in a perfect figure of few rows', () => {
    const perfect = { ...CLASSES, predicted: CLASSES.truth };
    const judged = verdictOf(perfect, { bounds: [bound('f1', '>=', 0.9)], confidence: 0.95 }).criteria[0];
    expect(judged).to.include({ measured: 1, intervalHigh: 1, passed: false });
    // The smallest class has 3 rows.
    expect(judged.intervalLow).to.be.closeTo(3 / (3 + 1.959963984540054 ** 2), 1e-9);
  });
});

describe('a bound on a drop', () => {
  const drop = (limit: number): AcceptBound => ({ ...bound('accuracy', '<=', limit), relativeTo: 'production' });
  const version = '3f2a9c41d2b0'.padEnd(64, '0');
  const better = { version, answers: { ...CLASSES, predicted: CLASSES.truth } };

  it('holds the version against what production answers to the same rows', () => {
    const criterion = criterionOf(CLASSES, drop(0.05), { production: better });
    expect(criterion).to.include({ name: 'accuracy.drop', compared: 1, passed: false });
    expect(criterion.measured).to.be.closeTo(0.1, 1e-12);
    expect(criterion.note).to.equal('compared with 3f2a9c41d2b0 in production');
    expect(criterion.intervalLow).to.be.within(0, 0.05);
    expect(criterion.intervalHigh).to.be.within(0.2, 0.5);
    expect(criterionOf(CLASSES, drop(0.11), { production: better }).passed).to.equal(true);
  });

  it('of what is better lower is a rise', () => {
    const production = { version, answers: { ...VALUES, predicted: VALUES.truth } };
    const rmse: AcceptBound = { ...bound('rmse', '<=', 0.1), relativeTo: 'production' };
    const criterion = criterionOf(VALUES, rmse, { production });
    expect(criterion).to.include({ compared: 0, passed: false });
    expect(criterion.measured).to.be.closeTo(Math.sqrt(1 / 6), 1e-12);
  });

  it('with confidence is kept by the upper end', () => {
    const judged = (limit: number) =>
      verdictOf(CLASSES, { bounds: [drop(limit)], confidence: 0.95 }, { production: better }).criteria[0].passed;
    expect(judged(0.11)).to.equal(false);
    expect(judged(0.6)).to.equal(true);
  });

  it('passes and says so where nothing is in production, or nothing that could be asked', () => {
    expect(criterionOf(CLASSES, drop(-0.5))).to.deep.include({
      passed: true,
      measured: 0,
      note: 'nothing is in production to compare with',
    });
    const production = { version, unasked: 'the graph lacks "sex"' };
    expect(criterionOf(CLASSES, drop(0), { production }).note).to.equal(
      'not compared with 3f2a9c41d2b0 in production: the graph lacks "sex"',
    );
  });

  it('is 0, and no bootstrap away from it, for the version in production itself', () => {
    const criterion = criterionOf(CLASSES, drop(0), { production: { version, answers: CLASSES } });
    expect(criterion).to.include({ measured: 0, intervalLow: 0, intervalHigh: 0, passed: true });
  });
});

describe('a bound on a gain', () => {
  it('holds the version against the baseline', () => {
    const gain: AcceptBound = { ...bound('accuracy', '>=', 0.4), relativeTo: 'baseline' };
    const answers = { ...CLASSES, baseline: new Array(10).fill(0) };
    const criterion = criterionOf(answers, gain);
    expect(criterion).to.include({ name: 'accuracy.gain', compared: 0.4, passed: true });
    expect(criterion.measured).to.be.closeTo(0.5, 1e-12);
    expect(criterionOf(answers, { ...gain, bound: 0.51 }).passed).to.equal(false);
  });
});

describe('checks', () => {
  it('are criteria among the others, and fail the verdict', () => {
    const check = { name: 'a heavier penguin', bound: 'probability(Gentoo) must not decrease', measured: 1, rows: 9 };
    const judged = (passed: boolean) =>
      verdictOf(CLASSES, {}, { checks: [{ ...check, passed }], checksFingerprint: 'e'.repeat(64) });
    expect(judged(true)).to.deep.include({ accepted: true, checksFingerprint: 'e'.repeat(64) });
    expect(judged(false)).to.deep.include({ accepted: false, criteria: [{ ...check, passed: false }] });
  });
});
