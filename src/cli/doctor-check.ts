/** One thing that `parley doctor` looks at, and what it found. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hasErrno } from '../errors.js';

export interface Outcome {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do about it. */
  readonly mend?: string;
}

export interface Check {
  readonly name: string;
  /** When it is given up. */
  readonly deadlineMs?: number;
  run(): Promise<Outcome>;
}

export interface Finding extends Outcome {
  readonly name: string;
  /** Whether the check was given up; it may still hold the process. */
  readonly isOverdue: boolean;
}

/** Longer than any check's own deadlines, but those that wait for others. */
const DEADLINE_MS = 15_000;

export const ok = (message: string): Outcome => ({ status: 'ok', message });
export const warning = (message: string, mend: string): Outcome => ({ status: 'warning', message, mend });
export const failed = (message: string, mend: string): Outcome => ({ status: 'failed', message, mend });

/** What the check finds; what it throws, or that it takes too long, is a finding too. */
export async function withDeadline(check: Check, signal: AbortSignal): Promise<Finding> {
  const { name, run, deadlineMs = DEADLINE_MS } = check;
  let timer: NodeJS.Timeout | undefined;
  const done = new AbortController();
  const expiry = new Promise<Finding>((resolve) => {
    const giveUp = (message: string) =>
      resolve({ name, isOverdue: true, ...failed(message, 'try again; look at what else keeps this machine busy') });
    timer = setTimeout(() => giveUp(`no answer within ${deadlineMs / 1000} s`), deadlineMs);
    signal.addEventListener('abort', () => giveUp('interrupted'), { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([
      expiry,
      run().then(
        (outcome) => ({ name, isOverdue: false, ...outcome }),
        (error: unknown) => unexpected(name, error),
      ),
    ]);
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}

/** A check knows what can go wrong; this is what it did not. */
function unexpected(name: string, error: unknown): Finding {
  return {
    name,
    isOverdue: false,
    ...failed(oneLine(error), 'see what the message names; "parley doctor" checks again'),
  };
}

export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 400);

/** What a program says of its version; undefined where it is not on PATH. */
export async function versionText(program: string, option: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [option], { timeout: 5_000, killSignal: 'SIGKILL' });
    return stdout.trim().split('\n')[0]!;
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || hasErrno(error, 'EACCES')) return undefined;
    throw new Error(`${program} ${option} does not run: ${oneLine(error)}`);
  }
}

/** Whether a dotted version is at least `oldest`. */
export function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const index = oldest.findIndex((part, at) => (parts[at] ?? 0) !== part);
  return index < 0 || (parts[index] ?? 0) > oldest[index]!;
}
