/** A project's fixtures, read and checked: what is published of them, and what is remarkable about them. */
import { fixtureBytes } from '../registry/fixture-bytes.js';
import { type FixtureTable, fixtureColumns, fixtureTable } from '../registry/fixture-table.js';
import { textsOf } from '../sources/fixtures.js';
import { withFiles } from './fixture-files.js';
import type { Project } from './project.js';
import { RowBytes } from './split.js';

export interface ProjectFixtures {
  readonly table: FixtureTable;
  /** As they are published: JSON Lines. */
  readonly bytes: Buffer;
  /** For people: rows that are there twice, and such as contradict each other. */
  readonly warnings: readonly string[];
}

/**
 * @returns undefined for a project without fixtures
 * @throws ParleyError INVALID_INPUT for no rows, rows outside the contract, labels it does not know; NOT_FOUND without the file
 */
export async function readProjectFixtures(
  { fixtures, request, response }: Pick<Project, 'fixtures' | 'request' | 'response'>,
  signal?: AbortSignal,
): Promise<ProjectFixtures | undefined> {
  if (fixtures === undefined) return undefined;
  const texts = textsOf(fixtureColumns(request, response));
  const source = await fixtures.kind.open(fixtures.configuration, fixtures.folder, texts);
  const table = await fixtureTable(
    source,
    request,
    response,
    (rows) => withFiles(rows, request, fixtures.folder),
    signal,
  );
  return { table, bytes: fixtureBytes(table, request), warnings: warningsOf(table) };
}

/** Rows are told apart by what the model is fed, and then by what is right. */
function warningsOf({ rows, truth, answer }: FixtureTable): string[] {
  const bytes = new RowBytes().fill(rows.columns, rows.rows);
  const truths = new Map<string, Set<number | string>>();
  let repeated = 0;
  for (let row = 0; row < rows.rows; row++) {
    const key = bytes.row(row).toString('latin1'),
      known = truths.get(key);
    if (known === undefined) truths.set(key, new Set([truth[row]!]));
    else if (known.has(truth[row]!)) repeated++;
    else known.add(truth[row]!);
  }
  const contradicted = [...truths.values()].filter(({ size }) => size > 1).length;
  return [
    ...(repeated === 0 ? [] : [`${repeated} of ${rows.rows} fixtures repeat another one; each counts`]),
    ...(contradicted === 0
      ? []
      : [`${contradicted} fixtures are there with several values of ${answer.name}; no model can be right on all`]),
  ];
}
