/**
 * Which process a process id means: the id and when that process started, so that an id that the system has given to
 * another process since is not taken for the first one.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @returns undefined when no such process runs (one that has ended and is not yet reaped does not run) */
export function processMark(pid: number): string | undefined {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return started === undefined ? undefined : `${pid}@${started}`;
}

export function isRunning(mark: string): boolean {
  const pid = Number(mark.split('@')[0]);
  return Number.isSafeInteger(pid) && pid > 0 && processMark(pid) === mark;
}

/** Clock ticks after boot: field 22 of proc(5)'s stat; the name, field 2, may hold spaces and parentheses. */
function startOnLinux(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : fields[18];
}

function startByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const started = (stdout ?? '').trim().replaceAll(/\s+/g, '-');
  return started === '' ? undefined : started;
}
