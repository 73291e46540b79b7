/** scripts/interval-coverage: a table, and exit code 1 where a coverage is out of what is promised. */
import { parseArgs } from 'node:util';
import { coverageOf, SITUATIONS } from './coverage.mjs';

const USAGE = `Usage: scripts/interval-coverage [--trials N] [--seed N] [--only TEXT | --help]

Draws many samples from distributions whose true figures are known, and counts how many of the 95 % intervals that the
acceptance suite makes of them hold the true figure. Exit code 1 where a share is not within 0.95 +- 0.02; rows that are
marked are told and not held to it, and the last column says why. Needs "npm run build".

  --trials N   samples for each row (default 2000, whose own error is +- 0.5 %; minutes)
  --seed N     other samples (default 1)
  --only TEXT  only rows whose name holds the text
`;

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE.trimEnd());
else run();

function run() {
  const line = (...cells) =>
    `${cells[0].padEnd(46)}${cells[1].padEnd(22)}${cells[2].padStart(6)}${cells[3].padStart(11)}${cells[4].padStart(8)}${cells[5].padStart(8)}  ${cells[6]}`.trimEnd();
  console.log(line('figure', 'interval', 'rows', 'coverage', 'under', 'over', ''));
  let wrong = 0;
  for (const situation of SITUATIONS) {
    if (!situation.name.includes(values.only)) continue;
    const { coverage, under, over } = coverageOf(situation, Number(values.trials), Number(values.seed));
    const isRight = Math.abs(coverage - 0.95) <= 0.02;
    if (!isRight && situation.told === undefined) wrong += 1;
    const verdict = isRight ? '' : (situation.told ?? 'OUT OF 0.95 +- 0.02');
    const percent = (share) => share.toFixed(3);
    console.log(
      line(
        situation.name,
        situation.kind,
        String(situation.rows),
        percent(coverage),
        percent(under),
        percent(over),
        verdict,
      ),
    );
  }
  console.log(wrong === 0 ? 'all within 0.95 +- 0.02, but what is marked' : `${wrong} out of 0.95 +- 0.02`);
  process.exitCode = wrong === 0 ? 0 : 1;
}
