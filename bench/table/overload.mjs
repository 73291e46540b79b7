/** Twice what can be borne: as many answers as at the most, in time, and a quick refusal for the rest. */
import { floats } from '../workloads.mjs';
import { figuresOf, published } from './sides.mjs';

const TIMEOUT_MS = 200;
const CONNECTIONS = 64,
  MOST_IN_FLIGHT = 1024;
const SECONDS = 120,
  QUICK_SECONDS = 4;
/** What is kept waiting while the most that can be answered is looked for: enough for full batches, below any queue's bound. */
const SEARCH_IN_FLIGHT = 2;

export async function overload({ workplace, cores, options, note, measure }) {
  await workplace.prepare({ dense: published('dense') });
  const server = await workplace.parley(cores?.server, options.profile);
  const { predict: plain } = await floats('dense', 1),
    { predict: timed } = await floats('dense', 1, { timeoutMs: TIMEOUT_MS });
  const search = { connections: CONNECTIONS, inFlight: SEARCH_IN_FLIGHT, durationMs: options.seconds * 1000 };
  await measure(plain, server, { ...search, durationMs: 500, warmUpMs: 1_500 });
  const found = [];
  for (let round = 1; round <= options.rounds; round++) {
    note(`the most that is answered, round ${round} of ${options.rounds}`);
    found.push(await measure(plain, server, search));
  }
  const most = found.sort((a, b) => a.perSecond - b.perSecond)[found.length >> 1];
  const rate = 2 * most.perSecond,
    seconds = options.quick ? QUICK_SECONDS : SECONDS;
  note(`${Math.round(rate)} calls a second for ${seconds} s, timeout ${TIMEOUT_MS} ms`);
  const result = await measure(timed, server, {
    connections: CONNECTIONS,
    inFlight: MOST_IN_FLIGHT / 2,
    rate,
    warmUpMs: 2_000,
    durationMs: seconds * 1000,
    drainMs: 5_000,
  });
  const twice = twiceOf(result);
  return { sides: { bearable: figuresOf(most), twice }, samples: [...found, result], notes: notesOf(twice, result) };
}

function twiceOf(result) {
  const { OVERLOADED = 0, ...others } = result.errors,
    calls = result.latency.count + result.failed.count;
  return {
    ...figuresOf(result),
    rate: (calls / result.windowMs) * 1000,
    overloadedShare: OVERLOADED / calls,
    otherErrors: Object.values(others).reduce((sum, count) => sum + count, 0),
    refusedP99Us: result.failed.p99Us,
    timeoutUs: TIMEOUT_MS * 1000,
    latePOf99Us: result.late.p99Us,
  };
}

const notesOf = ({ overloadedShare, refusedP99Us, rate, latePOf99Us }, { errors }) => [
  `${Math.round(rate)} calls/s were due; errors ${JSON.stringify(errors)}, OVERLOADED ${(overloadedShare * 100).toFixed(1)} %; refusals' p99 ${(refusedP99Us / 1000).toFixed(1)} ms; the generator was late by ${(latePOf99Us / 1000).toFixed(1)} ms (p99)`,
];
