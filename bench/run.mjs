/** The benchmark from start to end: servers up, rounds in turn, the report, everything down. */
import { CASES } from './cases.mjs';
import * as logistic from './logistic.mjs';
import { readOptions } from './options.mjs';
import { report } from './report.mjs';
import { twoCores, Workplace } from './servers.mjs';

const WARM_UP_MS = 2_000;
/** Before each measurement: connections open, caches are refilled after the other side's turn. */
const LEAD_IN_MS = 200;

const options = readOptions();
const workplace = new Workplace();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    interrupted = true;
    await workplace.close();
    process.exit(130);
  });
}
try {
  await main();
} catch (error) {
  if (!interrupted) note(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await workplace.close();
}

async function main() {
  const cores = twoCores();
  if (cores === undefined)
    note('no taskset or no second core: server and generator share what there is, so figures scatter more');
  note('preparing models');
  await workplace.preparePenguins();
  await workplace.prepare({ [logistic.NAME]: logistic.envelope() });
  const servers = {
    parley: await workplace.parley(cores?.server, options.profile),
    stock: await workplace.stock(cores?.server),
  };
  const measure = workplace.generator(cores?.generator);
  const run = async (name, connections, durationMs, warmUpMs) => {
    const { load, server } = CASES[name];
    const result = await measure(load, servers[server], { connections, durationMs, warmUpMs });
    const { perSecond, serverUs, serverBusy, generatorBusy, latency, errors } = result;
    if (Object.keys(errors).length > 0) throw new Error(`${name}: ${JSON.stringify(errors)}`);
    return { perSecond, cpuUs: serverUs, p50Us: latency.p50Us, p99Us: latency.p99Us, serverBusy, generatorBusy };
  };
  for (const name of options.cases) await run(name, 8, 100, WARM_UP_MS);
  const samples = [];
  for (let round = 1; round <= options.rounds; round++) {
    note(`round ${round} of ${options.rounds}`);
    for (const connections of options.connections) {
      for (const name of options.cases)
        samples.push({
          round,
          name,
          connections,
          ...(await run(name, connections, options.seconds * 1000, LEAD_IN_MS)),
        });
    }
  }
  report(samples, options, cores !== undefined);
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
