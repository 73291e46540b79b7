/** The fixtures that count against a criterion: what a failed bound is looked into with. Pure. */
import type { Acceptance, AcceptBound, RequestStruct } from '../contract/contract.js';
import type { FixtureAnswers } from '../evaluation/acceptance.js';
import type { Verdict } from '../model/version.js';
import { rowsIn } from './acceptance/rows.js';
import type { FixtureTable } from './fixture-table.js';

const MOST_ROWS = 10;
/** What can be seen of a text. */
const MOST_CHARACTERS = 60;

export interface WrongRow {
  /** From 1, as the fixtures have them. */
  readonly row: number;
  readonly truth: number | string;
  readonly answer: number | string;
  /** That the truth was given, where probabilities are known. */
  readonly probability?: number;
  /** By field, what was asked; sensitive fields and such of many values are left out. */
  readonly values: Readonly<Record<string, number | string>>;
}

export interface WrongRows {
  /** How many count against it; `rows` are the first of them, the worst before others. */
  readonly count: number;
  /** How many were looked at: all, or those of the slice. */
  readonly of: number;
  readonly rows: readonly WrongRow[];
}

export interface Answered {
  readonly table: FixtureTable;
  readonly request: RequestStruct;
  readonly answers: FixtureAnswers;
}

/** A suite's outcome: the verdict, which is recorded, and what its reader wants to see, which is not. */
export interface Accepted {
  readonly verdict: Verdict;
  /** By criterion; undefined for those that are about no rows. */
  readonly wrong: readonly (WrongRows | undefined)[];
}

/** One for each bound, in the contract's order, and one for the baseline: as `judge` begins its criteria. */
export function wrongByCriterion({ bounds, baseline }: Acceptance, answered: Answered): Accepted['wrong'] {
  const ofAll = { metric: answered.answers.task === 'classification' ? 'accuracy' : 'rmse' };
  return [...bounds, ...(baseline === undefined ? [] : [ofAll])].map((looked) => wrongRows(looked, answered));
}

/** Which rows a bound is about, and which of them speak against it. */
export type Looked = Pick<AcceptBound, 'metric' | 'argument' | 'slice'>;

/** @returns undefined where the bound is about no rows: latency and size */
export function wrongRows({ metric, argument, slice }: Looked, answered: Answered): WrongRows | undefined {
  if (/^(?:latency_|size_)/.test(metric)) return undefined;
  const { answers, table } = answered;
  const inSlice = rowsIn(table.rows, answered.request, slice ?? []);
  const ranked =
    answers.task === 'classification'
      ? wrongLabels(inSlice, answers, { metric, argument })
      : wrongValues(inSlice, answers, metric);
  const rows = ranked.slice(0, MOST_ROWS).map((row) => wrongRow(row, answered));
  return { count: ranked.length, of: inSlice.length, rows };
}

type Classified = Extract<FixtureAnswers, { readonly task: 'classification' }>;

/** For the recall of a class those that have it, for its precision those that were given it; the least likely first. */
function wrongLabels(
  rows: readonly number[],
  answers: Classified,
  { metric, argument }: { readonly metric: string; readonly argument: string | undefined },
): number[] {
  const named = argument === undefined ? answers.positive : answers.classNames?.indexOf(argument);
  const only = named === undefined || named < 0 ? undefined : named;
  const { truth, predicted } = answers;
  const counts = (row: number) => {
    if (truth[row] === predicted[row]) return false;
    if (only === undefined) return true;
    if (metric === 'recall') return truth[row] === only;
    if (metric === 'precision') return predicted[row] === only;
    return metric !== 'f1' || truth[row] === only || predicted[row] === only;
  };
  const wrong = rows.filter(counts);
  return wrong.sort((a, b) => (probabilityOf(answers, a) ?? 0) - (probabilityOf(answers, b) ?? 0));
}

/** That the true class was given. */
function probabilityOf({ probabilities, truth, classes }: Classified, row: number): number | undefined {
  const index = truth[row]!;
  return index < 0 ? undefined : probabilities?.[row * classes + index];
}

type Valued = Extract<FixtureAnswers, { readonly task: 'regression' }>;

/** All of them, the farthest first; for the interval's coverage those outside of it. */
function wrongValues(rows: readonly number[], answers: Valued, metric: string): number[] {
  const { truth, intervalLow, intervalHigh } = answers;
  const counts = (row: number) =>
    metric !== 'interval_coverage' || !(truth[row]! >= intervalLow![row]! && truth[row]! <= intervalHigh![row]!);
  return rows.filter(counts).sort((a, b) => distance(answers, b) - distance(answers, a));
}

function distance({ truth, predicted }: FixtureAnswers, row: number): number {
  const apart = Math.abs(predicted[row]! - truth[row]!);
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
}

function wrongRow(row: number, { table, request, answers }: Answered): WrongRow {
  const isClass = answers.task === 'classification';
  const probability = isClass ? probabilityOf(answers, row) : undefined;
  const answer = answers.predicted[row]!;
  return {
    row: row + 1,
    truth: shortened(table.truth[row]!),
    answer: isClass ? (answers.classNames?.[answer] ?? 'none of the classes') : answer,
    ...(probability === undefined ? {} : { probability }),
    values: valuesOf(row, table, request),
  };
}

function valuesOf(row: number, { rows }: FixtureTable, request: RequestStruct): Record<string, number | string> {
  const values: Record<string, number | string> = {};
  rows.specs.forEach(({ name }, index) => {
    const field = request.fields.find((candidate) => candidate.name === name);
    const value = rows.columns[index]![row]!;
    // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
    const isMissing = value === '' || value !== value;
    if (field === undefined || field.sensitive || field.tensor !== undefined || isMissing) return;
    values[name] = shortened(value);
  });
  return values;
}

const shortened = (value: number | string): number | string =>
  typeof value === 'string' && value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS - 1)}…` : value;
