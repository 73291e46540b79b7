/** What bench/registry is told, and its help. */
import { parseArgs } from 'node:util';

const HELP = `Usage: bench/registry [options]

Measures the registry on an embedded Redis of its own:
  publish   MB/s from begin_upload to publish's return, of graphs with one big table, in this process; beside plain SET of
            the same bytes in 1 MiB pieces through ioredis, four under way, on the same Redis
  load      MB/s from nothing to a servable, beside plain GET of the same bytes; and how much of it is the runtime's
  promote   from the call to its return
  seen      from the call of promote to a server in another process answering with the new version
  start     of a server with 1,000 models of 10 KB in production: until it is ready, and its resident memory
The sides take turns in every round; medians over the rounds. Needs dist/ (node scripts/build.mjs).

  --sizes LIST    megabytes of the models (default 1,100,1000)
  --rounds LIST   for each size (default 5,3,1)
  --moves N       promotions (default 300)
  --models N      (default 1000)
  --quick         the same as --sizes 1,30 --rounds 3,2 --moves 50 --models 100
  --json          one line of JSON instead of the tables: every figure of every round
  --help
`;

const DEFAULTS = { sizes: '1,100,1000', rounds: '5,3,1', moves: '300', models: '1000' };
const QUICK = { sizes: '1,30', rounds: '3,2', moves: '50', models: '100' };

export function readOptions() {
  const text = { type: 'string' },
    flag = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = parseArgs({
      options: { sizes: text, rounds: text, moves: text, models: text, quick: flag, json: flag, help: flag },
    }));
  } catch (error) {
    refuse(error.message);
  }
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { sizes, rounds, moves, models } = { ...(values.quick ? QUICK : DEFAULTS), ...values };
  const list = (option, value) => value.split(',').map((part) => whole(option, part));
  const options = {
    sizes: list('--sizes', sizes),
    rounds: list('--rounds', rounds),
    moves: whole('--moves', moves),
    models: whole('--models', models),
    json: values.json,
  };
  if (options.sizes.length !== options.rounds.length) refuse('--rounds: one for each size');
  if (Math.max(...options.sizes) > 2_000) refuse('--sizes: at most 2000');
  return options;
}

function whole(option, value) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) refuse(`${option}: "${value}" is not a whole number above 0`);
  return number;
}

function refuse(message) {
  process.stderr.write(`error: ${message}; see bench/registry --help\n`);
  process.exit(2);
}
