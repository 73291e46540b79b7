/** From the start of the process to the first answer, and what it has in memory then. */
import { readFileSync } from 'node:fs';
import { pythonMissing } from '../servers.mjs';
import { medians, published, RIVALS, workloadOf } from './sides.mjs';

export async function startup({ workplace, cores, options, note, measure }) {
  const work = await workloadOf(workplace, 'logistic', 1);
  const redis = await workplace.redis();
  await workplace.prepare({ logistic: published('logistic') });
  await workplace.prepare({ logistic: published('logistic') }, redis);
  const parley = (more) => async () => ({
    server: await workplace.parley(cores?.server, undefined, more),
    load: work.predict,
  });
  const starts = { parley: parley(['--redis', redis]), embedded: parley([]) };
  const missing = pythonMissing();
  if (missing === undefined) starts.fastapi = () => RIVALS.fastapi(workplace, cores?.server, work);
  const samples = [];
  for (let round = 1; round <= options.rounds; round++) {
    note(`round ${round} of ${options.rounds}`);
    for (const [side, start] of Object.entries(starts)) samples.push({ round, side, ...(await once(start, measure)) });
  }
  return {
    sides: Object.fromEntries(Object.keys(starts).map((side) => [side, medians(samples, side)])),
    samples,
    notes: ['parley: with a Redis that runs already; embedded: with one that it starts', ...(missing ? [missing] : [])],
  };
}

async function once(start, measure) {
  const begin = performance.now();
  const { server, load } = await start();
  const { startMs } = await firstAnswer(measure, load, server, begin);
  const residentMb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'latin1'))[1]) / 1000;
  await server.stop();
  return { startMs, residentMb };
}

/** One call on one connection, by a generator that runs already. */
async function firstAnswer(measure, load, server, begin) {
  const result = await measure(load, server, { connections: 1, rate: 1, warmUpMs: 0, durationMs: 50, drainMs: 10_000 });
  if (result.latency.count !== 1)
    throw new Error(`the first call was not answered: ${JSON.stringify(result.messages)}`);
  return { startMs: performance.now() - begin - Math.max(0, result.windowMs - result.latency.maxUs / 1000) };
}
