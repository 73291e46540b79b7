/** How long one row takes a version. */
import { setTimeout } from 'node:timers/promises';
import { quantile } from '../../evaluation/quantile.js';
import type { ColumnBatch } from '../../model/row.js';
import type { LoadedVersion } from '../loaded-version.js';
import { rowsAt } from './rows.js';

/** Latency is the best of so many rounds: what the machine did beside it is not the model's fault. */
const ROUNDS = 3;
const CALLS_PER_ROUND = 1_000;
/** Calls come in small bursts, as in service: a process that never waits is the one that a busy machine interrupts. */
const CALLS_PER_PAUSE = 5;
const PAUSE_MS = 1;
/** A heavy model makes fewer calls, so that the suite ends long before the child's time does. */
const ROUND_MS = 5_000;

/** Milliseconds of one-row runs in this process: the model's own time, without the wire. */
export async function measureLatency(
  version: LoadedVersion,
  rows: ColumnBatch,
): Promise<{ latencyP50Ms: number; latencyP99Ms: number }> {
  const singles = Array.from({ length: Math.min(rows.rows, 64) }, (_, row) => rowsAt(rows, [row]));
  for (const single of singles) await version.run(single);
  return bestLatency((call) => version.run(singles[call % singles.length]!), CALLS_PER_ROUND);
}

/** @param call the n-th of a round */
export async function bestLatency(
  call: (index: number) => Promise<unknown>,
  callsPerRound: number,
): Promise<{ latencyP50Ms: number; latencyP99Ms: number }> {
  let best = { latencyP50Ms: Number.POSITIVE_INFINITY, latencyP99Ms: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const times: number[] = [],
      end = performance.now() + ROUND_MS;
    for (let index = 0; index < callsPerRound; index++) {
      if (index % CALLS_PER_PAUSE === 0) await setTimeout(PAUSE_MS);
      const begin = performance.now();
      if (begin > end) break;
      await call(index);
      times.push(performance.now() - begin);
    }
    const latencyP99Ms = quantile(times, 0.99);
    if (latencyP99Ms < best.latencyP99Ms) best = { latencyP50Ms: quantile(times, 0.5), latencyP99Ms };
  }
  return best;
}
