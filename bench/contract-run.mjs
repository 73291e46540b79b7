/** bench/contract from start to end: frames, rounds in turn, the table, the bars. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { readOptions } from './contract-options.mjs';
import { callsOf, generatedSide, parleySide } from './contract-sides.mjs';
import { median, printTable } from './report.mjs';

const PROTOCOLS = ['binary', 'compact'];
/** What batches of this many rows must keep. */
const BARS = { rows: 1_000, fieldsPerSecond: 30e6, ratio: 5 };
/** So many calls take turns, no two alike. */
const CALLS = 16;

const options = readOptions();
const folder = mkdtempSync(join('dist', 'stubs-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const sides = { parley: await parleySide(), generated: generatedSide(folder) };
  const calls = options.rows.flatMap((rows) =>
    PROTOCOLS.map((protocol) => ({ protocol, rows, calls: callsOf(protocol, rows, CALLS) })),
  );
  // Compiled before anything counts, with all that the code will meet.
  for (const call of calls) for (const side of Object.values(sides)) measure(side[call.protocol], call, 200);
  const samples = [];
  for (let round = 1; round <= options.rounds; round++)
    for (const call of calls) {
      const { protocol, rows } = call;
      const parley = measure(sides.parley[protocol], call, options.ms),
        generated = measure(sides.generated[protocol], call, options.ms);
      samples.push({ round, protocol, rows, parley, generated, ratio: parley / generated });
    }
  report(samples);
}

/** @returns fields a second of processor time */
function measure(read, { calls, rows }, ms) {
  const begin = process.cpuUsage();
  let fields = 0,
    us = 0;
  do {
    // About 1,000 rows between two looks at the clock.
    for (let repeat = Math.max(1, Math.round(1_000 / rows / CALLS)); repeat > 0; repeat--)
      for (const call of calls) {
        if (read(call.message) !== rows) throw new Error(`${rows} rows were sent, and others were read`);
        fields += call.fields;
      }
    const { user, system } = process.cpuUsage(begin);
    us = user + system;
  } while (us < ms * 1_000);
  return fields / (us / 1e6);
}

function report(samples) {
  const medians = options.rows.flatMap((rows) =>
    PROTOCOLS.map((protocol) => {
      const mine = samples.filter((sample) => sample.rows === rows && sample.protocol === protocol);
      const of = (figure) => median(mine.map((sample) => sample[figure]));
      return { rows, protocol, parley: of('parley'), generated: of('generated'), ratio: of('ratio') };
    }),
  );
  const missed = medians.filter(
    ({ rows, parley, ratio }) => rows === BARS.rows && (parley < BARS.fieldsPerSecond || ratio < BARS.ratio),
  );
  if (missed.length > 0) process.exitCode = 1;
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  if (options.json) {
    console.log(JSON.stringify({ at: new Date().toISOString(), machine, ...options, bars: BARS, medians, samples }));
    return;
  }
  console.log(
    `${machine.cpu}, Node ${machine.node}; ${options.rounds} rounds of ${options.ms} ms of processor time, medians\n`,
  );
  const millions = (perSecond) => (perSecond / 1e6).toFixed(1);
  printTable([
    ['rows', 'protocol', 'Parley, M fields/s', 'µs a row', 'generated', 'µs a row', 'ratio', ''],
    ...medians.map(({ rows, protocol, parley, generated, ratio }) => {
      const fields = callsFields(rows, protocol);
      const judged = rows === BARS.rows;
      const kept = parley >= BARS.fieldsPerSecond && ratio >= BARS.ratio;
      return [
        String(rows),
        protocol,
        millions(parley),
        ((fields / parley) * 1e6).toFixed(3),
        millions(generated),
        ((fields / generated) * 1e6).toFixed(3),
        `${ratio.toFixed(1)} ×`,
        judged ? (kept ? 'kept' : 'MISSED') : '',
      ];
    }),
  ]);
  console.log(
    `\nBars of calls of ${BARS.rows} rows: ${millions(BARS.fieldsPerSecond)} M fields/s, ${BARS.ratio} × the generated reader.`,
  );
}

/** Fields of a row, on average. */
function callsFields(rows, protocol) {
  const calls = callsOf(protocol, rows, CALLS);
  return calls.reduce((sum, { fields }) => sum + fields, 0) / (CALLS * rows);
}
