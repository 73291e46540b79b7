/**
 * How members' answers become one.
 *
 * Hot: run for each batch that is served; sums are taken in float64, and nothing is allocated per row.
 */
import { checkClassOutputs, type Misfit } from '../graph-checks.js';
import type { GraphCheck } from '../model-type.js';
import { decider } from '../tabular-classifier/runtime.js';
import type { EnsembleMetadata } from './schema.js';

/** The name that an envelope gives the type. */
export const ENSEMBLE = 'ensemble';

export const defaultOutputs = {
  /** string, shape (rows): of members that are classifiers. */
  label: 'label',
  /** float32 or float64, shape (rows, classes): likewise. */
  probabilities: 'probabilities',
  /** float32 or float64, as the members have it: of members that answer numbers. */
  value: 'value',
} as const;

export const checkGraph: GraphCheck<EnsembleMetadata> = (signature, { classes }, graph) => {
  const misfits: Misfit[] = classes === undefined ? [] : [...checkClassOutputs(signature, classes)];
  return graph.length === 0
    ? misfits
    : [{ path: 'graph', message: 'must be empty: its members have theirs' }, ...misfits];
};

export type Floats = Float32Array | Float64Array;

/** One member's numbers, row-major. */
export interface MemberNumbers {
  readonly data: Floats;
  /** For each column of the answer, the member's; the same where absent. */
  readonly columns?: readonly number[] | undefined;
}

/** The weighted mean, into `answer`, shape (rows, width). */
export function average(
  members: readonly MemberNumbers[],
  weights: readonly number[],
  width: number,
  answer: Floats,
): void {
  const total = sum(weights);
  for (let at = 0; at < answer.length; at++) {
    const column = at % width;
    let mean = 0;
    for (let m = 0; m < members.length; m++) {
      const { data, columns } = members[m]!;
      mean += weights[m]! * data[columns === undefined ? at : at - column + columns[column]!]!;
    }
    answer[at] = mean / total;
  }
}

/**
 * Each class's share of the votes, into `shares`, shape (rows, classes).
 *
 * @param votes per member and row the index of a class; -1 is no vote. A row without any has shares that are no numbers
 */
export function shareVotes(
  votes: readonly Int32Array[],
  weights: readonly number[],
  classes: number,
  shares: Floats,
): void {
  const counted = new Float64Array(classes);
  for (let row = 0; row * classes < shares.length; row++) {
    counted.fill(0);
    let total = 0;
    for (let m = 0; m < votes.length; m++) {
      const index = votes[m]![row]!;
      if (index < 0) continue;
      counted[index] += weights[m]!;
      total += weights[m]!;
    }
    for (let k = 0; k < classes; k++) shares[row * classes + k] = counted[k]! / total;
  }
}

/**
 * The labels that probabilities or shares decide, as they are answered: of equals the first class, and '' where they are
 * no numbers.
 */
export function decideLabels(metadata: EnsembleMetadata, probabilities: Floats): string[] {
  const { classes = [], positive, threshold } = metadata;
  const decide = decider({ classes: [...classes], positive, threshold });
  return Array.from(
    { length: probabilities.length / classes.length },
    (_, row) => classes[decide(probabilities, row)] ?? '',
  );
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
