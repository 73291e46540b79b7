/** The table for people. */
import { cpus, release } from 'node:os';

export const machine = (pinned) => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  kernel: release(),
  node: process.version,
  pinned,
});

/** What a row's bars come to. @returns `{ what, figure, bound, kept, aim }` of each */
export function judged({ bars }, sides) {
  return bars.map(({ what, figure, least, most, aim = false }) => {
    const found = figure(sides);
    const kept = found === undefined ? undefined : least === undefined ? found <= most : found >= least;
    return { what, figure: found, bound: least === undefined ? `≤ ${most}` : `≥ ${least}`, kept, aim };
  });
}

export function printRow({ name, title, sides, judgements, notes = [], missing }) {
  console.log(`\n${name}: ${title}`);
  if (missing !== undefined) {
    console.log(`  not measured: ${missing}`);
    return;
  }
  const [ours] = Object.values(sides);
  for (const [side, figures] of Object.entries(sides))
    console.log(`  ${side.padEnd(10)} ${sideText(figures, figures === ours ? undefined : ours)}`);
  for (const each of judgements) console.log(`  ${barText(each)}`);
  for (const note of notes) console.log(`  ${note}`);
}

/** @param ours whose CPU time others' is a multiple of: what else runs on the machine changes that least */
function sideText({ perSecond, cpuUs, p50Us, p99Us, serverBusy, generatorBusy, startMs, residentMb }, ours) {
  if (startMs !== undefined) return `${startMs.toFixed(0)} ms to the first answer, ${residentMb.toFixed(0)} MB`;
  return [
    `${whole(perSecond)}/s`.padStart(11),
    cpuUs === undefined ? '' : `CPU ${cpuUs.toFixed(1)} µs`.padStart(14),
    cpuUs === undefined || ours?.cpuUs === undefined ? '' : `${(cpuUs / ours.cpuUs).toFixed(1)} ×`.padStart(6),
    p50Us === undefined ? '' : `p50 ${time(p50Us)}, p99 ${time(p99Us)}`,
    serverBusy === undefined ? '' : `(server ${percent(serverBusy)}, generator ${percent(generatorBusy)} busy)`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function barText({ what, figure, bound, kept, aim }) {
  const word = kept === undefined ? 'no rival' : kept ? 'kept' : aim ? 'aim missed' : 'MISSED';
  return `${word.padEnd(10)} ${what} ${figure === undefined ? '?' : digits(figure)}, ${aim ? 'aim' : 'bar'} ${bound}`;
}

/** All bars at a glance, as README keeps them. */
export function printSummary(results) {
  console.log('\n| row | Parley | rival | figure | bar | |\n|---|---:|---:|---:|---:|---|');
  for (const { name, sides, judgements, missing } of results) {
    if (missing !== undefined) continue;
    const [first, ...others] = Object.entries(sides);
    judgements.forEach(({ what, figure, bound, kept, aim }, index) => {
      const rival = others.map(([side, figures]) => `${side} ${short(figures)}`).join(', ');
      const cells = index === 0 ? [name, short(first[1]), rival] : ['', '', ''];
      const verdict = kept === undefined ? 'no rival' : kept ? 'kept' : aim ? 'aim missed' : 'missed';
      console.log(
        `| ${[...cells, `${what} ${figure === undefined ? '?' : digits(figure)}`, `${aim ? 'aim ' : ''}${bound}`, verdict].join(' | ')} |`,
      );
    });
  }
}

const short = ({ perSecond, startMs }) =>
  startMs === undefined ? `${whole(perSecond)}/s` : `${startMs.toFixed(0)} ms`;
const whole = (value) => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
const percent = (share) => `${Math.round(share * 100)} %`;
const time = (us) => (us < 1000 ? `${Math.round(us)} µs` : `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`);
const digits = (value) => String(Number(value.toPrecision(3)));
