/** Rows of a user's file, as calls carry them. */

import { parseCell } from '../contract/cell.js';
import { checkBatch, fieldColumn } from '../contract/check.js';
import type { ContractMethod, InputField } from '../contract/contract.js';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { ColumnBatch, ColumnSpec } from '../model/row.js';
import { allocate, type Tensor, type TensorSpec } from '../model/tensor.js';
import { openFixtures } from '../sources/fixtures.js';
import type { FieldValue } from './frames.js';
import { shapeOf } from './made-up.js';

/** More than this makes no call any more different from another. */
const MOST_ROWS = 10_000;
const MOST_PROBLEMS = 5;

/**
 * The rows for a typed method: columns by the names of its fields.
 *
 * @throws ParleyError INVALID_INPUT for a file that cannot be read, and for rows that do not keep the contract
 */
export async function typedRows(path: string, { request }: ContractMethod): Promise<FieldValue[][]> {
  const rows: FieldValue[][] = [];
  await eachBatch(path, request.fields.map(fieldColumn), (batch, from) => {
    const { problems, count } = checkBatch(request, batch, MOST_PROBLEMS);
    if (count > 0)
      throw invalidInput(`--data ${path}: ${problems[0]!.path}: ${problems[0]!.message} (${count} such problems)`, {
        problems: problems.map((problem) => ({ ...problem, path: `rows from ${from + 1} on, ${problem.path}` })),
      });
    const columns = request.fields.map((field) => batch.specs.findIndex(({ name }) => name === field.name));
    for (let row = 0; row < batch.rows; row++)
      rows.push(request.fields.map((field, index) => fieldOf(field, batch.columns[columns[index]!]?.[row])));
  });
  return rows;
}

function fieldOf(field: InputField, value: string | number | undefined): FieldValue {
  if (field.tensor !== undefined) return value === undefined || value === '' ? undefined : cellOf(field, String(value));
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
  if (value === undefined || value === '' || value !== value) return undefined;
  if (field.enum !== undefined) return field.enum.members.find((member) => member.label === value)!.value;
  return field.type === 'bool' ? value === 1 : value;
}

/** Of a cell that has been checked. */
function cellOf(field: InputField, text: string): FieldValue {
  const cell = parseCell(field, text);
  return 'values' in cell ? cell.values : undefined;
}

/** Values by input, of all rows one after the other; as many of each input as a row of it has. */
export interface InputRows {
  readonly rows: number;
  readonly values: ReadonlyMap<string, readonly (string | number)[]>;
}

/**
 * The rows for Prediction.predict. Inputs of one value a row are columns by their names; a single input of several values
 * a row takes the file's columns in their order.
 *
 * @throws ParleyError INVALID_INPUT for a file that cannot be read or has other columns
 */
export async function inputRows(path: string, inputs: readonly TensorSpec[]): Promise<InputRows> {
  const values = new Map<string, (string | number)[]>(inputs.map(({ name }) => [name, []]));
  const wanted = inputs.map(
    ({ name, dataType }): ColumnSpec => ({ name, kind: dataType === 'string' ? 'string' : 'number' }),
  );
  let rows = 0;
  await eachBatch(path, wanted, (batch) => {
    const places = columnsOf(path, inputs, batch.specs);
    rows += batch.rows;
    inputs.forEach(({ name }, index) => {
      for (let row = 0; row < batch.rows; row++)
        for (const column of places[index]!) values.get(name)!.push(batch.columns[column]![row]!);
    });
  });
  return { rows, values };
}

/** Of each input, the columns that it is made of. */
function columnsOf(path: string, inputs: readonly TensorSpec[], specs: readonly ColumnSpec[]): number[][] {
  const names = specs.map(({ name }) => name);
  const [only] = inputs;
  if (inputs.length === 1 && widthOf(only!) > 1) {
    if (specs.length !== widthOf(only!) || specs.some(({ kind }) => kind !== 'number'))
      throw invalidInput(
        `--data ${path}: input "${only!.name}" takes ${widthOf(only!)} numbers a row, and the file has ${specs.length} columns (${specs.filter(({ kind }) => kind === 'number').length} of numbers)`,
      );
    return [specs.map((_, index) => index)];
  }
  return inputs.map((input) => {
    if (widthOf(input) !== 1)
      throw invalidInput(
        `--data ${path}: input "${input.name}" takes ${widthOf(input)} values a row beside other inputs; a file can fill inputs of one value, or a single input`,
      );
    const index = names.indexOf(input.name);
    if (index < 0)
      throw invalidInput(
        `--data ${path}: there is no column for the input "${input.name}"${didYouMean(input.name, names)}`,
      );
    if ((specs[index]!.kind === 'string') !== (input.dataType === 'string'))
      throw invalidInput(
        `--data ${path}: column "${input.name}" holds ${specs[index]!.kind}s, the input is ${input.dataType}`,
      );
    return [index];
  });
}

/** Values of one row. */
export const widthOf = (spec: TensorSpec): number => shapeOf(spec, 1).reduce((product, extent) => product * extent, 1);

/** `count` rows from `from` on, beginning again at the end. */
export function tensorOf(spec: TensorSpec, { rows, values }: InputRows, from: number, count: number): Tensor {
  const width = widthOf(spec),
    all = values.get(spec.name)!,
    data = allocate(spec.dataType, count * width);
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < data.length; i++) {
    const value = all[((from + Math.floor(i / width)) % rows) * width + (i % width)]!;
    (data as unknown[])[i] = big ? BigInt(Math.round(Number(value))) : value;
  }
  return { dataType: spec.dataType, shape: shapeOf(spec, count), data };
}

async function eachBatch(
  path: string,
  columns: readonly ColumnSpec[],
  use: (batch: ColumnBatch, from: number) => void,
): Promise<void> {
  let rows = 0;
  try {
    const source = await openFixtures(path, columns);
    try {
      for await (const batch of source.batches()) {
        use(batch, rows);
        rows += batch.rows;
        if (rows >= MOST_ROWS) break;
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    throw named(path, error);
  }
  if (rows === 0) throw invalidInput(`--data ${path}: there are no rows in it`);
}

/** Errors of sources speak of the project's files. */
function named(path: string, error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('--data')) return error;
  return invalidInput(`--data ${path}: ${message.replace(/^(fixtures|source(\.path)?): /, '')}`, { cause: error });
}
