/** What every trainer keeps, whatever it learns: {@link conforms} is run for each entry of the table. */
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Examples, FitProgress, Fitted, Trainer } from '#parley/model/training-port.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { furthest, runGraph } from '../onnx/session.js';
import { examplesOf, matrixOf, numbersOf } from './examples.js';

const CLASSES = ['Adelie', 'Chinstrap', 'Gentoo'];

interface Options {
  readonly classes?: readonly string[];
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FitProgress) => void;
}

interface Rows {
  readonly features: number[][];
  readonly targets: number[];
}

function train(trainer: Trainer, examples: Examples, options: Options = {}): Promise<Fitted> {
  const { classes = CLASSES, seed = 1, ...rest } = options;
  const named = trainer.modelType === 'tabular-classifier' ? classes : [];
  return trainer.fit(examples, { parameters: trainer.parameters.parse({}), classes: named, seed, ...rest });
}

function graphOf(fitted: Fitted, width: number): Uint8Array {
  const graph = new GraphBuilder();
  fitted.write(graph, graph.input('features', 'float32', [-1, width]));
  return graph.serialize();
}

/** Three clouds of points; a regression's target is a linear function of them. */
function rowsFor(trainer: Trainer, count: number, classOf: (row: number) => number, spread = 0.4): Rows {
  const random = numbersOf(42);
  const features: number[][] = [];
  const targets: number[] = [];
  for (let row = 0; row < count; row++) {
    const index = classOf(row);
    const point = [0, 1, 2].map((axis) => (axis === index ? 2 : -1) + spread * (random() - 0.5));
    features.push([...point, row % 2, 1]);
    targets.push(trainer.modelType === 'tabular-classifier' ? index : 3 * point[0] - 2 * point[1] + 100);
  }
  return { features, targets };
}

const evenly = (row: number): number => row % 3;

/** Mean loss of the answers: the share of wrong labels, or the squared error. */
function lossOf(trainer: Trainer, answers: Float32Array, targets: readonly number[]): number {
  const width = answers.length / targets.length;
  const losses = targets.map((target, row) => {
    if (trainer.modelType === 'tabular-regressor') return (answers[row] - target) ** 2;
    const probabilities = answers.subarray(row * width, (row + 1) * width);
    return probabilities.indexOf(Math.max(...probabilities)) === target ? 0 : 1;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** So many columns that a pass over the rows takes a while. */
const widened = (features: number[][]): number[][] =>
  features.map((row) => Array.from({ length: 1000 }, (_, k) => row[k % row.length]));

/** @param onBatch told how many batches were read, before each is given */
function watched(examples: Examples, onBatch: (batch: number) => void): Examples {
  let read = 0;
  return {
    rows: examples.rows,
    width: examples.width,
    *batches() {
      for (const batch of examples.batches()) {
        onBatch(++read);
        yield batch;
      }
    },
  };
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it was fitted'),
    (error: unknown) => error,
  );
}

async function refuses(promise: Promise<unknown>, text: string): Promise<void> {
  const error = await rejection(promise);
  expect(error).to.be.instanceOf(ParleyError).with.property('code', 'INVALID_INPUT');
  expect((error as ParleyError).message).to.contain(text);
}

/** @param baseline the trainer that this one must beat; undefined for a baseline itself */
export function conforms(trainer: Trainer, baseline: Trainer | undefined): void {
  const classifies = trainer.modelType === 'tabular-classifier';

  describe(`the trainer ${trainer.name}`, () => {
    it('has a default for every parameter, and refuses others', () => {
      expect(() => trainer.parameters.parse({})).to.not.throw();
      expect(() => trainer.parameters.parse({ no_such_parameter: 1 })).to.throw('no_such_parameter');
    });

    it('makes the same graph from the same rows and seed', async () => {
      const { features, targets } = rowsFor(trainer, 60, evenly);
      const first = await train(trainer, examplesOf(features, targets), { seed: 7 });
      const second = await train(trainer, examplesOf(features, targets), { seed: 7 });
      expect(graphOf(first, 5)).to.deep.equal(graphOf(second, 5));
      expect(first.summary).to.deep.equal(second.summary);
    });

    it('learns the same from batches of any size', async () => {
      const { features, targets } = rowsFor(trainer, 60, evenly);
      const one = await train(trainer, examplesOf(features, targets, 1));
      const all = await train(trainer, examplesOf(features, targets, 60));
      expect(one.predict(matrixOf(features), 60)).to.deep.equal(all.predict(matrixOf(features), 60));
    });

    it('writes a graph that answers as it does itself', async () => {
      const { features, targets } = rowsFor(trainer, 61, evenly, 6);
      const fitted = await train(trainer, examplesOf(features, targets));
      const matrix = matrixOf(features);
      const answers = fitted.predict(matrix, 61);
      const outputs = await runGraph(graphOf(fitted, 5), { features: matrix }, { features: 5 });
      if (!classifies) {
        expect(outputs.value.dims).to.deep.equal([61]);
        expect(furthest(outputs.value.data as Float32Array, answers)).to.be.below(1e-5 * 100);
        return;
      }
      expect(outputs.probabilities.dims).to.deep.equal([61, 3]);
      expect(furthest(outputs.probabilities.data as Float32Array, answers)).to.be.below(1e-6);
      expect(outputs.label.dims).to.deep.equal([61]);
      const labels = Array.from({ length: 61 }, (_, row) => {
        const probabilities = answers.subarray(row * 3, row * 3 + 3);
        return CLASSES[probabilities.indexOf(Math.max(...probabilities))];
      });
      expect(outputs.label.data).to.deep.equal(labels);
    });

    it('writes the outputs that its model type names', async () => {
      const { features, targets } = rowsFor(trainer, 30, evenly);
      const { outputs } = inspectGraph(graphOf(await train(trainer, examplesOf(features, targets)), 5)).signature;
      expect(outputs).to.deep.equal(
        classifies
          ? [
              { name: 'label', dataType: 'string', shape: [-1] },
              { name: 'probabilities', dataType: 'float32', shape: [-1, 3] },
            ]
          : [{ name: 'value', dataType: 'float32', shape: [-1] }],
      );
    });

    it('takes columns that are constant, repeated or 0', async () => {
      const { features, targets } = rowsFor(trainer, 60, evenly);
      const repeated = features.map((row) => [...row, row[0], 0, 5]);
      const fitted = await train(trainer, examplesOf(repeated, targets));
      const plain = await train(trainer, examplesOf(features, targets));
      const loss = lossOf(trainer, fitted.predict(matrixOf(repeated), 60), targets);
      expect(loss).to.be.at.most(1e-3 + lossOf(trainer, plain.predict(matrixOf(features), 60), targets));
    });

    it('refuses to learn from no rows', async () => {
      await refuses(train(trainer, examplesOf([], [])), classifies ? 'none of' : 'no rows');
    });

    it('refuses targets that are none', async () => {
      for (const target of classifies ? [3, -1, 0.5, Number.NaN] : [Number.NaN, Number.NEGATIVE_INFINITY]) {
        await refuses(train(trainer, examplesOf([[0], [1], [2]], [0, 1, target])), `a target is ${target}`);
      }
    });

    it("does not start when its signal says so, and throws the signal's reason", async () => {
      const { features, targets } = rowsFor(trainer, 60, evenly);
      const reason = new Error('called off');
      const signal = AbortSignal.abort(reason);
      expect(await rejection(train(trainer, examplesOf(features, targets), { signal }))).to.equal(reason);
    });

    it('tells its progress, which only grows and ends at 1', async () => {
      const { features, targets } = rowsFor(trainer, 60, evenly);
      const fractions: number[] = [];
      await train(trainer, examplesOf(features, targets), { onProgress: ({ fraction }) => fractions.push(fraction) });
      expect(fractions.at(-1)).to.equal(1);
      expect(fractions).to.deep.equal([...fractions].sort((a, b) => a - b));
    });

    if (baseline !== undefined) {
      it("stops on the way with the signal's reason", async () => {
        const { features, targets } = rowsFor(trainer, 60, evenly);
        const controller = new AbortController();
        const reason = new Error('called off');
        const examples = watched(examplesOf(widened(features), targets), (batch) => {
          if (batch === 2) controller.abort(reason);
        });
        expect(await rejection(train(trainer, examples, { signal: controller.signal }))).to.equal(reason);
      });

      it('lets others run while it fits', async () => {
        const { features, targets } = rowsFor(trainer, 60, evenly);
        let turns = 0;
        let turn = setImmediate(function again() {
          turns += 1;
          turn = setImmediate(again);
        });
        await train(trainer, examplesOf(widened(features), targets));
        clearImmediate(turn);
        expect(turns).to.be.above(2);
      });

      it(`beats ${baseline.name} where there is something to learn`, async () => {
        const { features, targets } = rowsFor(trainer, 90, evenly);
        const examples = examplesOf(features, targets);
        const loss = lossOf(trainer, (await train(trainer, examples)).predict(matrixOf(features), 90), targets);
        const other = lossOf(trainer, (await train(baseline, examples)).predict(matrixOf(features), 90), targets);
        expect(loss).to.be.below(other / 20);
      });
    }

    if (!classifies) return;

    it('refuses a single class, in the contract or in the rows', async () => {
      const { features } = rowsFor(trainer, 9, evenly);
      const same = features.map(() => 0);
      await refuses(train(trainer, examplesOf(features, same), { classes: ['Adelie'] }), 'the contract has "Adelie"');
      await refuses(
        train(trainer, examplesOf(features, same), { classes: ['Adelie', 'Gentoo'] }),
        '"Adelie" of "Adelie", "Gentoo" occur',
      );
    });

    it('answers probabilities that sum to 1, with a class that is rare and one that never occurs', async () => {
      const { features, targets } = rowsFor(trainer, 200, (row) => (row % 40 === 0 ? 2 : 0));
      const answers = (await train(trainer, examplesOf(features, targets))).predict(matrixOf(features), 200);
      for (let row = 0; row < 200; row++) {
        const [a, b, c] = answers.subarray(row * 3, row * 3 + 3);
        expect(a + b + c).to.be.closeTo(1, 1e-6);
        expect(b).to.be.within(0, 0.01);
      }
      if (baseline === undefined) return;
      expect(lossOf(trainer, answers, targets)).to.equal(0);
    });

    it('takes two classes', async () => {
      const { features, targets } = rowsFor(trainer, 40, (row) => row % 2);
      const fitted = await train(trainer, examplesOf(features, targets), { classes: ['no', 'yes'] });
      const matrix = matrixOf(features);
      const { probabilities } = await runGraph(graphOf(fitted, 5), { features: matrix }, { features: 5 });
      expect(furthest(probabilities.data as Float32Array, fitted.predict(matrix, 40))).to.be.below(1e-6);
    });
  });
}
