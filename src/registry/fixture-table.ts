/** The fixtures, whole and checked: what a version is accepted on. */
import { join } from 'node:path';
import { checkBatch, fieldColumn } from '../contract/check.js';
import { labelClasses, type OutputField, type RequestStruct, type ResponseStruct } from '../contract/contract.js';
import { invalidInput, type Problem } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import { openFixtures } from '../sources/fixtures.js';
import { FIXTURES } from './isolated.js';

const MOST_PROBLEMS = 20;

export interface FixtureTable {
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
  const answer =
    response.fields.find((field) => field.role === 'label') ?? response.fields.find((field) => field.role === 'value');
  if (answer === undefined)
    throw invalidInput(`${response.name} has no field of role label or value, so no fixture can say what is right`);
  const specs: ColumnSpec[] = request.fields.filter((field) => field.role === 'feature').map(fieldColumn);
  const wanted: ColumnSpec[] = [...specs, { name: answer.name, kind: answer.role === 'label' ? 'string' : 'number' }];
  const whole = await readWhole(join(folder, `${FIXTURES}.${format}`), wanted);
  if (whole.rows === 0) throw invalidInput('the fixtures are empty; nothing can be accepted on them');
  check(request, whole);
  const truth = whole.columns.at(-1)!;
  checkTruth(truth, answer, labelClasses(response));
  return { rows: { specs, rows: whole.rows, columns: whole.columns.slice(0, -1) }, truth, answer };
}

/** The wanted columns of all rows. A feature that may be missing may be missing as a column. */
async function readWhole(path: string, wanted: readonly ColumnSpec[]): Promise<ColumnBatch> {
  const source = await openFixtures(path, wanted);
  const parts: ColumnBatch[] = [];
  try {
    for await (const batch of source.batches()) parts.push(batch);
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
  if (count > 0)
    throw invalidInput(
      `the fixtures do not keep the contract: ${problems[0]!.path} ${problems[0]!.message}${count > 1 ? ` (and ${count - 1} more)` : ''}`,
      { problems },
    );
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
    throw invalidInput(`the fixtures' answers do not keep the contract: ${problems[0]!.path} ${problems[0]!.message}`, {
      problems,
    });
}
