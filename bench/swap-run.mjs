/** bench/swaps from start to end: one server, quiet and stormy windows in turn, every answer checked. */
import { parseArgs } from 'node:util';
import * as logistic from './logistic.mjs';
import { moveAbout } from './moves.mjs';
import { median, quantile } from './report.mjs';
import { IDLE, twoCores, Workplace } from './servers.mjs';
import { SWAPPED, swapped } from './workloads.mjs';

const HELP = `Usage: bench/swaps [options]

Moves the production alias of a logistic model between three versions, by promotes and rollbacks in turn, while closed-loop
callers ask for one row after the other. Each answer is decoded: it must be the answer of exactly the version that its
provenance names. Three windows take turns: quiet, elsewhere (the same moves, of a model that nobody calls), and storm.
What elsewhere costs is Redis's and the mover's, who have no core of their own. Medians over the rounds are printed, and the
median of the rounds' own ratios of p99, since a round's windows are what other programs disturb alike.
Needs dist/ (node scripts/build.mjs).

  --swaps N            in all (default 1000)
  --rate N             swaps a second (default 20)
  --rounds N           (default 20)
  --connections N      (default 8)
  --profile FOLDER     the server writes a CPU profile there when it stops
  --json               every figure of every window
  --help
`;

const LEAD_IN_MS = 200;
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    swaps: { ...text, default: '1000' },
    rate: { ...text, default: '20' },
    rounds: { ...text, default: '20' },
    connections: { ...text, default: '8' },
    profile: text,
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const workplace = new Workplace();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => workplace.close().then(() => process.exit(130)));
try {
  if (values.help) process.stdout.write(HELP);
  else await main();
} finally {
  await workplace.close();
}

async function main() {
  const [swaps, rate, rounds, connections] = ['swaps', 'rate', 'rounds', 'connections'].map((name) =>
    Number(values[name]),
  );
  const perRound = Math.ceil(swaps / rounds),
    windowMs = (perRound / rate) * 1000;
  const cores = twoCores();
  const mover = await workplace.prepareSwaps(SWAPPED.map(({ envelope }) => envelope));
  const server = await workplace.parley(cores?.server, values.profile);
  const measure = workplace.generator(cores?.generator);
  const load = (await swapped()).predict;
  const run = async (durationMs) => {
    const result = await measure(load, server, { connections, durationMs, warmUpMs: LEAD_IN_MS });
    if (result.failed.count > 0) throw new Error(`calls failed: ${JSON.stringify(result.messages)}`);
    const { answered, perSecond, serverUs, latency, found } = result;
    const { p50Us, p99Us } = latency;
    return { requests: answered, perSecond, cpuUs: serverUs, p50Us, p99Us, firstsUs: found.firstsUs };
  };
  await run(2_000);
  const samples = [];
  let made = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      const quiet = await run(windowMs);
      const during = async (model) =>
        (
          await Promise.all([
            run(windowMs),
            moveAbout(mover.registry, model, { count: perRound, rate, before: made, leadInMs: LEAD_IN_MS }),
          ])
        )[0];
      const elsewhere = await during(IDLE),
        storm = await during(logistic.NAME);
      made += perRound;
      samples.push({ round, quiet, elsewhere, storm });
    }
  } finally {
    await mover.close();
  }
  report(samples, made, { rate, connections, windowMs });
}

function report(samples, made, options) {
  const firsts = samples.flatMap(({ storm }) => storm.firstsUs).sort((a, b) => a - b);
  const rows = ['quiet', 'elsewhere', 'storm'].map((kind) => {
    const of = (key) => median(samples.map((sample) => sample[kind][key]));
    return { kind, perSecond: of('perSecond'), p50Us: of('p50Us'), p99Us: of('p99Us'), cpuUs: of('cpuUs') };
  });
  const summary = {
    swaps: made,
    ...options,
    answers: samples.reduce(
      (sum, { quiet, elsewhere, storm }) => sum + quiet.requests + elsewhere.requests + storm.requests,
      0,
    ),
    rows,
    p99Ratios: {
      quiet: ratios(samples, 'quiet'),
      elsewhere: ratios(samples, 'elsewhere'),
    },
    firsts: {
      count: firsts.length,
      p50Us: firsts.length === 0 ? 0 : quantile(firsts, 0.5),
      p99Us: firsts.length === 0 ? 0 : quantile(firsts, 0.99),
    },
  };
  if (values.json) {
    console.log(JSON.stringify({ ...summary, samples }));
    return;
  }
  console.log(
    `${made} swaps at ${options.rate} a second, ${options.connections} connections, ${summary.answers} answers, 0 failed or wrong`,
  );
  for (const { kind, perSecond, p50Us, p99Us, cpuUs } of rows)
    console.log(
      `${kind}: ${Math.round(perSecond)}/s, p50 ${Math.round(p50Us)} us, p99 ${Math.round(p99Us)} us, CPU ${cpuUs.toFixed(1)} us`,
    );
  for (const [kind, all] of Object.entries(summary.p99Ratios))
    console.log(
      `p99 of the storm / ${kind}: ${median(all).toFixed(2)} (by round ${all.map((each) => each.toFixed(2)).join(', ')})`,
    );
  console.log(
    `first answers of a version, per connection: ${firsts.length}, p50 ${summary.firsts.p50Us} us, p99 ${summary.firsts.p99Us} us`,
  );
}

function ratios(samples, kind) {
  return samples.map((sample) => sample.storm.p99Us / sample[kind].p99Us);
}
