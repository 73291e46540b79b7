/** bench/start from start to end: two stores with one small model, servers one after the other, the medians, everything down. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuTimeUs } from '../dist/load/cpu-time.js';
import { openStore } from '../dist/store/connect.js';
import { CASES } from './cases.mjs';
import * as logistic from './logistic.mjs';
import { residentMegabytes } from './registry-cases.mjs';
import { printTable, quantile } from './report.mjs';
import { Workplace } from './servers.mjs';
import { firstAnswer } from './table/startup.mjs';

const HELP = `Usage: bench/start [options]

Starts "parley serve" with one small model (logistic, 30 numbers) again and again, beside "node -e 0", and prints medians:
milliseconds from the start of the process until it says that it listens, and until it has answered its first call (in
which it loads the model), its CPU time until and its resident memory then. Once with a Redis that runs, once with the embedded one, which is
started and stopped each time. Needs dist/ (node scripts/build.mjs) and redis-server.

  --rounds N       of each in turn (default 15)
  --processes N    serving processes (default 1)
  --main FILE      another build's dist/main.js, in turn with this one's
  --json           one line of JSON instead of the table: every figure of every round
  --help
`;
const OWN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const options = readOptions();
const workplace = new Workplace();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await workplace.close();
    process.exit(130);
  });
try {
  await main();
} finally {
  await workplace.close();
}

function readOptions() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      rounds: { ...text, default: '15' },
      processes: { ...text, default: '1' },
      main: text,
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  return { ...values, rounds: Number(values.rounds) };
}

async function main() {
  const busyBefore = loadavg()[0];
  const models = { [logistic.NAME]: logistic.envelope() };
  await workplace.prepare(models);
  const redis = await ownRedis();
  try {
    await workplace.prepare(models, redis.socket);
    const sides = Object.entries({
      'node -e 0': bareNode,
      ...starts('parley', OWN, redis.socket),
      ...(options.main === undefined ? {} : starts('other build', options.main, redis.socket)),
    });
    const samples = [];
    for (let round = 0; round < options.rounds; round++)
      for (const [name, start] of sides) samples.push({ round, name, ...(await start()) });
    report(samples, [busyBefore, loadavg()[0]]);
  } finally {
    await redis.stop();
  }
}

function starts(name, file, socket) {
  return {
    [`${name}, Redis runs`]: () => server(file, ['--redis', socket]),
    [`${name}, embedded`]: () => server(file, ['--data-dir', workplace.folder]),
  };
}

async function bareNode() {
  const begun = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return { listeningMs: performance.now() - begun };
}

/** One server's life. */
async function server(file, where) {
  const args = [file, 'serve', '--port', '0', '--json', ...where];
  if (options.processes !== '1') args.push('--processes', options.processes);
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  try {
    const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
    if (typeof line[0] !== 'string') throw new Error(`parley serve ended with ${line[0]}`);
    const listeningMs = performance.now() - begun;
    const { thrift, processes = [child.pid] } = JSON.parse(line[0]);
    await firstAnswer(thrift, CASES.predict.load);
    const answerMs = performance.now() - begun;
    const pids = [...new Set([child.pid, ...processes])];
    const sum = (of) => pids.reduce((total, pid) => total + of(pid), 0);
    return { listeningMs, answerMs, cpuMs: cpuTimeUs(child.pid) / 1000, megabytes: sum(residentMegabytes) };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function ownRedis() {
  const socket = join(workplace.folder, 'bench.sock');
  const settings = { port: '0', unixsocket: socket, save: '', appendonly: 'no', dir: workplace.folder };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  for (let tries = 0; ; tries++) {
    try {
      await (await openStore({ redisUrl: socket, dataFolder: workplace.folder })).close();
      break;
    } catch (error) {
      if (tries === 50) throw error;
      await setTimeout(50);
    }
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { socket, stop };
}

function report(samples, load) {
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version, load };
  if (options.json) {
    console.log(JSON.stringify({ at: new Date().toISOString(), machine, ...options, samples }));
    return;
  }
  const shown = load.map((each) => each.toFixed(1)).join(' to ');
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; load ${shown}; ${options.rounds} rounds\n`,
  );
  const rows = [...new Set(samples.map(({ name }) => name))].map((name) => {
    const mine = samples.filter((sample) => sample.name === name);
    const of = (field, q) =>
      mine[0][field] === undefined
        ? ''
        : quantile(
            mine.map((sample) => sample[field]),
            q,
          ).toFixed(0);
    return [
      name,
      of('listeningMs', 0.5),
      of('answerMs', 0.5),
      of('answerMs', 0),
      of('answerMs', 0.9),
      of('cpuMs', 0.5),
      of('megabytes', 0.5),
    ];
  });
  printTable([['ms, medians', 'listening', 'first answer', 'best', '9 of 10', 'CPU ms', 'MB resident'], ...rows], 0);
}
