/** bench/registry from start to end: a store and servers of its own, rounds in turn, the report, everything down. */
import { cpus, loadavg, release } from 'node:os';
import { Registry } from '../dist/registry/registry.js';
import { openStore } from '../dist/store/connect.js';
import { moves, place, residentMegabytes, smallEnvelope, timed, transfer } from './registry-cases.mjs';
import { readOptions } from './registry-options.mjs';
import { median, printTable, quantile } from './report.mjs';
import { Workplace } from './servers.mjs';

const options = readOptions();
const workplace = new Workplace();
let store;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    interrupted = true;
    await cleanUp();
    process.exit(130);
  });
}
try {
  await main();
} catch (error) {
  if (!interrupted) note(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

async function cleanUp() {
  await store?.close().catch(() => {});
  await workplace.close();
}

async function main() {
  const busyBefore = loadavg()[0];
  store = await openStore({ dataFolder: workplace.folder });
  const here = { store, registry: new Registry(store, 'bench') };
  const transfers = await transferAll(here);
  note('promotions');
  const server = await workplace.parley();
  const moved = await moves(here, server, options.moves);
  await server.stop();
  note('start of a server');
  const start = await starts(here);
  report({ transfers, moved, start, load: [busyBefore, loadavg()[0]] });
}

/** Rounds of the sizes in turn, the smallest first. */
async function transferAll(here) {
  const samples = [];
  for (let round = 0; round < Math.max(...options.rounds); round++)
    for (const [i, megabytes] of options.sizes.entries()) {
      if (round >= options.rounds[i]) continue;
      note(`${megabytes} MB, round ${round + 1} of ${options.rounds[i]}`);
      samples.push({ megabytes, ...(await transfer(here, megabytes, round)) });
    }
  return samples;
}

/** @returns milliseconds until ready and resident megabytes, without models and with them */
async function starts(here) {
  const one = async () => {
    const [ms, server] = await timed(() => workplace.parley());
    const megabytes = residentMegabytes(server.pid);
    await server.stop();
    return { ms, megabytes };
  };
  const few = await one();
  for (let i = 0; i < options.models; i++) await place(here.store, `small${i}`, smallEnvelope(100 + i), true);
  return { few, many: await one() };
}

function report({ transfers, moved, start, load }) {
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version, load };
  if (options.json) {
    console.log(JSON.stringify({ at: new Date().toISOString(), machine, ...options, transfers, moved, start }));
    return;
  }
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; load ${load.map((each) => each.toFixed(1)).join(' to ')}\n`,
  );
  printTable(
    [
      ['MB', 'rounds', 'SET MB/s', 'publish MB/s', 'ratio', 'GET MB/s', 'load MB/s', 'ratio', 'runtime'],
      ...options.sizes.map((megabytes) => {
        const mine = transfers.filter((sample) => sample.megabytes === megabytes);
        const of = (field) => median(mine.map((sample) => sample[field]));
        const ratio = (one, other) => median(mine.map((sample) => sample[one] / sample[other])).toFixed(2);
        const rate = (field) => of(field).toFixed(0);
        return [
          String(megabytes),
          String(mine.length),
          rate('set'),
          rate('publish'),
          ratio('publish', 'set'),
          rate('get'),
          rate('load'),
          ratio('load', 'get'),
          `${Math.round(of('runtimeShare') * 100)} %`,
        ];
      }),
    ],
    0,
  );
  console.log('\nruntime: of the loading, what onnxruntime takes for the session of bytes that are in memory.\n');
  const row = (name, values) => [name, ...[0.5, 0.99].map((q) => `${quantile(values, q).toFixed(2)} ms`)];
  printTable(
    [
      ['', 'p50', 'p99'],
      row(
        'promote',
        moved.map((each) => each.promote),
      ),
      row(
        'seen',
        moved.map((each) => each.seen),
      ),
    ],
    0,
  );
  const told = ({ ms, megabytes }) => `ready after ${ms.toFixed(0)} ms, ${megabytes.toFixed(0)} MB resident`;
  console.log(`\na server with one model: ${told(start.few)}`);
  console.log(`with ${options.models} more of 10 KB: ${told(start.many)}`);
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
