/** Does the runtime's library load here, and compute? Asked in a child process, because a wrong library ends its own. */
import { fork } from 'node:child_process';
import { versions } from '../training/provenance.js';
import { failed, type Outcome, ok, warning } from './doctor-check.js';
import type { GraphAnswer } from './doctor-graph.js';

const DEADLINE_MS = 12_000;
const MEND =
  'install Parley anew on this machine (npm ci): the library must fit the system and its processor (Linux with glibc 2.28 or newer, macOS, Windows)';

export async function checkRuntime(): Promise<Outcome> {
  return judgeRuntime(await runGraph());
}

export interface ChildEnd {
  readonly answer?: GraphAnswer;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastWords: string;
}

/** @param end what the child said, and how it ended */
export function judgeRuntime({ answer, code, signal, lastWords }: ChildEnd): Outcome {
  const name = `onnxruntime ${versions().onnxruntime}`;
  if (answer === undefined) {
    const how =
      signal === 'SIGKILL'
        ? `did not answer within ${DEADLINE_MS / 1000} s`
        : `ended its process (${signal ?? `exit code ${code}`})`;
    return failed(`${name} ${how}${lastWords === '' ? '' : `: ${lastWords}`}`, MEND);
  }
  if (!answer.ok) return failed(`${name} does not run: ${answer.message}`, MEND);
  if (!answer.synchronous)
    return warning(
      `${name} computes, but only through its slower public interface`,
      'install the version that package.json names (npm ci)',
    );
  return ok(`${name} loads and computes`);
}

function runGraph(): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = fork(new URL('./doctor-graph.js', import.meta.url), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let answer: GraphAnswer | undefined;
    let said = '';
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const timer = setTimeout(kill, DEADLINE_MS);
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      process.removeListener('exit', kill);
      const lastWords = said.trim().split('\n').at(-1)!.slice(0, 300);
      resolve({ code, signal, lastWords, ...(answer === undefined ? {} : { answer }) });
    };
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    child.on('message', (message) => {
      answer = message as GraphAnswer;
    });
    child.on('error', (error) => {
      said = error.message;
      settle(null, null);
    });
    child.on('close', settle);
  });
}
