/** Closed loops: as many calls as are answered, of Parley and of each rival in turn. */
import { MODELS } from '../workloads.mjs';
import { inTurn, published, RIVALS, workloadOf } from './sides.mjs';

/** @returns the row's measurement. @param leastSeconds of one measurement, where calls are slow */
export function bursts({ model, rows = 1, connections, rivals, leastSeconds = 0 }) {
  return async (context) => {
    const { workplace, cores, options } = context;
    const missing = MODELS[model]?.missing?.();
    if (missing !== undefined) return { missing };
    const work = await workloadOf(workplace, model, rows);
    if (model !== 'penguins') await workplace.prepare({ [model]: published(model) });
    const parley = await workplace.parley(cores?.server, options.profile);
    const sides = { parley: { server: parley, load: work.predict, connections } },
      left = [];
    for (const name of rivals.filter((each) => each !== 'runtime')) {
      const side = await RIVALS[name](workplace, cores?.server, work);
      if (side.missing === undefined) sides[name] = { ...side, connections };
      else left.push(side.missing);
    }
    if (rivals.includes('runtime')) sides.runtime = runtimeOf(workplace, cores?.server, work.graph, rows);
    const seconds = Math.max(leastSeconds, options.seconds);
    const measured = await inTurn({ ...context, options: { ...options, seconds } }, sides);
    return { ...measured, rows, notes: [...new Set(left)] };
  };
}

/** The runtime called directly from Node, in a process of its own on the servers' core. */
export const runtimeOf = (workplace, core, graph, rows) => async (times) => {
  const told = JSON.stringify({ ...graph, rows, seconds: times.durationMs / 1000 / 2 });
  const { perSecond, cpuUs, binding } = await workplace.outcome(core, ['bench/runtime-loop.mjs', told]);
  return { perSecond: Math.max(perSecond, binding.perSecond), cpuUs: Math.min(cpuUs, binding.cpuUs) };
};
