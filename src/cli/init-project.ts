/** A project's folder, written whole or not at all: first beside its place, then moved there in one step. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { InputField } from '../contract/contract.js';
import { conflict, hasErrno, invalidInput } from '../errors.js';
import { trainers } from '../trainers/table.js';
import { ContractRows } from '../training/contract-rows.js';
import { loadProject, PROJECT_FILE, type Project } from '../training/project.js';
import { readRows } from '../training/read-rows.js';
import { Refusals } from '../training/refusals.js';
import { RowBytes } from '../training/split.js';
import { FixtureChoice } from './init-fixtures.js';
import type { Proposal } from './init-proposal.js';
import { readmeText } from './init-readme.js';

export const FIXTURES_FILE = 'fixtures.csv';
/** A data file that is further up than this is named by its absolute path. */
const MOST_LEVELS_UP = 2;

export interface WrittenProject {
  readonly folder: string;
  readonly files: readonly string[];
  readonly fixtures: number;
  readonly trainingRows: number;
  readonly heldOutRows: number;
  /** A row to ask about, as JSON. */
  readonly example: string;
}

/** @throws CONFLICT when the folder holds something already */
export function refuseTaken(folder: string): void {
  try {
    if (readdirSync(folder).length === 0) return;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    if (hasErrno(error, 'ENOTDIR')) throw conflict(`${folder} is a file; choose another place with --folder`);
    throw invalidInput(`${folder} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  throw conflict(`${folder} is not empty, and nothing in it is overwritten; choose another place with --folder`);
}

/** @throws INVALID_INPUT when the rows cannot be trained on, or the folder cannot be written; nothing is left then */
export async function writeProject(
  proposal: Proposal,
  wanted: string,
  shownFolder: string,
  signal: AbortSignal,
): Promise<WrittenProject> {
  const folder = resolve(wanted);
  const parent = dirname(folder);
  const made = makeFolder(parent);
  const draft = join(parent, `.${basename(folder)}.${randomBytes(6).toString('hex')}`);
  try {
    makeFolder(draft);
    const written = await fill(draft, proposal, shownFolder, signal);
    signal.throwIfAborted();
    moveInto(draft, folder);
    return { ...written, folder };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

/** @returns the first folder that was made, if any */
function makeFolder(folder: string): string | undefined {
  try {
    return mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw invalidInput(
      `the folder ${folder} cannot be made: ${(cause as Error).message}; choose another place with --folder`,
      { cause },
    );
  }
}

/** An empty folder gives way; one that has been filled meanwhile does not. */
function moveInto(draft: string, folder: string): void {
  try {
    renameSync(draft, folder);
  } catch (error) {
    refuseTaken(folder);
    throw error;
  }
}

async function fill(
  draft: string,
  proposal: Proposal,
  shownFolder: string,
  signal: AbortSignal,
): Promise<Omit<WrittenProject, 'folder'>> {
  const write = (name: string, text: string) => writeFileSync(join(draft, name), text);
  const contractFile = `${proposal.name}.thrift`;
  write(contractFile, proposal.contract);
  write(PROJECT_FILE, projectText(proposal, draft));
  const { lines, seed, header, example } = await chooseFixtures(await loadProject(draft), proposal, signal);
  write(FIXTURES_FILE, `${[header, ...lines].join('\n')}\n`);
  write(PROJECT_FILE, projectText(proposal, draft, { seed }));
  // What a run reads first, so that what is left behind can be trained on.
  const rows = await readRows(await loadProject(draft), { signal });
  const counts = { fixtures: lines.length, trainingRows: rows.train.rows, heldOutRows: rows.test.rows };
  rows.close();
  write('README.md', readmeText(proposal, { ...counts, shownFolder, example }));
  return { ...counts, files: [contractFile, PROJECT_FILE, FIXTURES_FILE, 'README.md'], example };
}

/** Reads all rows once. */
async function chooseFixtures(project: Project, proposal: Proposal, signal: AbortSignal) {
  const source = await project.source.kind.open(project.source.configuration, project.folder);
  try {
    const rows = new ContractRows(project, source.schema, project, 'source');
    const refusals = new Refusals();
    const complete = new FixtureChoice(proposal.labelledRows);
    const any = new FixtureChoice(proposal.labelledRows);
    const bytes = new RowBytes();
    let read = 0;
    let completeRows = 0;
    let example: Example | undefined;
    for await (const batch of source.batches(signal)) {
      const { columns } = rows.check(batch, read, refusals).batch;
      bytes.fill(columns, batch.rows);
      for (let row = 0; row < batch.rows; row++) {
        const values = columns.map((column) => column[row]!);
        const line = lineOf(values, rows.fields);
        const className = project.task === 'classification' ? String(values.at(-1)) : '';
        const isComplete = !values.some(isMissing);
        complete.add(line, bytes.row(row), className, isComplete);
        any.add(line, bytes.row(row), className, true);
        if (isComplete) completeRows++;
        example = better(example, { isComplete, json: exampleOf(values, rows.fields) });
      }
      read += batch.rows;
    }
    refusals.raise(proposal.file, 'Correct the rows, and try again');
    const { lines, seed } = (completeRows * 2 >= read ? complete : any).finish();
    const header = [...rows.fields.map((field) => field.name), project.answer.name].join(',');
    return { lines, seed, header, example: example?.json ?? '{}' };
  } finally {
    await source.close();
  }
}

const isMissing = (value: number | string) => value === '' || Number.isNaN(value);

/** @param values the fields', and last the truth */
function lineOf(values: readonly (number | string)[], fields: readonly InputField[]): string {
  return values.map((value, index) => cellOf(value, fields[index]?.type === 'bool')).join(',');
}

function cellOf(value: number | string, isBoolean: boolean): string {
  if (isMissing(value)) return '';
  if (isBoolean) return value === 1 ? 'true' : 'false';
  // Zero has no sign in a row's bytes either.
  const text = typeof value === 'number' ? String(value + 0) : value;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function exampleOf(values: readonly (number | string)[], fields: readonly InputField[]): string {
  const given = fields.flatMap((field, index): [string, number | string | boolean][] => {
    const value = values[index]!;
    if (isMissing(value)) return [];
    return [[field.name, field.type === 'bool' ? value === 1 : value]];
  });
  return JSON.stringify(Object.fromEntries(given));
}

interface Example {
  readonly isComplete: boolean;
  readonly json: string;
}

/** Complete, and short: text columns can be long, and the example is typed into a shell. */
function better(one: Example | undefined, other: Example): Example {
  if (one === undefined || one.isComplete !== other.isComplete) return one?.isComplete ? one : other;
  return other.json.length < one.json.length ? other : one;
}

/** @param written what is known once the fixtures are there */
function projectText(proposal: Proposal, folder: string, written?: { readonly seed: number }): string {
  const { name, label, task } = proposal;
  const renamed = proposal.columns.filter(({ column, field }) => field.role === 'feature' && field.name !== column);
  const columns = Object.fromEntries(renamed.map(({ column, field }) => [field.name, column]));
  const part = (values: object) => stringify(values, { lineWidth: 0 });
  return [
    part({ name, contract: `${name}.thrift` }),
    part({ source: { kind: 'csv', path: pathFrom(folder, proposal.file), ...proposal.source } }),
    '# The column that holds the truth.\n',
    part({ label: label.column }),
    ...(renamed.length === 0
      ? []
      : ["# The contract's fields whose columns are called otherwise.\n", part({ columns })]),
    ...(written === undefined
      ? []
      : ['# What a version is accepted on; never trained on.\n', part({ fixtures: FIXTURES_FILE })]),
    ...(written === undefined || written.seed === 1
      ? []
      : [
          '# With few rows not every seed leaves some of each class on both sides.\n',
          part({ split: { seed: written.seed } }),
        ]),
    trainerText(task),
  ].join('');
}

/** The default trainer with its defaults, as comments. */
function trainerText(task: Proposal['task']): string {
  const name = task === 'classification' ? 'logistic-regression' : 'ridge';
  const { trainer } = { trainer: { name, ...Object(trainers[name]!.parameters.parse({})) } };
  const lines = stringify({ trainer }).trimEnd().split('\n');
  return `# How it is trained, where the defaults are not wanted:\n${lines.map((line) => `# ${line}\n`).join('')}`;
}

/** Relative where the file is near, so that both can be moved together. */
function pathFrom(folder: string, file: string): string {
  const path = relative(folder, file);
  const levelsUp = path.split('/').filter((part) => part === '..').length;
  return isAbsolute(path) || levelsUp > MOST_LEVELS_UP ? file : path;
}
