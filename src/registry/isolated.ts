/**
 * Runs what may crash or hang in a process of its own: a graph that kills its process kills nothing else.
 *
 * Inputs travel as files in a private temporary folder, so that their size does not matter; the answer as one message.
 * Neither the child nor the folder outlives the process that asked, however that one ends.
 */
import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, modelBroken, ParleyError, type Problem } from '../errors.js';
import type { Verdict, Version } from '../model/version.js';

/** A version's envelope and the contract that it is to keep, if any. */
export interface IsolatedModel {
  readonly contract?: {
    readonly file: string;
    readonly idl: string;
    readonly includes: Readonly<Record<string, string>>;
  };
  /** One of the contract's services. */
  readonly service?: string;
}

export type Task =
  | ({ readonly kind: 'rehearse' } & IsolatedModel)
  | ({
      readonly kind: 'accept';
      readonly version: string;
      readonly fixturesFormat: string;
      readonly fixtureFingerprint: string;
    } & Required<IsolatedModel>);

export interface Rehearsed {
  /** Rows that were run. */
  readonly rows: number;
  /** Largest difference from the trainer's answers; absent when there were none to compare with. */
  readonly largestDifference?: number;
}

/** What the child is sent: the task and where its files are. */
export interface Assignment {
  readonly task: Task;
  readonly folder: string;
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly problems: readonly Problem[] };

/** File names in the assignment's folder. */
export const ENVELOPE = 'envelope',
  EXPECTED = 'expected',
  FIXTURES = 'fixtures';

/** Of an ensemble's member, its envelope. */
export const memberFile = (version: Version): string => `member-${version}`;

/** An ensemble's members' envelopes; empty for any other version. */
export type Members = ReadonlyMap<Version, Uint8Array>;

const memberFiles = (members: Members): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries([...members].map(([version, envelope]) => [memberFile(version), envelope]));

const TIMEOUT_MS = 120_000;
const MAIN = new URL('./isolated-main.js', import.meta.url);

/**
 * Loads and runs a version once.
 *
 * @throws ParleyError MODEL_BROKEN when it crashes, hangs, cannot be served or answers otherwise than its trainer
 */
export function rehearse(
  envelope: Uint8Array,
  expected: Uint8Array | undefined,
  model: IsolatedModel,
  members: Members = new Map(),
  timeoutMs = TIMEOUT_MS,
): Promise<Rehearsed> {
  return isolated(
    { kind: 'rehearse', ...model },
    { [ENVELOPE]: envelope, ...(expected === undefined ? {} : { [EXPECTED]: expected }), ...memberFiles(members) },
    timeoutMs,
  ) as Promise<Rehearsed>;
}

/** Runs the acceptance suite. @throws ParleyError MODEL_BROKEN, INVALID_INPUT for fixtures that cannot be used */
export function runAcceptance(
  envelope: Uint8Array,
  fixtures: Uint8Array,
  task: Omit<Extract<Task, { kind: 'accept' }>, 'kind'>,
  members: Members = new Map(),
  timeoutMs = TIMEOUT_MS,
): Promise<Verdict> {
  return isolated(
    { kind: 'accept', ...task },
    { [ENVELOPE]: envelope, [`${FIXTURES}.${task.fixturesFormat}`]: fixtures, ...memberFiles(members) },
    timeoutMs,
  ) as Promise<Verdict>;
}

async function isolated(task: Task, files: Readonly<Record<string, Uint8Array>>, timeoutMs: number): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes, { mode: 0o600 });
    const outcome = await outcomeOf({ task, folder }, timeoutMs);
    if (outcome.ok) return outcome.value;
    throw new ParleyError(outcome.code, outcome.message, { problems: outcome.problems });
  } finally {
    process.removeListener('exit', remove);
    await rm(folder, { recursive: true, force: true });
  }
}

function outcomeOf(assignment: Assignment, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { folder, task } = assignment;
    const child = fork(MAIN, [String(process.pid), folder], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    let lastWords = '',
      outcome: Outcome | undefined;
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    const timer = setTimeout(() => {
      outcome ??= hung(task, timeoutMs);
      child.kill('SIGKILL');
    }, timeoutMs);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      process.removeListener('exit', endWithUs);
      act();
    };
    child.stderr!.on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString()).slice(-2_000);
    });
    child.on('message', (message) => {
      outcome ??= message as Outcome;
    });
    // A child that was never there does not close; one that was says by closing what became of it.
    child.on('error', (error) => {
      if (child.pid === undefined) settle(() => reject(error));
    });
    child.on('close', (code, signal) =>
      settle(() => (outcome === undefined ? reject(crashed(code, signal, lastWords)) : resolve(outcome))),
    );
    if (child.connected) child.send(assignment, () => {});
  });
}

function hung({ kind }: Task, timeoutMs: number): Outcome {
  const where = kind === 'accept' ? 'the acceptance suite' : 'rehearsal';
  return {
    ok: false,
    code: 'MODEL_BROKEN',
    message: `the graph did not finish within ${timeoutMs / 1000} s in ${where}; it cannot be served`,
    problems: [],
  };
}

function crashed(code: number | null, signal: NodeJS.Signals | null, lastWords: string): ParleyError {
  const how = signal === null ? `exit code ${code}` : signal;
  const said = lastWords.trim().split('\n').at(-1);
  return modelBroken(
    `the graph ended the process that ran it (${how})${said ? `: ${said.slice(0, 300)}` : ''}; it cannot be served`,
  );
}
