/** bench/serving from start to end: row by row, each in a workplace of its own. */
import { twoCores, Workplace } from '../servers.mjs';
import { readOptions } from './options.mjs';
import { judged, machine, printRow, printSummary } from './print.mjs';

const options = readOptions();
let workplace;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, async () => {
    interrupted = true;
    await workplace?.close();
    process.exit(130);
  });
}
await main();

async function main() {
  const cores = twoCores(),
    about = { at: new Date().toISOString(), machine: machine(cores !== undefined) };
  if (cores === undefined)
    note('no taskset or no second core: server and generator share what there is, so figures scatter more');
  if (!options.json) {
    const { cpu, cores: count, node } = about.machine;
    console.log(`${cpu}, ${count} cores, Node ${node}; ${options.rounds} rounds of ${options.seconds} s, medians`);
  }
  const results = [];
  for (const row of options.rows) {
    const result = await measured(row, cores);
    if (interrupted) return;
    if (result === undefined) continue;
    results.push(result);
    if (!options.json) printRow(result);
  }
  if (options.json) console.log(JSON.stringify({ ...about, ...options, rows: undefined, results }));
  else printSummary(results);
}

/** A row that fails is told, and the others are measured. */
async function measured({ name, title, measure, bars }, cores) {
  note(name);
  workplace = new Workplace();
  try {
    const context = { workplace, cores, options, note: (text) => note(`${name}: ${text}`) };
    const found = await measure({ ...context, measure: workplace.generator(cores?.generator) });
    return { name, title, ...found, judgements: found.missing === undefined ? judged({ bars }, found.sides) : [] };
  } catch (error) {
    if (interrupted) return undefined;
    note(`error: ${name}: ${error.message}`);
    process.exitCode = 1;
    return undefined;
  } finally {
    await workplace.close();
  }
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
