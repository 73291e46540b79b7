/** Versions that take over under an even load: what callers notice of the calls around them. */
import { moveAbout } from '../moves.mjs';
import { median } from '../report.mjs';
import { IDLE } from '../servers.mjs';
import { SWAPPED, swapped } from '../workloads.mjs';
import { figuresOf, medians } from './sides.mjs';

const RATE = 500,
  SWAPS_PER_SECOND = 2,
  CONNECTIONS = 8;
const LEAD_IN_MS = 300;

/** Three windows take turns: quiet, the same moves of a model that nobody calls, and of the one that is called. */
export async function swap({ workplace, cores, options, note, measure }) {
  const load = (await swapped()).predict;
  const mover = await workplace.prepareSwaps(SWAPPED.map(({ envelope }) => envelope));
  try {
    const server = await workplace.parley(cores?.server, options.profile);
    const seconds = Math.max(options.quick ? 1 : 5, options.seconds),
      count = seconds * SWAPS_PER_SECOND;
    const times = { connections: CONNECTIONS, inFlight: 64, rate: RATE, warmUpMs: LEAD_IN_MS };
    const window = () => measure(load, server, { ...times, durationMs: seconds * 1000 });
    const moved = (model, before) =>
      moveAbout(mover.registry, model, { count, rate: SWAPS_PER_SECOND, before, leadInMs: LEAD_IN_MS });
    await measure(load, server, { ...times, durationMs: 1_000 });
    const samples = [],
      keep = (round, side, result) => samples.push({ round, side, failed: result.failed.count, ...figuresOf(result) });
    for (let round = 1; round <= options.rounds; round++) {
      note(`round ${round} of ${options.rounds}`);
      keep(round, 'quiet', await window());
      for (const [side, model] of [
        ['elsewhere', IDLE],
        ['swaps', 'logistic'],
      ])
        keep(round, side, (await Promise.all([window(), moved(model, (round - 1) * count)]))[0]);
    }
    return { sides: sidesOf(samples), samples, notes: ['elsewhere: the same moves, of a model that nobody calls'] };
  } finally {
    await mover.close();
  }
}

function sidesOf(samples) {
  const of = (side) => samples.filter((sample) => sample.side === side);
  const ratios = (side) => of('swaps').map(({ p99Us }, i) => p99Us / of(side)[i].p99Us);
  const swaps = {
    ...medians(samples, 'swaps'),
    p99OfQuiet: median(ratios('quiet')),
    p99OfElsewhere: median(ratios('elsewhere')),
    errors: of('swaps').reduce((sum, { failed }) => sum + failed, 0),
  };
  return { quiet: medians(samples, 'quiet'), elsewhere: medians(samples, 'elsewhere'), swaps };
}
