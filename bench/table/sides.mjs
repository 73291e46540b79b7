/** The servers of a row: Parley, and what people would use instead. Each is started once and measured in every round. */
import * as logistic from '../logistic.mjs';
import { median } from '../report.mjs';
import { pythonMissing } from '../servers.mjs';
import { floats, MODELS, penguins } from '../workloads.mjs';

const WARM_UP_MS = 1_500;
/** Before each measurement: connections open, caches are refilled after the other side's turn. */
const LEAD_IN_MS = 200;

/** What a store is given: the logistic model with its type, the others as plain graphs. */
export const published = (name) => (name === 'logistic' ? logistic.envelope() : MODELS[name].graph());

/** A model's load for each side, and what must be known of its graph. */
export async function workloadOf(workplace, model, rows) {
  if (model !== 'penguins') {
    const { input, output, row } = MODELS[model];
    const load = await floats(model, rows);
    return { ...load, graph: { file: workplace.file(`${model}.onnx`, MODELS[model].graph()), input, output, row } };
  }
  await workplace.preparePenguins();
  return { ...penguins(), graph: { file: await workplace.exportPenguins() } };
}

/** Starts a rival. @returns `{ server, load }`, or `{ missing }` */
export const RIVALS = {
  fastapi: (workplace, core, work) => python(workplace, core, work, 'fastapi_raw', 'raw'),
  asgi: (workplace, core, work) => python(workplace, core, work, 'asgi_raw', 'raw'),
  typed: (workplace, core, work) => python(workplace, core, work, 'fastapi_typed', 'json'),
  stock: async (workplace, core, work) => {
    const { provenance: _, ...load } = work.predict;
    return { server: await workplace.stock(core, work.graph), load };
  },
};

async function python(workplace, core, { graph, raw, json }, app, body) {
  const missing = pythonMissing();
  if (missing !== undefined) return { missing };
  const env = { MODEL: graph.file, OUTPUT: graph.output ?? '' };
  return { server: await workplace.python(core, app, env), load: body === 'raw' ? raw : json };
}

/**
 * The sides take turns for so many rounds.
 *
 * @param sides name to `{ server, load, connections }` or to a function that measures in its own way
 * @returns name to the medians, and all samples
 */
export async function inTurn({ options, note, measure }, sides) {
  const names = Object.keys(sides),
    samples = [];
  const run = (side, times) =>
    typeof side === 'function' ? side(times) : one(measure, side, { connections: side.connections, ...times });
  for (const name of names)
    if (typeof sides[name] !== 'function') await run(sides[name], { durationMs: 100, warmUpMs: WARM_UP_MS });
  for (let round = 1; round <= options.rounds; round++) {
    note(`round ${round} of ${options.rounds}`);
    for (const name of names) {
      const times = { durationMs: options.seconds * 1000, warmUpMs: LEAD_IN_MS };
      samples.push({ round, side: name, ...(await named(name, run(sides[name], times))) });
    }
  }
  return { sides: Object.fromEntries(names.map((name) => [name, medians(samples, name)])), samples };
}

async function named(side, measurement) {
  try {
    return await measurement;
  } catch (error) {
    throw new Error(`${side}: ${error.message}`, { cause: error });
  }
}

/** A measurement in which every call must be answered. */
export async function one(measure, { server, load }, options) {
  const result = await measure(load, server, options);
  if (result.failed.count > 0) throw new Error(`calls failed: ${JSON.stringify([result.errors, result.messages])}`);
  return figuresOf(result);
}

export function figuresOf({ perSecond, serverUs, serverBusy, generatorBusy, latency, errors }) {
  const { p50Us, p99Us, p999Us, maxUs } = latency;
  return { perSecond, cpuUs: serverUs, p50Us, p99Us, p999Us, maxUs, serverBusy, generatorBusy, errors };
}

export function medians(samples, side) {
  const mine = samples.filter((sample) => sample.side === side);
  const numbers = Object.keys(mine[0]).filter((key) => typeof mine[0][key] === 'number' && key !== 'round');
  return Object.fromEntries(numbers.map((key) => [key, median(mine.map((sample) => sample[key]))]));
}
