/** Reading a source to its end, for tests. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParleyError } from '#parley/errors.js';
import type { ColumnSpec } from '#parley/model/row.js';
import { sources } from '#parley/sources/table.js';

export interface Read {
  readonly schema: readonly ColumnSpec[];
  readonly batchRows: readonly number[];
  /** Column name -> all its values. */
  readonly values: Readonly<Record<string, readonly (number | string)[]>>;
}

export async function readAll(kind: string, configuration: object, folder: string): Promise<Read> {
  const { configuration: schema, open } = sources[kind];
  const source = await open(schema.parse(configuration), folder);
  try {
    const values: Record<string, (number | string)[]> = Object.fromEntries(
      source.schema.map((spec) => [spec.name, []]),
    );
    const batchRows: number[] = [];
    for await (const batch of source.batches()) {
      batchRows.push(batch.rows);
      batch.specs.forEach((spec, index) => {
        for (const value of batch.columns[index]) values[spec.name].push(value);
      });
    }
    return { schema: source.schema, batchRows, values };
  } finally {
    await source.close();
  }
}

/** Where it was before a suite changed it. */
const TEMPORARY = tmpdir();

/** A folder that the suite removes. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(TEMPORARY, 'parley-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Gives a suite a folder for temporary files that no other process writes to. */
export function ownTemporaryFolder(): { files(): string[] } {
  const { path, remove } = temporaryFolder();
  let outer: string | undefined;
  before(() => {
    outer = process.env.TMPDIR;
    process.env.TMPDIR = path;
  });
  after(() => {
    if (outer === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outer;
    remove();
  });
  return { files: () => readdirSync(path) };
}

/** The ParleyError that a promise must end in. */
export async function refusal(promise: Promise<unknown>): Promise<ParleyError> {
  const outcome = await promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  if (outcome instanceof ParleyError) return outcome;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}
