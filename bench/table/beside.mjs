/** A light model beside a heavy one on the same server: the convnet is kept saturated by a generator of its own. */
import { figuresOf, medians, published, workloadOf } from './sides.mjs';

const CONNECTIONS = 8;
const HEAVY_CONNECTIONS = 4;
/** Until the heavy model's queue is as it stays. */
const SATURATED_MS = 1_000;

export async function beside({ workplace, cores, options, note, measure }) {
  const light = await workloadOf(workplace, 'logistic', 1),
    heavy = await workloadOf(workplace, 'convnet', 1);
  await workplace.prepare({ logistic: published('logistic'), convnet: published('convnet') });
  const server = await workplace.parley(cores?.server, options.profile);
  const saturate = workplace.generator(cores?.generator);
  const times = { connections: CONNECTIONS, durationMs: Math.max(2, options.seconds) * 1000, warmUpMs: 200 };
  const heavyTimes = { connections: HEAVY_CONNECTIONS, durationMs: 10 * times.durationMs, warmUpMs: 0 };
  await measure(light.predict, server, { ...times, durationMs: 100, warmUpMs: 1_500 });
  await saturate(heavy.predict, server, { ...heavyTimes, durationMs: 1_000 });
  const samples = [];
  for (let round = 1; round <= options.rounds; round++) {
    note(`round ${round} of ${options.rounds}`);
    const quiet = await measure(light.predict, server, times);
    samples.push({ round, side: 'quiet', ...figuresOf(quiet) });
    const enough = new AbortController();
    const load = saturate(heavy.predict, server, heavyTimes, enough.signal);
    await new Promise((resolve) => setTimeout(resolve, SATURATED_MS));
    const both = await measure(light.predict, server, times);
    enough.abort();
    samples.push({ round, side: 'beside', ...figuresOf(both) }, { round, side: 'convnet', ...figuresOf(await load) });
  }
  return {
    sides: Object.fromEntries(['quiet', 'beside', 'convnet'].map((side) => [side, medians(samples, side)])),
    samples,
    notes: ["CPU of the quiet side is the server's for one call; the others share the time"],
  };
}
