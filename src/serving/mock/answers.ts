/** Answers that fit a contract, made up of a row's own values: the same row always gets the same one. Pure. */
import type { TensorData } from '../../model/tensor.js';
import { RowHash } from './random.js';

/** Made-up values are from 0 to this, with two digits behind the point. */
const MOST_VALUE = 100;
/** What an interval reaches to each side, at most. */
const MOST_SPREAD = 10;

export interface MockAnswer {
  /** By class, above 0, their sum 1; empty where nothing is classified. */
  readonly probabilities: readonly number[];
  /** The place of the largest. */
  readonly best: number;
  /** Lower end, value and upper end, in this order; each of `width` numbers. */
  values(width: number): readonly [readonly number[], readonly number[], readonly number[]];
}

/** @param row the inputs' values of one row, each with the row's own part of it */
export function mockAnswer(row: Iterable<TensorData>, classes: number, seed: number): MockAnswer {
  const hash = new RowHash().number(seed);
  for (const values of row)
    for (const value of values) {
      if (typeof value === 'string') hash.text(value);
      else hash.number(Number(value));
    }
  const probabilities = shares(classes, hash.draws());
  return {
    probabilities,
    best: probabilities.indexOf(Math.max(...probabilities)),
    values(width) {
      const draw = hash.draws();
      const middles = Array.from(
        { length: width },
        () => [rounded(draw() * MOST_VALUE), draw() * MOST_SPREAD] as const,
      );
      return [
        middles.map(([value, spread]) => rounded(value - spread)),
        middles.map(([value]) => value),
        middles.map(([value, spread]) => rounded(value + spread)),
      ];
    },
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Any shares are as likely as any others: exponential variables over their sum. */
function shares(count: number, draw: () => number): readonly number[] {
  const weights = Array.from({ length: count }, () => 1e-9 - Math.log(1 - draw()));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
