import { expect } from 'chai';
import fc from 'fast-check';
import { ParleyError } from '#parley/errors.js';
import { reportClassification } from '#parley/evaluation/classification.js';
import { mcnemar, signTest } from '#parley/evaluation/mcnemar.js';
import { quantile } from '#parley/evaluation/quantile.js';
import { reportRegression } from '#parley/evaluation/regression.js';
import { wilsonInterval } from '#parley/evaluation/wilson.js';

// The expected figures are those of scikit-learn 1.9, scipy 1.17 and numpy 2.4, by the calls that the tests name.
const truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
const predicted = [0, 0, 1, 2, 1, 1, 0, 2, 2, 1];
const probabilities = Float64Array.from(
  [
    [0.7, 0.2, 0.1],
    [0.6, 0.3, 0.1],
    [0.2, 0.5, 0.3],
    [0.1, 0.2, 0.7],
    [0.1, 0.8, 0.1],
    [0.3, 0.4, 0.3],
    [0.5, 0.4, 0.1],
    [0, 0.1, 0.9],
    [0.25, 0.25, 0.5],
    [0.1, 0.9, 0],
  ].flat(),
);
const near = (measured: number, expected: number) => expect(measured).to.be.closeTo(expected, 1e-12);

describe('the report on a classifier', () => {
  const report = reportClassification({ classes: 3, truth, predicted, probabilities });

  it('counts truth by answers, as confusion_matrix does', () => {
    expect([...report.confusion]).to.deep.equal([2, 1, 1, 1, 2, 0, 0, 1, 2]);
    expect(report.correct).to.equal(6);
    expect(report.rows).to.equal(10);
  });

  it('scores each class, as precision_recall_fscore_support does', () => {
    const [precision, recall, f1] = (['precision', 'recall', 'f1'] as const).map((name) =>
      report.perClass.map((score) => score[name]),
    );
    expect(precision).to.deep.equal([2 / 3, 1 / 2, 2 / 3]);
    expect(recall).to.deep.equal([1 / 2, 2 / 3, 2 / 3]);
    expect(f1).to.deep.equal([4 / 7, 4 / 7, 2 / 3]);
    expect(report.perClass.map(({ support }) => support)).to.deep.equal([4, 3, 3]);
    expect(report.perClass.map(({ answered }) => answered)).to.deep.equal([3, 4, 3]);
  });

  it("averages the classes, as average='macro' does", () => {
    near(report.accuracy, 0.6);
    near(report.precision, 0.611111111111111);
    near(report.recall, 0.611111111111111);
    near(report.f1, 0.6031746031746031);
  });

  it('takes the logarithm and the distance of the probabilities, as log_loss and brier_score_loss do', () => {
    near(report.logLoss, 4.367740967353031);
    near(report.brier, 0.6155);
    const single = reportClassification({
      classes: 3,
      truth,
      predicted,
      probabilities: Float32Array.from(probabilities),
    });
    expect(single.logLoss).to.be.closeTo(2.357614040374756, 1e-6);
  });

  it('is about the positive class where there is one, and halves the Brier score of two classes', () => {
    const yes = [0.1, 0.8, 0.4, 0.2, 0.9, 0.6, 0.3, 0.7];
    const binary = reportClassification({
      classes: 2,
      truth: [0, 1, 1, 0, 1, 0, 0, 1],
      predicted: [0, 1, 0, 0, 1, 1, 0, 1],
      probabilities: Float64Array.from(yes.flatMap((p) => [1 - p, p])),
      positive: 1,
    });
    // precision_recall_fscore_support(average='binary'), log_loss, brier_score_loss
    near(binary.precision, 0.75);
    near(binary.recall, 0.75);
    near(binary.f1, 0.75);
    near(binary.logLoss, 0.4003674356962309);
    near(binary.brier, 0.125);
    const other = { classes: 2, truth: [0, 0, 0, 1], predicted: [0, 1, 1, 1] };
    expect(reportClassification({ ...other, positive: 1 })).to.include({ precision: 1 / 3, recall: 1 });
    expect(reportClassification({ ...other, positive: 0 })).to.include({ precision: 1, recall: 1 / 3 });
    near(reportClassification(other).precision, 2 / 3);
  });

  it('divides by nothing to 0, and leaves out a class that is neither in truth nor in answers', () => {
    // precision_recall_fscore_support([0, 0, 1], [0, 0, 0], average='macro', zero_division=0)
    const absent = reportClassification({ classes: 3, truth: [0, 0, 1], predicted: [0, 0, 0] });
    near(absent.precision, 1 / 3);
    near(absent.recall, 0.5);
    near(absent.f1, 0.4);
    expect(absent.logLoss).to.be.NaN;
    expect(absent.brier).to.be.NaN;
  });

  it('counts an answer that is none of the classes as wrong, for its class and for no other', () => {
    for (const none of [-1, 2, Number.NaN, 0.5]) {
      const report = reportClassification({ classes: 2, truth: [0, 0, 1], predicted: [0, none, 1] });
      expect(report.accuracy).to.equal(2 / 3);
      expect(report.perClass[0]).to.include({ precision: 1, recall: 0.5 });
      expect(report.perClass[1]).to.include({ precision: 1, recall: 1 });
    }
  });

  it('is NaN where a probability is', () => {
    const broken = Float32Array.of(0.5, 0.5, Number.NaN, Number.NaN);
    const { logLoss, brier } = reportClassification({
      classes: 2,
      truth: [0, 1],
      predicted: [0, 1],
      probabilities: broken,
    });
    expect(logLoss).to.be.NaN;
    expect(brier).to.be.NaN;
  });

  it('refuses no rows, answers of another number, and a truth that is none of the classes', () => {
    const valid = { classes: 2, truth: [0, 1], predicted: [0, 1] };
    for (const [wrong, text] of [
      [{ truth: [], predicted: [] }, 'no rows'],
      [{ predicted: [0] }, '2 rows have 1 answers'],
      [{ truth: [0, 2] }, 'row 1: the truth 2'],
      [{ truth: [0, -1] }, 'row 1: the truth -1'],
      [{ probabilities: new Float32Array(3) }, '2 rows of 2 classes have 3 probabilities'],
      [{ positive: 2 }, 'the positive class is 2'],
    ] as const) {
      expect(() => reportClassification({ ...valid, ...wrong }))
        .to.throw(ParleyError, text)
        .with.property('code', 'INVALID_INPUT');
    }
  });
});

describe('the report on a regressor', () => {
  it('measures errors, as root_mean_squared_error, mean_absolute_error and r2_score do', () => {
    const { rmse, mae, r2, rows } = reportRegression([3, -0.5, 2, 7], [2.5, 0, 2, 8]);
    near(rmse, 0.6123724356957945);
    near(mae, 0.5);
    near(r2, 0.9486081370449679);
    expect(rows).to.equal(4);
  });

  it('says of a constant target whether it was met', () => {
    expect(reportRegression([5, 5], [5, 5]).r2).to.equal(1);
    expect(reportRegression([5, 5], [5, 6]).r2).to.equal(0);
    expect(reportRegression([5], [5]).r2).to.be.NaN;
  });

  it('is NaN where an answer is, and refuses what it cannot measure', () => {
    const { rmse, mae, r2 } = reportRegression([1, 2], [1, Number.NaN]);
    expect([rmse, mae, r2]).to.deep.equal([Number.NaN, Number.NaN, Number.NaN]);
    expect(() => reportRegression([], [])).to.throw(ParleyError, 'no rows');
    expect(() => reportRegression([1], [])).to.throw(ParleyError, '1 rows have 0 answers');
    expect(() => reportRegression([Number.NaN], [1])).to.throw(ParleyError, 'the truth is NaN');
  });
});

describe("McNemar's test", () => {
  // scipy.stats.binomtest(wins, wins + losses).pvalue
  for (const [wins, losses, pValue] of [
    [10, 2, 0.03857421875],
    [6, 0, 0.03125],
    [5, 0, 0.0625],
    [30, 31, 1],
    [1000, 900, 0.023108845108901193],
    [0, 0, 1],
  ] as const) {
    it(`gives p = ${pValue} for ${wins} to ${losses}, either way round`, () => {
      expect(signTest(wins, losses)).to.be.closeTo(pValue, 1e-10);
      expect(signTest(losses, wins)).to.equal(signTest(wins, losses));
    });
  }

  it('looks only at the rows on which the two differ', () => {
    expect(mcnemar([true, true, false, false, true], [true, false, false, true, false])).to.deep.equal({
      onlyFirst: 2,
      onlySecond: 1,
      pValue: 1,
    });
    expect(() => mcnemar([true], [])).to.throw(ParleyError);
  });

  it('gives a p-value for any numbers, also for a million rows', () => {
    const count = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(count, count, (wins, losses) => {
        expect(signTest(wins, losses)).to.be.within(0, 1);
      }),
      { numRuns: 20 },
    );
    expect(signTest(500_500, 499_500)).to.be.closeTo(0.3177, 1e-3);
  });
});

describe("Wilson's interval", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(method='wilson')
  for (const [successes, trials, low, high] of [
    [8, 10, 0.4901624715366418, 0.9433178485456248],
    [0, 10, 0, 0.27753279986288926],
    [10, 10, 0.7224672001371109, 1],
    [95, 100, 0.8882495307680809, 0.978456320845632],
  ] as const) {
    it(`is ${low.toFixed(2)} to ${high.toFixed(2)} for ${successes} of ${trials}`, () => {
      const interval = wilsonInterval(successes, trials);
      near(interval.low, low);
      near(interval.high, high);
    });
  }

  it('ends exactly at 0 for none and at 1 for all', () => {
    for (let trials = 1; trials < 500; trials++) {
      expect(wilsonInterval(0, trials).low).to.equal(0);
      expect(wilsonInterval(trials, trials).high).to.equal(1);
    }
  });

  it('is not a number without trials', () => {
    expect(wilsonInterval(0, 0)).to.deep.equal({ low: Number.NaN, high: Number.NaN });
  });
});

describe('a quantile', () => {
  it('lies between the nearest values, as numpy.quantile says', () => {
    const values = [5, 1, 9, 3];
    const expected = [1, 4, 8.879999999999999, 9, 2.5];
    for (const [i, fraction] of [0, 0.5, 0.99, 1, 0.25].entries()) near(quantile(values, fraction), expected[i]);
    expect(values).to.deep.equal([5, 1, 9, 3]);
  });

  it('is not a number for none, or where one is not', () => {
    expect(quantile([], 0.5)).to.be.NaN;
    expect(quantile([1, Number.NaN], 0)).to.be.NaN;
    expect(quantile([7], 0.99)).to.equal(7);
    expect(quantile([1, Number.POSITIVE_INFINITY], 1)).to.equal(Number.POSITIVE_INFINITY);
  });
});
