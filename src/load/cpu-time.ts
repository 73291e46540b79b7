/** CPU time of a process and its descendants, and of the whole machine, as /proc has them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type ProcessStat, processStat, TICK_US } from '../serving/lanes/process-stat.js';

/** The store's own process is not the server's work. */
const NOT_COUNTED = /^redis-server|^valkey-server/;

interface Process extends ProcessStat {
  readonly pid: number;
}

/** User and kernel time of a process and of all that descend from it, in microseconds; 0 when it is gone. */
export function cpuTimeUs(pid: number): number {
  const processes = readProcesses();
  if (processes === undefined) return psTimeUs(pid);
  const counted = new Set([pid]);
  for (let size = 0; size < counted.size; ) {
    size = counted.size;
    for (const each of processes) if (counted.has(each.parent) && !NOT_COUNTED.test(each.name)) counted.add(each.pid);
  }
  return processes.reduce((sum, each) => sum + (counted.has(each.pid) ? each.cpuUs : 0), 0);
}

function readProcesses(): Process[] | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  return names.length === 0
    ? undefined
    : names.flatMap((name) => {
        // One that ended while we looked is none.
        const stat = processStat(name);
        return stat === undefined ? [] : [{ pid: Number(name), ...stat }];
      });
}

/** Of the process alone. */
function psTimeUs(pid: number): number {
  try {
    const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
    const [seconds = 0, minutes = 0, hours = 0] = text.trim().split(/[-:]/).reverse().map(Number);
    return (seconds + minutes * 60 + hours * 3600) * 1e6;
  } catch {
    return 0;
  }
}

export interface MachineTime {
  readonly busyUs: number;
  readonly stolenUs: number;
  readonly cores: number;
}

/** Since the machine started; undefined where it cannot be known. */
export function machineTime(): MachineTime | undefined {
  try {
    const fields = readFileSync('/proc/stat', 'latin1').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = fields;
    const busyUs = (user + nice + system + irq + softirq + stolen) * TICK_US;
    return { busyUs, stolenUs: stolen * TICK_US, cores: cpus().length };
  } catch {
    return undefined;
  }
}
