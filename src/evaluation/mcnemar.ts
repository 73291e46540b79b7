/** Whether two models, asked the same questions, differ by more than chance. */
import { internal } from '../errors.js';

export interface McNemar {
  /** Rows that only the first, and only the second, answered correctly. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Two-sided; 1 where they never differ. */
  readonly pValue: number;
}

/**
 * McNemar's exact test: rows on which both were right or both wrong say nothing; of the others, if the models were equally
 * good, each would have won half (McNemar 1947; exact by the binomial distribution).
 *
 * @param first whether the first model was right, by row; truthy is right
 * @param second the same rows for the second
 */
export function mcnemar(first: ArrayLike<unknown>, second: ArrayLike<unknown>): McNemar {
  if (first.length !== second.length) throw internal(`McNemar: ${first.length} and ${second.length} rows`);
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let row = 0; row < first.length; row++) {
    if (first[row] && !second[row]) onlyFirst += 1;
    else if (second[row] && !first[row]) onlySecond += 1;
  }
  return { onlyFirst, onlySecond, pValue: signTest(onlyFirst, onlySecond) };
}

/**
 * Two-sided exact binomial test that wins and losses are equally likely.
 *
 * @returns a p-value, 0 to 1
 */
export function signTest(wins: number, losses: number): number {
  const trials = wins + losses;
  const fewer = Math.min(wins, losses);
  let logTerm = -trials * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((trials - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}
