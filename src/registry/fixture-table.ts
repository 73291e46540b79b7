/** The fixtures, whole and checked: what a version is accepted on. */
import { join } from 'node:path';
import { checkBatch, fieldColumn } from '../contract/check.js';
import { labelClasses, type OutputField, type RequestStruct, type ResponseStruct } from '../contract/contract.js';
import { invalidInput, type Problem } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import type { Source } from '../model/training-port.js';
import { openFixtures } from '../sources/fixtures.js';
import { FIXTURES } from './isolated.js';

const MOST_PROBLEMS = 20;

export interface FixtureTable {
  /** The columns of all features, and of other fields of the request where the fixtures have them. */
  readonly rows: ColumnBatch;
  /** One truth per row: a class as the contract spells it, or a number. */
  readonly truth: Column;
  readonly answer: OutputField;
}

/** @throws ParleyError INVALID_INPUT for no rows, rows outside the contract, labels it does not know */
export async function readFixtures(
  folder: string,
  format: string,
  request: RequestStruct,
  response: ResponseStruct,
): Promise<FixtureTable> {
  const wanted = fixtureColumns(request, response);
  return fixtureTable(await openFixtures(join(folder, `${FIXTURES}.${format}`), wanted), request, response);
}

/** The columns that fixtures may have: every field of the request, and last what is right. */
export function fixtureColumns(request: RequestStruct, response: ResponseStruct): ColumnSpec[] {
  const answer = answerOf(response);
  return [
    ...request.fields.map(fieldColumn),
    { name: answer.name, kind: answer.role === 'label' ? 'string' : 'number' },
  ];
}

/** A missing value is the contract's default, as it is when a request leaves it out. */
function filled({ fields }: RequestStruct, name: string, column: Column): Column {
  const field = fields.find((candidate) => candidate.name === name);
  if (field?.missing.kind !== 'default' || field.tensor !== undefined) return column;
  const { value } = field.missing;
  if (column instanceof Float64Array) return column.map((each) => (Number.isNaN(each) ? Number(value) : each));
  return column.map((each) => (each === '' ? String(value) : each));
}

function answerOf(response: ResponseStruct): OutputField {
  const byRole = (role: string) => response.fields.find((field) => field.role === role);
  const answer = byRole('label') ?? byRole('value');
  if (answer !== undefined) return answer;
  throw invalidInput(`${response.name} has no field of role label or value, so no fixture can say what is right`);
}

/**
 * Reads all rows of a source and closes it.
 *
 * @param prepare what is done with the rows before they are checked
 * @throws ParleyError as `readFixtures`
 */
export async function fixtureTable(
  source: Source,
  request: RequestStruct,
  response: ResponseStruct,
  prepare: (rows: ColumnBatch) => Promise<ColumnBatch> = async (rows) => rows,
  signal?: AbortSignal,
): Promise<FixtureTable> {
  const whole = await prepare(await readWhole(source, wantedOf(source, request, response), signal));
  if (whole.rows === 0) throw invalidInput('the fixtures are empty; nothing can be accepted on them');
  check(request, whole);
  const truth = whole.columns.at(-1)!,
    answer = answerOf(response);
  checkTruth(truth, answer, labelClasses(response));
  const specs = whole.specs.slice(0, -1);
  const rows = {
    specs,
    rows: whole.rows,
    columns: specs.map(({ name }, index) => filled(request, name, whole.columns[index]!)),
  };
  return { rows, truth, answer };
}

/** A feature that may be missing may be missing as a column; what is no feature is there where there is a column. */
function wantedOf({ schema }: Source, request: RequestStruct, response: ResponseStruct): ColumnSpec[] {
  const there = new Set(schema.map(({ name }) => name));
  const isWanted = request.fields.map(({ name, role }) => role === 'feature' || there.has(name));
  return fixtureColumns(request, response).filter((_, index) => isWanted[index] ?? true);
}

/** The wanted columns of all rows. */
async function readWhole(
  source: Source,
  wanted: readonly ColumnSpec[],
  signal: AbortSignal | undefined,
): Promise<ColumnBatch> {
  const parts: ColumnBatch[] = [];
  try {
    for await (const batch of source.batches(signal)) parts.push(batch);
  } finally {
    await source.close();
  }
  const truth = wanted.at(-1)!;
  if (!source.schema.some((spec) => spec.name === truth.name)) {
    throw invalidInput(
      `the fixtures lack the column "${truth.name}", which holds what is right; they have ${source.schema.map((spec) => spec.name).join(', ')}`,
    );
  }
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return { specs: wanted, rows, columns: wanted.map((spec) => columnOf(parts, spec, rows)) };
}

function columnOf(parts: readonly ColumnBatch[], { name, kind }: ColumnSpec, rows: number): Column {
  const column: Column = kind === 'string' ? new Array<string>(rows).fill('') : new Float64Array(rows).fill(Number.NaN);
  let at = 0;
  for (const part of parts) {
    const from = part.columns[part.specs.findIndex((spec) => spec.name === name)];
    for (let row = 0; from !== undefined && row < part.rows; row++)
      column[at + row] = kind === 'string' ? String(from[row] ?? '') : (numberOf(from[row]!, name, at + row) as never);
    at += part.rows;
  }
  return column;
}

function numberOf(value: number | string, name: string, row: number): number {
  if (typeof value === 'number') return value;
  if (value === '') return Number.NaN;
  throw invalidInput(`fixtures, row ${row + 1}: ${name} must be a number, got "${value.slice(0, 40)}"`);
}

function check(request: RequestStruct, rows: ColumnBatch): void {
  const { problems, count } = checkBatch(request, rows, MOST_PROBLEMS);
  if (count > 0) throw invalidInput(`the fixtures do not keep the contract: ${first(problems, count)}`, { problems });
}

/** The first problem, with what stood there, and how many more there are. */
function first([{ path, message, got }]: readonly Problem[], count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${path} ${message}${got === undefined ? '' : `, got ${got}`}${more}`;
}

function checkTruth(truth: Column, answer: OutputField, classes: readonly string[]): void {
  const problems: Problem[] = [];
  for (let row = 0; row < truth.length && problems.length < MOST_PROBLEMS; row++) {
    const value = truth[row]!,
      path = `row ${row + 1}: ${answer.name}`;
    if (typeof value === 'number' ? Number.isNaN(value) : value === '')
      problems.push({ path, message: 'is missing; every fixture must say what is right' });
    else if (typeof value === 'string' && classes.length > 0 && !classes.includes(value))
      problems.push({ path, message: `must be one of ${classes.join(', ')}`, got: value });
  }
  if (problems.length > 0)
    throw invalidInput(`the fixtures' answers do not keep the contract: ${first(problems, problems.length)}`, {
      problems,
    });
}
