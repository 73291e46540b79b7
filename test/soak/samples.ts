/** What a server's processes take, all together: memory and file descriptors, as Linux counts them. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Sample {
  /** Since the load began. */
  readonly second: number;
  readonly callsPerSecond: number;
  readonly p99Ms: number;
  readonly rssBytes: number;
  readonly fileDescriptors: number;
  readonly processes: number;
}

export interface Taken {
  readonly rssBytes: number;
  readonly fileDescriptors: number;
  readonly processes: number;
}

/** A process and all that it has started. */
export function takenBy(pid: number): Taken {
  const pids = family(pid).filter((each) => rssOf(each) > 0);
  return {
    rssBytes: pids.reduce((sum, each) => sum + rssOf(each), 0),
    fileDescriptors: pids.reduce((sum, each) => sum + descriptorsOf(each), 0),
    processes: pids.length,
  };
}

function family(pid: number): number[] {
  const children = orEmpty(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean));
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

function rssOf(pid: number): number {
  const status = orEmpty(() => [readFileSync(`/proc/${pid}/status`, 'utf8')]).join('');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

const descriptorsOf = (pid: number): number => orEmpty(() => readdirSync(`/proc/${pid}/fd`)).length;

/** A process may have ended since it was listed. */
function orEmpty(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
