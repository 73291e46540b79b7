/** A window's outcome: what the tally has, and who used the processors meanwhile. */
import { cpuTimeUs, type MachineTime, machineTime } from './cpu-time.js';
import type { LoadResult } from './plan.js';
import type { Tally } from './tally.js';

export interface Snapshot {
  readonly ms: number;
  readonly ownUs: number;
  readonly serverUs: number | undefined;
  readonly machine: MachineTime | undefined;
}

/** Takes some milliseconds where a server is looked at. */
export function snapshot(serverPid: number | undefined): Snapshot {
  const machine = machineTime();
  const serverUs = serverPid === undefined ? undefined : cpuTimeUs(serverPid);
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), ownUs: user + system, serverUs, machine };
}

export function resultOf(tally: Tally, before: Snapshot, after: Snapshot): Omit<LoadResult, 'interrupted'> {
  const windowMs = Number.isFinite(tally.fromMs) ? after.ms - before.ms : 0,
    windowUs = windowMs * 1000 || 1;
  return {
    windowMs,
    answered: tally.answered,
    perSecond: windowMs === 0 ? 0 : (tally.answered / windowMs) * 1000,
    latency: tally.latency.summary(),
    buckets: tally.latency.buckets(),
    failed: tally.failed.summary(),
    errors: Object.fromEntries(tally.errors),
    messages: Object.fromEntries(tally.messages),
    versions: tally.versionCounts(),
    generatorBusy: (after.ownUs - before.ownUs) / windowUs,
    ...serverShares(before.serverUs, after.serverUs, windowUs, tally.answered),
    ...machineShares(before.machine, after.machine, windowUs),
  };
}

function serverShares(before: number | undefined, after: number | undefined, windowUs: number, answered: number) {
  if (before === undefined || after === undefined) return {};
  return { serverBusy: (after - before) / windowUs, serverUs: (after - before) / Math.max(1, answered) };
}

function machineShares(before: MachineTime | undefined, after: MachineTime | undefined, windowUs: number) {
  if (before === undefined || after === undefined) return {};
  const all = windowUs * after.cores;
  return { machineBusy: (after.busyUs - before.busyUs) / all, stolen: (after.stolenUs - before.stolenUs) / all };
}
