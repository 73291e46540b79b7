/** Parley's side of scripts/metrics-against-scikit, which see. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { statisticOf } from '../../dist/evaluation/figures.js';
import { randomCases } from './cases.mjs';

const TOLERANCE = 1e-9;

const python = process.argv[2];
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '40' },
    write: { type: 'string' },
  },
});

const cases = randomCases(Number(values.seed), Number(values.cases));
const asked = spawnSync(python, [new URL('scikit.py', import.meta.url).pathname], {
  input: JSON.stringify(cases),
  maxBuffer: 2 ** 30,
});
if (asked.status !== 0) throw new Error(`scikit-learn failed: ${asked.stderr}`);
const figures = JSON.parse(String(asked.stdout).replaceAll('NaN', 'null'));
if (values.write !== undefined) {
  const lines = figures.map((each) => `    ${JSON.stringify(each)}`);
  const head = `"seed": ${values.seed},\n  "cases": ${values.cases},`;
  writeFileSync(values.write, `{\n  ${head}\n  "figures": [\n${lines.join(',\n')}\n  ]\n}\n`);
}

const worst = new Map();
let compared = 0;
cases.forEach((each, index) => {
  for (const [name, theirs] of Object.entries(figures[index])) {
    const [, metric, argument] = /^(\w+)(?:\((.+)\))?$/.exec(name);
    const classNames = Array.from({ length: each.classes ?? 0 }, (_, at) => String(at));
    const weights = each.weights && Float64Array.from(each.weights);
    const probabilities = each.probabilities && Float64Array.from(each.probabilities);
    const answers = { ...each, classNames, ...(probabilities && { probabilities }) };
    const ours = statisticOf({ metric, argument }, answers)(weights);
    compared += 1;
    const apart = differenceOf(ours, theirs ?? Number.NaN);
    const known = worst.get(metric) ?? { apart: -1, count: 0 };
    const count = known.count + 1;
    worst.set(
      metric,
      apart > known.apart ? { apart, count, name, ours, theirs, shape: each.shape } : { ...known, count },
    );
  }
});

const row = (...cells) =>
  `${cells[0].padEnd(28)}${cells[1].padStart(8)}${cells[2].padStart(24)}${cells[3].padStart(24)}${cells[4].padStart(12)}  ${cells[5]}`;
console.log(row('metric', 'figures', 'Parley', 'scikit-learn', 'apart', 'in'));
for (const [metric, { apart, count, name, ours, theirs, shape }] of worst)
  console.log(row(metric, String(count), String(ours), String(theirs), apart.toExponential(1), `${name}, ${shape}`));
const largest = Math.max(...[...worst.values()].map(({ apart }) => apart));
console.log(
  `${compared} figures of ${cases.length} cases; the largest difference is ${largest.toExponential(2)}, ${largest <= TOLERANCE ? 'within' : 'BEYOND'} ${TOLERANCE}`,
);
process.exitCode = largest <= TOLERANCE ? 0 : 1;

/** Of the figure where that is above 1; 0 where both are not a number, infinite where one is. */
function differenceOf(ours, theirs) {
  if (Number.isNaN(ours) || Number.isNaN(theirs))
    return Number.isNaN(ours) && Number.isNaN(theirs) ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs));
}
