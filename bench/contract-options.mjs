/** What bench/contract is told, and its help. */
import { parseArgs } from 'node:util';
import { whole } from './arguments.mjs';

const HELP = `Usage: bench/contract [options]

Measures how many fields of a typed call one core decodes: calls of the penguins' contract, from whole frames, in this
process. Parley's side is checked against the contract and lies in the batch's columns when it is done; the other side
is the reader that the Thrift compiler makes for the \`thrift\` package, which makes objects and checks nothing. Both read
the same frames, in turns, in processor time; medians over the rounds, and the ratios of each round's two figures.
Needs dist/ (node scripts/build.mjs) and the Thrift compiler on the PATH. Ends with 1 where a bar is missed.

  --rows LIST          rows a call (default 1000,1)
  --ms N               of processor time of a measurement (default 300)
  --rounds N           (default 7)
  --quick              3 rounds of 60 ms
  --json               one line of JSON instead of the table: every figure of every round
  --help
`;

export function readOptions() {
  const text = { type: 'string' },
    flag = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = parseArgs({
      options: { rows: { ...text, default: '1000,1' }, ms: text, rounds: text, quick: flag, json: flag, help: flag },
    }));
  } catch (error) {
    refuse(error.message);
  }
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const number = (option, usual) => whole(option, values[option.slice(2)] ?? usual, refuse);
  return {
    rows: values.rows.split(',').map((part) => whole('--rows', part, refuse)),
    ms: number('--ms', values.quick ? 60 : 300),
    rounds: number('--rounds', values.quick ? 3 : 7),
    json: values.json,
  };
}

function refuse(message) {
  process.stderr.write(`error: ${message}; see bench/contract --help\n`);
  process.exit(2);
}
