/**
 * The acceptance suite's verdict: what was measured on the fixtures, held against what the contract promises.
 *
 * Pure: whoever runs the version on the fixtures and takes the times hands them in.
 */
import type { Acceptance, SliceTerm } from '../contract/contract.js';
import { invalidInput } from '../errors.js';
import type { Criterion, Verdict, Version } from '../model/version.js';
import { checkAnswers, type FixtureAnswers } from './answers.js';
import { baselineCriterion } from './baseline.js';
import { Judged } from './judged.js';

export type { FixtureAnswers } from './answers.js';

export interface Cost {
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** Of the stored envelope. */
  readonly sizeBytes: number;
}

/** What the version in production answers to the same fixtures, or why it could not be asked. */
export type ProductionAnswers =
  | { readonly version: Version; readonly answers: FixtureAnswers }
  | { readonly version: Version; readonly unasked: string };

export interface JudgeInput {
  readonly acceptance: Acceptance;
  readonly answers: FixtureAnswers;
  readonly cost: Cost;
  readonly contractFingerprint: string;
  readonly fixtureFingerprint: string;
  /** Needed for bounds on slices. @returns the rows of all fixtures, from 0, that meet all of its terms */
  readonly rowsIn?: (slice: readonly SliceTerm[]) => ArrayLike<number>;
  /** For bounds relative to it; absent: nothing is in production. */
  readonly production?: ProductionAnswers;
  /** How the checks on perturbed rows and the example cases came out. */
  readonly checks?: readonly Criterion[];
  readonly checksFingerprint?: string;
}

/**
 * One criterion for each bound, in the contract's order; one for the baseline; one for the number of fixtures, and of each
 * slice; then those of the checks. A figure that is not a number passes nothing.
 *
 * @throws ParleyError INVALID_INPUT for no fixtures, answers of the wrong number, a metric that does not exist or does not
 *   fit the task, a class that is none, and a baseline of the other task
 */
export function judge(input: JudgeInput): Verdict {
  const { acceptance, answers, checks = [], checksFingerprint } = input;
  const rows = answers.truth.length;
  if (rows === 0) throw invalidInput('nothing is accepted on no fixtures; add rows to the project');
  checkAnswers(answers);
  const judged = new Judged(input);
  const criteria = acceptance.bounds.map((bound) => judged.criterion(bound));
  if (acceptance.baseline !== undefined) criteria.push(baselineCriterion(acceptance.baseline, answers));
  criteria.push(...judged.fixtureCounts(), ...checks);
  return {
    accepted: criteria.every((criterion) => criterion.passed),
    criteria,
    fixtureRows: rows,
    fixtureFingerprint: input.fixtureFingerprint,
    contractFingerprint: input.contractFingerprint,
    ...(checksFingerprint === undefined ? {} : { checksFingerprint }),
  };
}
