/**
 * The first stage of a run: the source's rows, read once, checked against the contract, and spooled in two parts.
 *
 * The digest is over all values that were read, row by row, so that it names the data whatever the batches were.
 */
import { createHash } from 'node:crypto';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { Column, ColumnBatch, ColumnSpec } from '../model/row.js';
import type { Source } from '../model/training-port.js';
import { ContractRows } from './contract-rows.js';
import { FixtureRows } from './fixture-rows.js';
import type { Project } from './project.js';
import { Refusals } from './refusals.js';
import { RowSpool } from './row-spool.js';
import { isHeldOut, RowBytes } from './split.js';

const WAY_OUT =
  'Leave them out with WHERE in source.query, correct them in the source, or let the contract allow them (min, max, values, missing)';

/** Two spools of the fields' columns and, last, the truth's. Whoever has it closes it. */
export interface TrainingRows {
  readonly train: RowSpool;
  readonly test: RowSpool;
  /** All rows that the source gave. */
  readonly read: number;
  /** Rows left out because they are fixtures too. */
  readonly fixtures: number;
  /** Lowercase hex SHA-256 over the values of all rows read, in order. */
  readonly digest: string;
  close(): void;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly onRows?: (rows: number) => void;
  /** Of each spool, before it goes to the disk. */
  readonly spoolLimitBytes?: number;
}

/** @throws INVALID_INPUT for rows that do not keep the contract, with the first few, and when there are too few rows */
export async function readRows(project: Project, options: ReadOptions = {}): Promise<TrainingRows> {
  const fixtures = await FixtureRows.read(project, options.signal);
  const source = await project.source.kind.open(project.source.configuration, project.folder);
  try {
    return await new Reading(project, source, fixtures, options).run();
  } finally {
    await source.close();
  }
}

class Reading {
  private readonly digest = createHash('sha256');
  private readonly refusals = new Refusals();
  private readonly bytes = new RowBytes();
  private readonly keyBytes = new RowBytes();
  private readonly rows: ContractRows;
  private readonly key: readonly number[];
  private readonly train: RowSpool;
  private readonly test: RowSpool;
  private read = 0;
  private fixtureRows = 0;

  constructor(
    private readonly project: Project,
    private readonly source: Source,
    private readonly fixtures: FixtureRows,
    private readonly options: ReadOptions,
  ) {
    this.rows = new ContractRows(project, source.schema, project, 'source');
    this.key = keyColumns(source.schema, project.split.key ?? []);
    this.train = new RowSpool(this.rows.specs, options.spoolLimitBytes);
    this.test = new RowSpool(this.rows.specs, options.spoolLimitBytes);
  }

  async run(): Promise<TrainingRows> {
    try {
      for await (const batch of this.source.batches(this.options.signal)) this.take(batch);
      this.refusals.raise('source', WAY_OUT);
      this.refuseTooFew();
    } catch (cause) {
      this.close();
      throw cause;
    }
    const { train, test, read, fixtureRows: fixtures } = this;
    return { train, test, read, fixtures, digest: this.digest.digest('hex'), close: () => this.close() };
  }

  private take(source: ColumnBatch): void {
    const { batch, fits } = this.rows.check(source, this.read, this.refusals);
    this.bytes.fill(batch.columns, batch.rows);
    this.digest.update(this.bytes.all());
    const keys = this.keysOf(source);
    const train: number[] = [];
    const test: number[] = [];
    for (let row = 0; row < batch.rows; row++) {
      if (fits[row] === 0) continue;
      if (this.fixtures.has(this.bytes.row(row))) this.fixtureRows++;
      else (isHeldOut(keys.row(row), this.project.split.test, this.project.split.seed) ? test : train).push(row);
    }
    this.train.append(picked(batch, train));
    this.test.append(picked(batch, test));
    this.read += batch.rows;
    this.options.onRows?.(this.read);
  }

  private keysOf(source: ColumnBatch): RowBytes {
    if (this.key.length === 0) return this.bytes;
    const columns = this.key.map((index) => source.columns[index]);
    return this.keyBytes.fill(columns, source.rows);
  }

  private refuseTooFew(): void {
    const { read, train, test } = this;
    if (read === 0) throw invalidInput('source: there is no row; check source.path, and the WHERE of source.query');
    const left = read - this.fixtureRows;
    if (left === 0)
      throw invalidInput(
        `source: all ${read} rows are fixtures too; a model cannot be accepted on what it has learned`,
      );
    const parts = `${train.rows} of ${left} rows are left to learn from and ${test.rows} are held out`;
    if (train.rows === 0 || test.rows === 0)
      throw invalidInput(`split: ${parts}; each part needs some. Change split.test or split.key, or read more rows`);
  }

  private close(): void {
    this.train.close();
    this.test.close();
  }
}

function keyColumns(schema: readonly ColumnSpec[], names: readonly string[]): readonly number[] {
  const there = schema.map((spec) => spec.name);
  return names.map((name) => {
    const index = there.indexOf(name);
    if (index >= 0) return index;
    throw invalidInput(
      `parley.yaml: split.key: the source has no column "${name}"${didYouMean(name, there)}; it has ${there.join(', ')}`,
    );
  });
}

function picked(batch: ColumnBatch, rows: readonly number[]): ColumnBatch {
  if (rows.length === batch.rows) return batch;
  const columns = batch.columns.map(
    (column): Column =>
      column instanceof Float64Array ? Float64Array.from(rows, (row) => column[row]) : rows.map((row) => column[row]),
  );
  return { specs: batch.specs, rows: rows.length, columns };
}
