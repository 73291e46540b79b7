/**
 * How much of what a server can answer it still answers under more load than it can bear. See --help.
 *
 * First a load far above what can be borne finds the most that is answered in a second; then loads that are multiples
 * of it, in turn.
 */
import { fork, spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { serialize } from '../dist/model-types/tabular-classifier/serializer.js';
import { GraphBuilder } from '../dist/onnx/graph.js';
import * as logistic from './logistic.mjs';
import { twoCores, Workplace } from './servers.mjs';
import { binary, call, I32, I64, int, LIST, list, long, STRING, STRUCT, struct, text } from './wire.mjs';

const HELP = `Usage: bench/overload [options]

Open-loop load on one model, at multiples of the most that it answers. Prints, for each: calls sent and answered in a
second, in time and late, refused at once (OVERLOADED), expired in the queue, and the answers' latency from when they were
due. Needs dist/ (node scripts/build.mjs).

  --model NAME         logistic, or dense: about as slow as 500 trees (default logistic)
  --connections N      (default 64)
  --timeout MS         every call's timeout_ms (default 100)
  --loads LIST         multiples of the most that is answered (default 0.8,1,2,3)
  --base N             calls in a second that count as 1 (default: measured)
  --seconds N          of each load (default 5)
`;
const FLOAT32 = 1;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'logistic' },
    connections: { type: 'string', default: '64' },
    timeout: { type: 'string', default: '100' },
    loads: { type: 'string', default: '0.8,1,2,3' },
    base: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});

/** Two layers of 160 numbers: about 20 µs a row. */
function dense() {
  const width = 160,
    graph = new GraphBuilder();
  const matrix = (name, rows, columns) =>
    graph.constant(name, {
      dataType: 'float32',
      shape: [rows, columns],
      data: Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) / 10),
    });
  let value = graph.input(logistic.INPUT, 'float32', [-1, logistic.FEATURES]);
  for (let layer = 0, from = logistic.FEATURES; layer < 8; layer++, from = width)
    value = graph.node('Tanh', [graph.node('MatMul', [value, matrix(`w${layer}`, from, width)])]);
  const sums = graph.node('MatMul', [value, matrix('last', width, 2)]);
  graph.output(logistic.OUTPUT, graph.node('Softmax', [sums], { axis: 1 }), 'float32', [-1, 2]);
  return serialize({
    modelType: 'tabular-classifier',
    graph: graph.serialize(),
    signature: {
      inputs: [{ name: logistic.INPUT, dataType: 'float32', shape: [-1, logistic.FEATURES] }],
      outputs: [{ name: logistic.OUTPUT, dataType: 'float32', shape: [-1, 2] }],
    },
    metadata: { classes: ['no', 'yes'] },
  });
}

function frameOf(timeoutMs) {
  const row = Buffer.from(logistic.ROW.buffer);
  const tensor = struct(
    [STRING, 1, text(logistic.INPUT)],
    [I32, 2, int(FLOAT32)],
    [LIST, 3, list(I64, [long(1), long(logistic.FEATURES)])],
    [STRING, 5, binary(row)],
  );
  const context = timeoutMs > 0 ? [[STRUCT, 1, struct([I32, 2, int(timeoutMs)])]] : [];
  const frame = call(
    'predict',
    struct([STRUCT, 1, struct(...context, [STRING, 2, text(logistic.NAME)], [LIST, 6, list(STRUCT, [tensor])])]),
  );
  return { frame: frame.toString('base64'), noiseAt: frame.indexOf(row) };
}

async function main() {
  const cores = twoCores(),
    workplace = new Workplace();
  const generator = fork(new URL('overload-load.mjs', import.meta.url));
  if (cores !== undefined) spawnSync('taskset', ['-a', '-p', '-c', String(cores.generator), String(generator.pid)]);
  const ask = (order) =>
    new Promise((resolve, reject) => {
      generator.once('message', ({ result, error }) => (error === undefined ? resolve(result) : reject(error)));
      generator.send(order);
    });
  try {
    const { close } = await workplace.prepareSwaps([values.model === 'dense' ? dense() : logistic.envelope()]);
    await close();
    const server = await workplace.parley(cores?.server, process.env.PROFILE);
    const timeoutMs = Number(values.timeout);
    const common = {
      ...server,
      ...frameOf(timeoutMs),
      timeoutMs,
      connections: Number(values.connections),
      warmUpMs: 1_500,
    };
    const windowMs = Number(values.seconds) * 1000;
    let base = Number(values.base ?? 0);
    for (let rate = values.model === 'dense' ? 10_000 : 20_000; values.base === undefined; rate *= 1.25) {
      const found = await ask({ ...common, rate, windowMs: 2_000 });
      const perSecond = (found.answered - found.late) / found.seconds;
      base = Math.max(base, perSecond);
      if (perSecond < rate * 0.97) break;
    }
    process.stdout.write(`${values.model}, timeout ${timeoutMs} ms: at most ${Math.round(base)}/s\n`);
    for (const load of values.loads.split(',').map(Number)) {
      const found = await ask({ ...common, rate: base * load, windowMs });
      const { seconds, cpuSeconds } = found,
        per = (n) => Math.round(n / seconds);
      process.stdout.write(
        `${load} ×: sent ${per(found.sent)}, in time ${per(found.answered - found.late)} (${((100 * (found.answered - found.late)) / seconds / base).toFixed(0)} %), late ${per(found.late)}, overloaded ${per(found.overloaded)}, expired ${per(found.expired)}, other ${per(found.other)}; p50 ${found.p50Ms?.toFixed(1)} ms, p99 ${found.p99Ms?.toFixed(1)} ms; server busy ${((100 * cpuSeconds) / seconds).toFixed(0)} %, ${((cpuSeconds * 1e6) / found.answered).toFixed(1)} µs of it an answer\n`,
      );
    }
  } finally {
    generator.disconnect();
    await workplace.close();
  }
}

if (values.help) process.stdout.write(HELP);
else await main();
