/** A project's acceptance suite as tests: one a criterion, of one run of the suite. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { internal, invalidInput } from '../errors.js';
import { answerText, measuredText, truthText } from './explanation.js';
import type { ListedCriterion } from './listing.js';
import type { ReportedCriterion, SuiteReport } from './report.js';
import { beforeTests, type Runner, runnerOf } from './runner.js';
import { type Subject, subjectText } from './subject.js';
import { criterionKey, figureName } from './title.js';

const TIMEOUT_MS = 300_000;
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export interface AcceptanceOptions {
  /** What defines tests, such as node:test's exports; the global `describe`, `it` and `before` or `beforeAll` when absent. */
  readonly runner?: Runner;
  /** For the suite's one run, which the runner is told as its hook's limit; 5 minutes. */
  readonly timeoutMs?: number;
}

/**
 * Defines the tests of a project's acceptance suite, one a criterion. The suite runs once, before the first of them.
 *
 * Nothing is thrown here: what is wrong with the project is a test that fails.
 *
 * @param project folder of parley.yaml
 * @param subject a file, a version in a store, or a running server
 */
export function acceptance(project: string, subject: Subject, options: AcceptanceOptions = {}): void {
  const { timeoutMs = TIMEOUT_MS } = options;
  const runner = runnerOf(options.runner);
  const listed = listedBy(project);
  if (listed instanceof Error) {
    runner.describe(
      `acceptance of ${project}`,
      () => void runner.it('has a suite that can be run', () => fail(listed)),
    );
    return;
  }
  const { model, criteria } = listed;
  runner.describe(`acceptance of ${model}, ${subjectText(subject)}`, () => {
    let report: SuiteReport | undefined;
    beforeTests(runner, timeoutMs, async () => {
      report = await runOnce(project, subject, timeoutMs);
      checkSame(criteria, report);
    });
    criteria.forEach(({ title }, index) => void runner.it(title, () => check(report!.criteria[index]!)));
  });
}

function fail(error: Error): never {
  throw error;
}

interface Listed {
  readonly model: string;
  readonly criteria: readonly ListedCriterion[];
}

/** By a process of its own: runners want tests defined before they are asked to wait, and fixtures can only be read so. */
function listedBy(project: string): Listed | Error {
  try {
    const told = execFileSync(process.execPath, [MAIN, 'accept', '--project', project, '--list', '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    });
    return JSON.parse(told) as Listed;
  } catch (cause) {
    const said = String((cause as { stderr?: unknown }).stderr ?? '').trim();
    return invalidInput(said === '' ? (cause as Error).message : said.replace(/^error \w+: /, ''), { cause });
  }
}

async function runOnce(project: string, subject: Subject, timeoutMs: number): Promise<SuiteReport> {
  const { openSuite, runSuite } = await import('./run.js');
  const signal = AbortSignal.timeout(timeoutMs);
  return runSuite(await openSuite(project, signal), subject, signal);
}

/** A criterion that no test was made of would pass unseen. */
function checkSame(listed: readonly ListedCriterion[], { criteria }: SuiteReport): void {
  const found = criteria.map(criterionKey);
  if (found.length === listed.length && listed.every(({ key }, index) => key === found[index])) return;
  throw internal(
    `the suite has the criteria ${found.join('; ')}, and tests were made of ${listed.map(({ key }) => key).join('; ')}`,
  );
}

function check(criterion: ReportedCriterion): void {
  if (!criterion.passed) throw new CriterionFailed(criterion);
}

/** What runners show with a diff: what was to be, and what was. */
class CriterionFailed extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
  readonly showDiff = true;
  readonly expected: string;
  readonly actual: string;

  constructor(criterion: ReportedCriterion) {
    super(criterion.explanation);
    const rows = criterion.wrong?.rows ?? [];
    const name = figureName(criterion);
    this.expected = [`${name} ${criterion.bound}`, ...rows.map(truthText)].join('\n');
    this.actual = [
      `${name} is ${measuredText(criterion)}`,
      ...rows.map((row) => `row ${row.row}: ${answerText(row)}`),
    ].join('\n');
  }
}
