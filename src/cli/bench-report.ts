/** A measurement for people: figures, a histogram, and what to doubt. */
import type { Bucket, LatencySummary } from '../load/histogram.js';
import type { LoadResult } from '../load/plan.js';
import type { Told } from './bench.js';
import { type Output, short } from './output.js';

const BAR_CHARACTERS = 40;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** Bounds of the histogram's lines, within a power of ten. */
const STEPS = [1, 1.5, 2, 3, 5, 7];
/** From here on, figures tell of the generator or the machine rather than of the server. */
const BUSY_GENERATOR = 0.9,
  BUSY_MACHINE = 0.97,
  MUCH_STOLEN = 0.05,
  LATE_SHARE = 0.2,
  MANY_HELD_BACK = 0.01;

export function printLoad(output: Output, told: Told, result: LoadResult): void {
  for (const line of linesOf(told, result)) output.line(line);
  for (const warning of warningsOf(result)) output.note(`warning: ${warning}`);
}

function linesOf(told: Told, result: LoadResult): string[] {
  const { latency, failed } = result,
    calls = latency.count + failed.count;
  return [
    `${told.model} at ${told.server}: ${told.method}, ${told.protocol}, ${loopOf(told)}`,
    `${plural(told.rows, 'row')} a call, ${plural(told.requests, 'request')} in turn, ${timeText(result.windowMs * 1000)} after ${timeText(told.warmUpMs * 1000)} of warm-up${result.interrupted ? ', interrupted' : ''}`,
    '',
    `calls/s     ${count(result.perSecond)}`,
    `rows/s      ${count(result.perSecond * told.rows)}`,
    `latency     ${latency.count === 0 ? 'no call was answered' : percentiles(latency)}`,
    ...errorLines(result, calls),
    ...Object.entries(result.versions).map(
      ([version, answers], index) =>
        `${index === 0 ? 'versions' : '        '}    ${short(version)} ${percent(answers / latency.count)}`,
    ),
    `generator   ${percent(result.generatorBusy)} of a core${result.machineBusy === undefined ? '' : `, the machine ${busy(result.machineBusy)} busy`}`,
    ...(latency.count === 0 ? [] : ['', ...histogram(result.buckets)]),
  ];
}

function loopOf({ rate, connections, inFlight }: Told): string {
  if (rate !== undefined) return `open loop: ${count(rate)} calls/s on ${plural(connections, 'connection')}`;
  return `closed loop: ${plural(connections, 'connection')}, ${plural(inFlight, 'call')} under way on each`;
}

const percentiles = ({ p50Us, p90Us, p99Us, p999Us, maxUs }: LatencySummary): string =>
  `p50 ${timeText(p50Us)}, p90 ${timeText(p90Us)}, p99 ${timeText(p99Us)}, p99.9 ${timeText(p999Us)}, max ${timeText(maxUs)}`;

function errorLines({ errors, messages, failed }: LoadResult, calls: number): string[] {
  const kinds = Object.entries(errors).sort((a, b) => b[1] - a[1]);
  if (kinds.length === 0) return ['errors      none'];
  return [
    ...kinds.map(
      ([code, number], index) =>
        `${index === 0 ? 'errors' : '      '}      ${code} ${count(number)} (${percent(number / calls)}): ${messages[code]}`,
    ),
    `            answered with an error after ${percentiles(failed)}`,
  ];
}

/** Why the figures may not be the server's. */
export function warningsOf({ generatorBusy, late, machineBusy, stolen, latency, failed }: LoadResult): string[] {
  const warnings: string[] = [];
  if (late === undefined && generatorBusy > BUSY_GENERATOR)
    warnings.push(
      `the load generator had its core ${percent(generatorBusy)} busy: it may be the limit and not the server; use several, or more rows a call`,
    );
  if (late !== undefined && late.p99Us > Math.max(1_000, latency.p50Us * LATE_SHARE))
    warnings.push(
      `the load generator sent calls late (p99 ${timeText(late.p99Us)}), which is in their latency: it cannot keep up with this rate`,
    );
  const heldBack = late === undefined ? 0 : 1 - late.count / (latency.count + failed.count);
  if (heldBack > MANY_HELD_BACK)
    warnings.push(
      `${percent(heldBack)} of the calls were held back here, as no connection may have more under way: their wait is in the latency, and no timeout_ms counts it; the server does not keep up with this rate, or --connections and --in-flight are too few`,
    );
  if (machineBusy !== undefined && machineBusy > BUSY_MACHINE)
    warnings.push(`this machine was ${busy(machineBusy)} busy: whatever ran beside took time from what was measured`);
  if (stolen !== undefined && stolen > MUCH_STOLEN)
    warnings.push(`${percent(stolen)} of this machine's time went to other virtual machines`);
  return warnings;
}

/** One line between two bounds, from the fastest call to the slowest. */
export function histogram(buckets: readonly Bucket[]): string[] {
  const lines = linesBetween(buckets);
  const most = Math.max(...lines.map((line) => line.count)),
    all = lines.reduce((sum, line) => sum + line.count, 0);
  const bounds = lines.map(({ toUs }) => `< ${timeText(toUs)}`),
    width = Math.max(...bounds.map(({ length }) => length));
  let below = 0;
  return lines.map((line, index) => {
    below += line.count;
    const bar = barOf(line.count / most).padEnd(BAR_CHARACTERS);
    return `${bounds[index]!.padStart(width)}  ${bar}  ${percent(line.count / all).padStart(7)}  ${percent(below / all).padStart(7)}`;
  });
}

function linesBetween(buckets: readonly Bucket[]): { toUs: number; count: number }[] {
  const lines: { toUs: number; count: number }[] = [];
  let bound = 1;
  for (const [fromUs, , number] of buckets) {
    while (bound <= fromUs) {
      bound = nextBound(bound);
      if (lines.length > 0) lines.push({ toUs: bound, count: 0 });
    }
    if (lines.length === 0) lines.push({ toUs: bound, count: 0 });
    lines.at(-1)!.count += number;
  }
  return lines;
}

function nextBound(bound: number): number {
  const power = 10 ** Math.floor(Math.log10(bound) + 1e-9);
  const step = STEPS.find((each) => each * power > bound * 1.01);
  return Math.round((step ?? 10) * power * 10) / 10;
}

function barOf(share: number): string {
  const eighths = Math.ceil(share * BAR_CHARACTERS * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

/** Three digits, in the unit that suits. */
export function timeText(us: number): string {
  if (us >= 1e6) return `${digits(us / 1e6)} s`;
  return us >= 1e3 ? `${digits(us / 1e3)} ms` : `${digits(us)} µs`;
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));
const count = (value: number): string => (value < 100 ? digits(value) : Math.round(value).toLocaleString('en'));
const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Ticks of two clocks: their quotient may be a little above 1. */
const busy = (share: number): string => percent(Math.min(1, share));

function percent(share: number): string {
  const text = (share * 100).toFixed(share < 0.1 || share > 0.99 ? 2 : 1);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text} %`;
}
