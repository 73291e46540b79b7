/** What bench/quick is told, and its help. */
import { parseArgs } from 'node:util';
import { positive, whole } from './arguments.mjs';
import { CASES } from './cases.mjs';

const HELP = `Usage: bench/quick [options]

Measures requests per second, latency and the server's CPU time per request, of one-row calls over the loopback:
typed identify (the penguins' contract), Prediction.predict (logistic, 30 numbers), and for comparison the thrift
package's own server, which runs no model and echoes the bytes of the same predict call. One server process on one core,
the load generator on another, closed loop. The sides take turns in every round; medians over the rounds are printed.
Needs dist/ (node scripts/build.mjs).

  --seconds N          of each measurement (default 3)
  --rounds N           (default 5)
  --connections LIST   (default 1,8,64)
  --cases LIST         of ${Object.keys(CASES).join(', ')} (default all)
  --profile FOLDER     the server writes a CPU profile there when it stops
  --json               one line of JSON instead of the table: every figure of every round
  --help
`;

export function readOptions() {
  const text = { type: 'string' };
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        seconds: { ...text, default: '3' },
        rounds: { ...text, default: '5' },
        connections: { ...text, default: '1,8,64' },
        cases: { ...text, default: Object.keys(CASES).join() },
        profile: text,
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    refuse(error.message);
  }
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const cases = values.cases.split(',');
  const unknown = cases.find((name) => CASES[name] === undefined);
  if (unknown !== undefined) refuse(`--cases: there is no "${unknown}"`);
  return {
    seconds: positive('--seconds', values.seconds, refuse),
    rounds: whole('--rounds', values.rounds, refuse),
    connections: values.connections.split(',').map((part) => whole('--connections', part, refuse)),
    cases,
    profile: values.profile,
    json: values.json,
  };
}

function refuse(message) {
  process.stderr.write(`error: ${message}; see bench/quick --help\n`);
  process.exit(2);
}
