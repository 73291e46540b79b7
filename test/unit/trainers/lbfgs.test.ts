import { expect } from 'chai';
import { minimize, type Objective } from '#parley/trainers/lbfgs.js';

/** Sum of `weights[i] / 2 · (x[i] - i)²`. */
const bowl =
  (weights: readonly number[]): Objective =>
  async (point, gradient) => {
    let value = 0;
    for (const [i, weight] of weights.entries()) {
      gradient[i] = weight * (point[i] - i);
      value += (weight / 2) * (point[i] - i) ** 2;
    }
    return value;
  };

/** The square root of 1 + x²: convex, and so flat far out that whole steps jump over the minimum ever further. */
const flat: Objective = async (point, gradient) => {
  const value = Math.sqrt(1 + point[0] ** 2);
  gradient[0] = point[0] / value;
  return value;
};

describe('L-BFGS', () => {
  it('finds the minimum of a narrow valley in far fewer steps than it is narrow', async () => {
    const weights = Array.from({ length: 20 }, (_, i) => 10 ** (i / 10));
    const options = { maxIterations: 1000, tolerance: 1e-8 };
    const { point, converged, iterations } = await minimize(bowl(weights), new Float64Array(20), options);
    expect(converged).to.equal(true);
    expect(iterations).to.be.below(75);
    for (const [i, x] of point.entries()) expect(x).to.be.closeTo(i, 1e-7);
  });

  it('stops as soon as the gradient is small enough, and says how small', async () => {
    const start = Float64Array.of(0.5e-3, 1);
    const { iterations, point, gradient } = await minimize(bowl([1, 1]), start, { maxIterations: 9, tolerance: 1e-3 });
    expect(iterations).to.equal(0);
    expect(point).to.deep.equal(start);
    expect(gradient).to.equal(0.5e-3);
  });

  it('says that it did not converge in the iterations it had', async () => {
    const options = { maxIterations: 3, tolerance: 1e-8 };
    const { iterations, converged } = await minimize(bowl([1, 100, 10_000]), new Float64Array(3), options);
    expect({ iterations, converged }).to.deep.equal({ iterations: 3, converged: false });
  });

  it('never climbs, also where whole steps would', async () => {
    const values: number[] = [];
    const { point, value } = await minimize(flat, Float64Array.of(30), {
      maxIterations: 200,
      tolerance: 1e-9,
      onIteration: async (_, each) => {
        values.push(each);
      },
    });
    expect(point[0]).to.be.closeTo(0, 1e-8);
    expect([...values, value]).to.deep.equal([...values, value].sort((a, b) => b - a));
  });

  it('ends where rounding leaves nothing to gain', async () => {
    const { iterations, point } = await minimize(bowl([1e12, 1]), new Float64Array(2), {
      maxIterations: 100_000,
      tolerance: 1e-300,
    });
    expect(iterations).to.be.below(1000);
    expect(point[1]).to.be.closeTo(1, 1e-9);
  });

  it('leaves its start as it was, and passes on what the objective throws', async () => {
    const start = Float64Array.of(5);
    await minimize(bowl([1]), start, { maxIterations: 5, tolerance: 1e-9 });
    expect([...start]).to.deep.equal([5]);
    const failing: Objective = () => Promise.reject(new Error('no rows'));
    const error = await minimize(failing, start, { maxIterations: 5, tolerance: 1e-9 }).catch(
      (reason: Error) => reason,
    );
    expect(error).to.be.instanceOf(Error).with.property('message', 'no rows');
  });
});
