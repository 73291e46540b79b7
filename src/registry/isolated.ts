/**
 * Runs what may crash or hang in a process of its own: a graph that kills its process kills nothing else.
 *
 * Inputs travel as files in a private temporary folder, so that their size does not matter; the answer as one message.
 * Neither the child nor the folder outlives the process that asked, however that one ends.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, modelBroken, ParleyError, type Problem } from '../errors.js';
import { type ByteStream, joined, streamOf } from '../model/byte-stream.js';
import type { Version } from '../model/version.js';
import { partsOfSuite } from './acceptance/suite-bytes.js';
import { fileStream, writeWhole } from './whole-file.js';
import type { Accepted } from './wrong-rows.js';

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
  | ({
      readonly kind: 'rehearse';
      readonly modelType?: string;
      /** Of a plain graph: the type's own fields, over what the graph says of itself. */
      readonly metadata?: Readonly<Record<string, unknown>>;
    } & IsolatedModel)
  | ({
      readonly kind: 'accept';
      readonly version: string;
      readonly fixturesFormat: string;
      /** Of fixtures and checks, as `suiteBytes` joins them. */
      readonly fixtureFingerprint: string;
      /** The text of checks.yaml. */
      readonly checks?: string;
      /** The version in production, where a bound compares with it. */
      readonly production?: Version;
    } & Required<IsolatedModel>);

export interface Rehearsed {
  readonly version: Version;
  readonly modelType: string;
  /** The type's own, as the record has them. */
  readonly typeFields: Readonly<Record<string, string>>;
  /** The envelope is this and then the file's bytes. */
  readonly header: Uint8Array;
  /** What was uploaded, where its graph stays as it is. */
  readonly file: typeof UPLOADED | typeof GRAPH;
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
export const UPLOADED = 'uploaded',
  GRAPH = 'graph',
  ENVELOPE = 'envelope',
  PRODUCTION_ENVELOPE = 'production',
  EXPECTED = 'expected',
  FIXTURES = 'fixtures';

/** Of an ensemble's member, its envelope. */
export const memberFile = (version: Version): string => `member-${version}`;

/** An ensemble's members' envelopes; empty for any other version. */
export type Members = ReadonlyMap<Version, ByteStream>;

const memberFiles = (members: Members): Readonly<Record<string, ByteStream>> =>
  Object.fromEntries([...members].map(([version, envelope]) => [memberFile(version), envelope]));

const TIMEOUT_MS = 120_000;
const MAIN = new URL('./isolated-main.js', import.meta.url);

/**
 * Makes a version of what was uploaded and runs it once: everything that needs the whole graph in memory.
 *
 * @param use is given the outcome and the envelope, which can be read until it is done
 * @throws ParleyError what the pipeline refuses; MODEL_BROKEN when the graph crashes, hangs, cannot be served or answers
 *   otherwise than its trainer
 */
export function rehearse<T>(
  uploaded: ByteStream,
  expected: ByteStream | undefined,
  model: Omit<Extract<Task, { kind: 'rehearse' }>, 'kind'>,
  use: (rehearsed: Rehearsed, envelope: ByteStream) => Promise<T>,
  members: Members = new Map(),
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  return isolated(
    { kind: 'rehearse', ...model },
    { [UPLOADED]: uploaded, ...(expected === undefined ? {} : { [EXPECTED]: expected }), ...memberFiles(members) },
    timeoutMs,
    async (outcome, folder) => {
      const rehearsed = outcome as Rehearsed;
      return use(rehearsed, joined(streamOf(rehearsed.header), await fileStream(join(folder, rehearsed.file))));
    },
  );
}

/** The version that one is compared with; its members stand among the others. */
export interface InProduction {
  readonly version: Version;
  readonly envelope: ByteStream;
}

/**
 * Runs the acceptance suite.
 *
 * @param suite fixtures, and checks where there are some, as `suiteBytes` joins them
 * @param members of both versions
 * @throws ParleyError MODEL_BROKEN, INVALID_INPUT for fixtures or checks that cannot be used
 */
export function runAcceptance(
  envelope: ByteStream,
  suite: Uint8Array,
  task: Omit<Extract<Task, { kind: 'accept' }>, 'kind' | 'checks' | 'production'>,
  members: Members = new Map(),
  timeoutMs = TIMEOUT_MS,
  production?: InProduction,
): Promise<Accepted> {
  const { fixtures, checks } = partsOfSuite(suite);
  return isolated(
    {
      kind: 'accept',
      ...task,
      ...(checks === undefined ? {} : { checks }),
      ...(production === undefined ? {} : { production: production.version }),
    },
    {
      [ENVELOPE]: envelope,
      [`${FIXTURES}.${task.fixturesFormat}`]: streamOf(fixtures),
      ...(production === undefined ? {} : { [PRODUCTION_ENVELOPE]: production.envelope }),
      ...memberFiles(members),
    },
    timeoutMs,
    async (outcome) => outcome as Accepted,
  );
}

async function isolated<T>(
  task: Task,
  files: Readonly<Record<string, ByteStream>>,
  timeoutMs: number,
  use: (outcome: unknown, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  let child: Child | undefined;
  try {
    // It starts while its files are written.
    child = new Child(folder);
    for (const [name, bytes] of Object.entries(files)) await writeWhole(join(folder, name), bytes);
    const outcome = await child.outcomeOf(task, timeoutMs);
    if (!outcome.ok) throw new ParleyError(outcome.code, outcome.message, { problems: outcome.problems });
    return await use(outcome.value, folder);
  } finally {
    await child?.end();
    process.removeListener('exit', remove);
    await rm(folder, { recursive: true, force: true });
  }
}

class Child {
  readonly #folder: string;
  readonly #process: ChildProcess;
  /** How it ended: never rejects, so that it may end before anybody asks. */
  readonly #ended: Promise<Error>;
  readonly #answered: Promise<void>;
  #lastWords = '';
  #outcome: Outcome | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#process = fork(MAIN, [String(process.pid), folder], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const endWithUs = () => this.#process.kill('SIGKILL');
    process.once('exit', endWithUs);
    this.#process.stderr!.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(-2_000);
    });
    this.#answered = new Promise((resolve) => {
      this.#process.on('message', (message) => {
        this.#outcome ??= message as Outcome;
        resolve();
      });
    });
    this.#ended = new Promise((resolve) => {
      const settle = (error: Error) => {
        process.removeListener('exit', endWithUs);
        resolve(error);
      };
      // A child that was never there does not close; one that was says by closing what became of it.
      this.#process.on('error', (error) => {
        if (this.#process.pid === undefined) settle(error);
      });
      this.#process.on('close', (code, signal) => settle(crashed(code, signal, this.#lastWords)));
    });
  }

  /** Gives it the one task that it takes. */
  async outcomeOf(task: Task, timeoutMs: number): Promise<Outcome> {
    const timer = setTimeout(() => {
      this.#outcome ??= hung(task, timeoutMs);
      this.#process.kill('SIGKILL');
    }, timeoutMs);
    const assignment: Assignment = { task, folder: this.#folder };
    if (this.#process.connected) this.#process.send(assignment, () => {});
    // It answers before it gives back the memory of its graph, which takes a while.
    const error = await Promise.race([this.#ended, this.#answered]);
    clearTimeout(timer);
    if (this.#outcome === undefined) throw error;
    return this.#outcome;
  }

  /** Nobody waits for it any longer. */
  async end(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
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
