/** What bench/serving is told, and its help. */
import { parseArgs } from 'node:util';
import { positive, whole } from '../arguments.mjs';
import { ROWS } from './rows.mjs';

const HELP = `Usage: bench/serving [options]

Measures what Parley promises to be, beside FastAPI with onnxruntime, a bare ASGI route, the thrift package's own server and
the runtime itself: both sides in one run, taking turns in every round; medians over the rounds. Servers share one core,
the load generator has another. Prints a table: Parley, the rival, the ratio, the bar, kept or missed.
Needs dist/ (node scripts/build.mjs); the Python side needs bench/setup, and is left out where that was not run.

  --only LIST          rows by their names, or by what these begin with (default: all)
  --rounds N           (default 5)
  --seconds N          of each measurement (default 3)
  --quick              2 rounds of 1 second, and everything long is short: to see that it runs
  --profile FOLDER     Parley's server writes a CPU profile there when it stops
  --json               one line of JSON instead of the table: every figure of every round
  --help

Rows:
${ROWS.map(({ name, title }) => `  ${name.padEnd(20)} ${title}`).join('\n')}
`;

export function readOptions() {
  const text = { type: 'string' },
    flag = { type: 'boolean', default: false };
  const values = parsed({
    only: text,
    rounds: text,
    seconds: text,
    quick: flag,
    profile: text,
    json: flag,
    help: flag,
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { quick, json, profile } = values;
  return {
    rows: rowsOf(values.only),
    rounds: whole('--rounds', values.rounds ?? (quick ? '2' : '5'), refuse),
    seconds: positive('--seconds', values.seconds ?? (quick ? '1' : '3'), refuse),
    quick,
    profile,
    json,
  };
}

function parsed(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

function rowsOf(only) {
  if (only === undefined) return ROWS;
  const wanted = only.split(',');
  const unknown = wanted.find((each) => !ROWS.some(({ name }) => name.startsWith(each)));
  if (unknown !== undefined) refuse(`--only: no row's name begins with "${unknown}"`);
  return ROWS.filter(({ name }) => wanted.some((each) => name.startsWith(each)));
}

function refuse(message) {
  process.stderr.write(`error: ${message}; see bench/serving --help\n`);
  process.exit(2);
}
