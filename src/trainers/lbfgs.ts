/**
 * Minimizes a smooth convex function by L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) with a backtracking line
 * search. Deterministic.
 */

/** The value at `point`; fills `gradient`, of the same length. */
export type Objective = (point: Float64Array, gradient: Float64Array) => Promise<number>;

export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient's largest component came down to the tolerance. */
  readonly converged: boolean;
  /** The gradient's largest component at the end. */
  readonly gradient: number;
}

export interface MinimizeOptions {
  readonly maxIterations: number;
  /** The largest component of the gradient at which the point is good enough. */
  readonly tolerance: number;
  /** Before each iteration. */
  readonly onIteration?: (iteration: number, value: number, gradient: number) => Promise<void>;
}

/** Pairs of steps and gradient changes that the curvature is estimated from. */
const MEMORY = 10;
/** Armijo's constant: a step must bring this share of the decrease that the slope promises. */
const SUFFICIENT = 1e-4;
const MAX_HALVINGS = 40;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly inverseCurvature: number;
}

/** @param start where to begin; not changed */
export async function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions): Promise<Minimum> {
  const pairs: Pair[] = [];
  let point = start.slice();
  let gradient = new Float64Array(start.length);
  let value = await objective(point, gradient);
  let iterations = 0;
  while (iterations < options.maxIterations && largest(gradient) > options.tolerance) {
    await options.onIteration?.(iterations, value, largest(gradient));
    const next = await search(objective, point, value, gradient, directionOf(gradient, pairs));
    if (next === undefined) break;
    remember(pairs, point, gradient, next);
    ({ point, gradient, value } = next);
    iterations += 1;
  }
  const size = largest(gradient);
  return { point, value, iterations, converged: size <= options.tolerance, gradient: size };
}

interface State {
  readonly point: Float64Array<ArrayBuffer>;
  readonly gradient: Float64Array<ArrayBuffer>;
  readonly value: number;
}

/** Halves the step until the value falls enough; undefined where rounding leaves nothing to gain. */
async function search(
  objective: Objective,
  point: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
): Promise<State | undefined> {
  const slope = dot(gradient, direction);
  if (!(slope < 0)) return undefined;
  let length = 1;
  for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
    const nextPoint = point.map((x, i) => x + length * direction[i]);
    const nextGradient = new Float64Array(point.length);
    const nextValue = await objective(nextPoint, nextGradient);
    if (nextValue <= value + SUFFICIENT * length * slope) {
      return { point: nextPoint, gradient: nextGradient, value: nextValue };
    }
  }
  return undefined;
}

/** The two-loop recursion: minus the inverse of the estimated Hessian times the gradient. */
function directionOf(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((g) => -g);
  if (pairs.length === 0) return direction.map((d) => d / Math.max(1, norm(gradient)));
  const weights = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    weights[i] = pairs[i].inverseCurvature * dot(pairs[i].step, direction);
    addScaled(direction, pairs[i].change, -weights[i]);
  }
  const { change, inverseCurvature } = pairs[pairs.length - 1];
  const scale = 1 / (inverseCurvature * dot(change, change));
  for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  for (let i = 0; i < pairs.length; i++) {
    const weight = pairs[i].inverseCurvature * dot(pairs[i].change, direction);
    addScaled(direction, pairs[i].step, weights[i] - weight);
  }
  return direction;
}

/** A pair without positive curvature (only rounding makes one, where the function is convex) would spoil the estimate. */
function remember(pairs: Pair[], point: Float64Array, gradient: Float64Array, next: State): void {
  const step = next.point.map((x, i) => x - point[i]);
  const change = next.gradient.map((g, i) => g - gradient[i]);
  const curvature = dot(step, change);
  if (!(curvature > Number.EPSILON * dot(change, change))) return;
  pairs.push({ step, change, inverseCurvature: 1 / curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i];
}

const norm = (vector: Float64Array): number => Math.sqrt(dot(vector, vector));

function largest(vector: Float64Array): number {
  let size = 0;
  for (let i = 0; i < vector.length; i++) size = Math.max(size, Math.abs(vector[i]));
  return size;
}
