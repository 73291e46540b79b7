import { expect } from 'chai';
import type { Tensor } from '#parley/model/tensor.js';
import { compareOutputs, TOLERANCE } from '#parley/registry/pipeline/compare.js';
import { errorOf } from '../unit/contract/penguins.js';

const numbers = (...values: number[]): Tensor => ({
  dataType: 'float64',
  shape: [values.length],
  data: Float64Array.from(values),
});
const labels = (...values: string[]): Tensor => ({ dataType: 'string', shape: [values.length], data: values });
const indices = (...values: number[]): Tensor => ({
  dataType: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});
const matrix = (...rows: number[][]): Tensor => ({
  dataType: 'float64',
  shape: [rows.length, rows[0].length],
  data: Float64Array.from(rows.flat()),
});

describe('comparing a graph with its trainer', () => {
  it('tells the largest difference', () => {
    expect(compareOutputs({ y: numbers(1, 2) }, { y: numbers(1 + 2e-6, 2 - 8e-6) })).to.be.closeTo(4e-6, 1e-9);
    expect(compareOutputs({ y: numbers(0.5) }, { y: numbers(0.5) })).to.equal(0);
  });

  it('takes the tolerance absolute below 1 and relative above', () => {
    expect(() => compareOutputs({ y: numbers(0.1) }, { y: numbers(0.1 + 0.9 * TOLERANCE) })).to.not.throw();
    expect(() => compareOutputs({ y: numbers(1e6) }, { y: numbers(1e6 + 9) })).to.not.throw();
    expect(errorOf(() => compareOutputs({ y: numbers(0.1) }, { y: numbers(0.1 + 1e-4) })).code).to.equal(
      'MODEL_BROKEN',
    );
    expect(errorOf(() => compareOutputs({ y: numbers(1e6) }, { y: numbers(1e6 + 11) })).code).to.equal('MODEL_BROKEN');
  });

  it('takes what is not a number for equal to itself alone', () => {
    const odd = () => numbers(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    expect(compareOutputs({ y: odd() }, { y: odd() })).to.equal(0);
    for (const other of [0, Number.POSITIVE_INFINITY])
      expect(() => compareOutputs({ y: numbers(Number.NaN) }, { y: numbers(other) })).to.throw('row 1');
    for (const other of [Number.NaN, 1, Number.NEGATIVE_INFINITY])
      expect(() => compareOutputs({ y: numbers(Number.POSITIVE_INFINITY) }, { y: numbers(other) })).to.throw('row 1');
  });

  it('names the output, the row and both values', () => {
    const wanted = matrix([0, 1], [2, 3]),
      found = matrix([0, 1], [2, 4]);
    expect(() => compareOutputs({ p: wanted }, { p: found })).to.throw(
      'output "p", row 2: the graph answers 4 where the trainer answered 3',
    );
  });

  it('misses an output that the graph does not have, and values that are not there', () => {
    expect(() => compareOutputs({ y: numbers(1) }, { z: numbers(1) })).to.throw(
      'answered "y", which the graph does not',
    );
    expect(() => compareOutputs({ y: numbers(1, 2) }, { y: numbers(1) })).to.throw('2 values, the graph 1');
  });

  it('wants labels to be the same', () => {
    const classes = ['a', 'b'];
    const probabilities = matrix([0.4, 0.6]);
    expect(() =>
      compareOutputs({ label: labels('a'), probabilities }, { label: labels('b'), probabilities }, { classes }),
    ).to.throw('answers b where the trainer answered a');
    expect(() => compareOutputs({ label: labels('a') }, { label: labels('b') })).to.throw('row 1');
    expect(() => compareOutputs({ n: indices(200_000) }, { n: indices(200_001) })).to.throw('row 1');
  });

  for (const [kind, wanted, found] of [
    ['text', labels('a', 'b'), labels('a', 'c')],
    ['an index', indices(0, 1), indices(0, 2)],
  ] as const) {
    it(`takes either label of a tie, as ${kind}`, () => {
      const classes = ['a', 'b', 'c'];
      const probabilities = matrix([0.8, 0.1, 0.1], [0.1, 0.45, 0.45 - 1.5e-5]);
      const expected = { label: wanted, probabilities };
      expect(compareOutputs(expected, { label: found, probabilities }, { classes })).to.equal(0);
      const clear = matrix([0.8, 0.1, 0.1], [0.1, 0.45, 0.4499]);
      expect(() =>
        compareOutputs({ ...expected, probabilities: clear }, { label: found, probabilities: clear }, { classes }),
      ).to.throw('row 2');
    });
  }

  it('takes no third label for a tie of two others', () => {
    const classes = ['a', 'b', 'c'];
    const probabilities = matrix([0.1, 0.45, 0.45]);
    for (const other of ['a', 'd'])
      expect(() =>
        compareOutputs({ label: labels('b'), probabilities }, { label: labels(other), probabilities }, { classes }),
      ).to.throw('row 1');
  });

  it('looks at the threshold where there is one', () => {
    const decision = { classes: ['no', 'yes'], positive: 'yes', threshold: 0.3 };
    const at = (yes: number) => {
      const probabilities = matrix([1 - yes, yes]);
      return () =>
        compareOutputs({ label: labels('yes'), probabilities }, { label: labels('no'), probabilities }, decision);
    };
    expect(at(0.3 + 5e-6)).to.not.throw();
    expect(at(0.5)).to.throw('row 1');
  });
});
