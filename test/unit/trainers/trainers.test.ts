import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Fitted, Trainer } from '#parley/model/training-port.js';
import { trainers } from '#parley/trainers/table.js';
import { furthest } from '../onnx/session.js';
import { conforms } from './conformance.js';
import { examplesOf, matrixOf } from './examples.js';

const baselines: Readonly<Record<Trainer['modelType'], string>> = {
  'tabular-classifier': 'majority',
  'tabular-regressor': 'mean',
};

for (const [name, trainer] of Object.entries(trainers)) {
  const baseline = baselines[trainer.modelType];
  conforms(trainer, name === baseline ? undefined : trainers[baseline]);
}

// The rows of every comparison with scikit-learn 1.9:
//   i = np.arange(40); X = np.stack([np.sin(i), np.cos(2*i), (i%5)/5.], 1).astype(np.float32)
const features = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 5) / 5].map(Math.fround));
//   y = np.where(X[:,0]>0.3, 0, np.where(X[:,1]>0, 1, 2)); y[::9] = (y[::9]+1) % 3
const classes = features.map(([a, b], i) => {
  const index = a > 0.3 ? 0 : b > 0 ? 1 : 2;
  return i % 9 === 0 ? (index + 1) % 3 : index;
});
//   t = 3*X[:,0].astype(float) - 2*X[:,1] + 10 + 0.5*np.sin(5*i)
const values = features.map(([a, b], i) => 3 * a - 2 * b + 10 + 0.5 * Math.sin(5 * i));

async function train(name: string, parameters: unknown, targets: readonly number[], names: readonly string[] = []) {
  const trainer = trainers[name];
  const options = { parameters: trainer.parameters.parse(parameters), classes: names, seed: 1 };
  return trainer.fit(examplesOf(features, targets), options);
}

const first = (fitted: Fitted, rows: number) => fitted.predict(matrixOf(features).subarray(0, 3 * rows), rows);

describe('logistic regression', () => {
  // LogisticRegression(C=1, tol=1e-10, max_iter=10000).fit(X, y).predict_proba(X)[:2], and with C=0.1
  it('answers as scikit-learn does for three classes', async () => {
    const fitted = await train('logistic-regression', {}, classes, ['a', 'b', 'c']);
    const expected = [
      0.13421747233097386, 0.8127465693759679, 0.05303595829305833, 0.8584961867608595, 0.09684626711449831,
      0.04465754612464221,
    ];
    expect(furthest(first(fitted, 2), expected)).to.be.below(1e-5);
    expect(fitted.summary.converged).to.equal(1);
  });

  it('answers as scikit-learn does with a stronger penalty', async () => {
    const fitted = await train('logistic-regression', { l2: 10 }, classes, ['a', 'b', 'c']);
    const expected = [
      0.26313327675771775, 0.6007849212584615, 0.1360818019838207, 0.6047481108152616, 0.25951609075791465,
      0.1357357984268238,
    ];
    expect(furthest(first(fitted, 2), expected)).to.be.below(1e-5);
  });

  // LogisticRegression(C=1, tol=1e-10, max_iter=10000).fit(X, y == 0).predict_proba(X)[:2]
  it('answers as scikit-learn does for two classes', async () => {
    const binary = classes.map((index) => (index === 0 ? 1 : 0));
    const fitted = await train('logistic-regression', {}, binary, ['other', 'a']);
    const expected = [0.8274868913308192, 0.17251310866918082, 0.19597046349356428, 0.8040295365064357];
    expect(furthest(first(fitted, 2), expected)).to.be.below(1e-5);
  });

  it('says that it did not converge when its iterations were too few', async () => {
    const { summary } = await train('logistic-regression', { max_iterations: 2 }, classes, ['a', 'b', 'c']);
    expect(summary).to.include({ iterations: 2, converged: 0 });
    expect(summary.gradient).to.be.above(1e-6);
  });

  it('stays finite without a penalty on rows that a line separates', async () => {
    const trainer = trainers['logistic-regression'];
    const options = { parameters: trainer.parameters.parse({ l2: 0 }), classes: ['no', 'yes'], seed: 1 };
    const fitted = await trainer.fit(examplesOf([[-1000], [-1], [1], [1000]], [0, 0, 1, 1]), options);
    const answers = fitted.predict(Float32Array.of(-1000, -1, 1, 1000), 4);
    expect(furthest(answers, [1, 0, 1, 0, 0, 1, 0, 1])).to.be.below(1e-3);
  });

  it('refuses features that are not finite', async () => {
    const trainer = trainers['logistic-regression'];
    const options = { parameters: trainer.parameters.parse({}), classes: ['no', 'yes'], seed: 1 };
    const error = await trainer
      .fit(examplesOf([[1], [Number.NaN]], [0, 1]), options)
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ParleyError).with.property('code', 'INVALID_INPUT');
  });

  it('refuses parameters out of their range', () => {
    const { parameters } = trainers['logistic-regression'];
    for (const wrong of [{ l2: -1 }, { max_iterations: 0 }, { tolerance: 0 }, { max_iterations: 1.5 }]) {
      expect(parameters.safeParse(wrong).success, JSON.stringify(wrong)).to.equal(false);
    }
    expect(parameters.parse({})).to.deep.equal({ max_iterations: 100, tolerance: 1e-6, l2: 1 });
  });
});

describe('ridge regression', () => {
  // Ridge(alpha=1).fit(X, t).predict(X)[:3], and alpha=0
  it('answers as scikit-learn does', async () => {
    expect(
      furthest(first(await train('ridge', {}, values), 3), [7.812949362708731, 13.032877527406484, 13.830044110164472]),
    ).to.be.below(1e-5);
    expect(
      furthest(
        first(await train('ridge', { l2: 0 }, values), 3),
        [7.648437018026472, 13.135457556914313, 13.999572031445382],
      ),
    ).to.be.below(1e-5);
  });

  it('finds the one line through columns that repeat each other, without a penalty', async () => {
    const trainer = trainers.ridge;
    const rows = Array.from({ length: 50 }, (_, i) => [i % 2, 1 - (i % 2), 0.3, i, 2 * i]);
    const targets = rows.map((row) => 4 * row[0] + row[3] - 7);
    const options = { parameters: trainer.parameters.parse({ l2: 0 }), classes: [], seed: 1 };
    const fitted = await trainer.fit(examplesOf(rows, targets), options);
    expect(furthest(fitted.predict(matrixOf(rows), 50), targets)).to.be.below(1e-4);
  });

  it('gives a constant column no weight, without a penalty', async () => {
    const trainer = trainers.ridge;
    const rows = Array.from({ length: 1000 }, (_, i) => [Math.sin(i), 0.3, 0.7]);
    const targets = rows.map(([x], i) => 5 * x + Math.cos(3 * i));
    const options = { parameters: trainer.parameters.parse({ l2: 0 }), classes: [], seed: 1 };
    const fitted = await trainer.fit(examplesOf(rows, targets), options);
    const [seen, changed] = fitted.predict(Float32Array.of(0.5, 0.3, 0.7, 0.5, 100, -100), 2);
    expect(changed).to.equal(seen);
  });

  it('keeps the slope of a column that is far from 0 beside its spread', async () => {
    const trainer = trainers.ridge;
    const rows = Array.from({ length: 64 }, (_, i) => [2 ** 23 + i]);
    const targets = rows.map((_, i) => i);
    const options = { parameters: trainer.parameters.parse({ l2: 0 }), classes: [], seed: 1 };
    const fitted = await trainer.fit(examplesOf(rows, targets), options);
    const [low, high] = fitted.predict(Float32Array.of(2 ** 23, 2 ** 23 + 63), 2);
    expect(high - low).to.be.closeTo(63, 0.5);
  });
});

describe('the baselines', () => {
  it("answer each class's share, and the mean", async () => {
    const majority = await train(
      'majority',
      {},
      features.map((_, i) => (i < 30 ? 1 : 0)),
      ['a', 'b'],
    );
    expect([...first(majority, 2)]).to.deep.equal([0.25, 0.75, 0.25, 0.75]);
    const mean = await train(
      'mean',
      {},
      features.map((_, i) => i),
    );
    expect([...first(mean, 2)]).to.deep.equal([19.5, 19.5]);
  });
});

describe('the table of trainers', () => {
  it('names each trainer as the trainer names itself', () => {
    expect(Object.keys(trainers)).to.deep.equal(['logistic-regression', 'ridge', 'majority', 'mean']);
    for (const [name, trainer] of Object.entries(trainers)) expect(trainer.name).to.equal(name);
  });
});
