/** What Linux tells of a process in /proc. */
import { readFileSync } from 'node:fs';

/** Counted by hundredths of a second, on every machine that Node runs on. */
export const TICK_US = 10_000;
/** proc(5), counted behind the command's name, which may hold anything. */
const PARENT = 1,
  USER_TIME = 11,
  SYSTEM_TIME = 12;

export interface ProcessStat {
  readonly name: string;
  readonly parent: number;
  /** User and kernel time of all its threads since it started, in microseconds. */
  readonly cpuUs: number;
}

/** @returns undefined where the process is gone, or the system does not tell */
export function processStat(pid: number | string): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1'),
      nameEnd = text.lastIndexOf(')');
    const fields = text.slice(nameEnd + 2).split(' ');
    return {
      name: text.slice(text.indexOf('(') + 1, nameEnd),
      parent: Number(fields[PARENT]),
      cpuUs: (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * TICK_US,
    };
  } catch {
    return undefined;
  }
}
