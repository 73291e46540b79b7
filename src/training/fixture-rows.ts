/** The fixtures' rows, to keep them out of the training: what a version is accepted on, it has never seen. */

import { fieldColumn } from '../contract/check.js';
import type { ColumnSpec } from '../model/row.js';
import { textsOf } from '../sources/fixtures.js';
import { ContractRows, fedFields } from './contract-rows.js';
import type { Project } from './project.js';
import { Refusals } from './refusals.js';
import { hash, RowBytes } from './split.js';

export class FixtureRows {
  /** A row's hash, so that most rows are told apart without a string. */
  private readonly hashes = new Set<number>();
  private readonly rows = new Set<string>();

  /** @throws INVALID_INPUT when a fixture does not keep the contract */
  static async read(project: Project, signal?: AbortSignal): Promise<FixtureRows> {
    const fixtures = new FixtureRows();
    if (project.fixtures !== undefined) await fixtures.fill(project, project.fixtures, signal);
    return fixtures;
  }

  has(row: Buffer): boolean {
    return this.hashes.has(hash(row, 0)) && this.rows.has(row.toString('latin1'));
  }

  private async fill(
    project: Project,
    { kind, configuration, folder, shownAs }: NonNullable<Project['fixtures']>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const truth: ColumnSpec = {
      name: project.answer.name,
      kind: project.task === 'classification' ? 'string' : 'number',
    };
    const texts = textsOf([...fedFields(project).map(fieldColumn), truth]);
    const source = await kind.open(configuration, folder, texts);
    try {
      const rows = new ContractRows(project, source.schema, { label: project.answer.name, columns: {} }, 'fixtures');
      const refusals = new Refusals();
      const bytes = new RowBytes();
      let before = 0;
      for await (const batch of source.batches(signal)) {
        const { columns } = rows.check(batch, before, refusals).batch;
        bytes.fill(columns, batch.rows);
        for (let row = 0; row < batch.rows; row++) this.add(bytes.row(row));
        before += batch.rows;
      }
      refusals.raise('fixtures', `Correct them in ${shownAs}`);
    } finally {
      await source.close();
    }
  }

  private add(row: Buffer): void {
    this.hashes.add(hash(row, 0));
    this.rows.add(row.toString('latin1'));
  }
}
