/** `parley bench`: how fast a running server answers for a model, from a load generator in a process of its own. */
import { InvalidArgumentError, Option } from 'commander';
import { type ParleyError, unsupported } from '../errors.js';
import { type Protocol, pingFrame } from '../load/frames.js';
import { Generator } from '../load/generator.js';
import type { LoadPlan, LoadResult } from '../load/plan.js';
import { type Target, type TargetOptions, targetOf } from '../load/target.js';
import { printLoad } from './bench-report.js';
import {
  type CliContext,
  type CommandDefinition,
  type OpenServer,
  type StoreOptions,
  serverOptions,
  unlessAborted,
  whereOption,
} from './context.js';
import { countOf } from './history.js';
import { ProgressLine } from './progress.js';

interface Options extends Omit<StoreOptions, 'data'> {
  readonly connections: number;
  readonly inFlight?: number;
  readonly rate?: number;
  readonly rows: number;
  readonly duration?: number;
  readonly warmUp?: number;
  readonly timeoutMs?: number;
  readonly method?: string;
  readonly reference?: string;
  readonly protocol: Protocol;
  readonly data?: string;
}

/** Of one connection in the open loop: what a slow server is sent before calls wait here. */
const OPEN_LOOP_IN_FLIGHT = 256;
const DURATION_MS = 10_000,
  WARM_UP_MS = 1_000;
const LEAST_DRAIN_MS = 2_000;
const TICK_MS = 500;
const INTERRUPTED = 130;

export const bench: CommandDefinition = (program, context) => {
  serverOptions(
    program
      .command('bench')
      .addOption(whereOption('--server <host:port>', 'the server (PARLEY_SERVER; default 127.0.0.1:9090)')),
  )
    .summary('measure how fast a running server answers')
    .description(
      'Measures calls a second and latency of a model on a running server, with rows made up from its signature and contract or with yours. Closed loop: each connection sends its next call when the last one is answered. Open loop (--rate): calls are sent when they are due, and latency counts from then, so that a server that stalls is not spared the calls that it kept from being sent. The load comes from a process of its own; give it a core that the server does not need. Ctrl-C prints what was measured so far.',
    )
    .argument('<model>', 'the model')
    .option('--connections <n>', 'connections', countOf, 8)
    .option(
      '--in-flight <n>',
      `calls under way on one connection at most (default: 1; with --rate ${OPEN_LOOP_IN_FLIGHT})`,
      countOf,
    )
    .option('--rate <n>', 'open loop: so many calls a second in all', positiveOf)
    .option('--rows <n>', 'rows of one call', countOf, 1)
    .option('--duration <time>', 'of the measurement: 10, 10s, 2m, 500ms (default: 10s)', millisecondsOf)
    .option('--warm-up <time>', 'before it, not counted (default: 1s)', millisecondsOf)
    .option('--timeout-ms <ms>', 'sent along with each call: what has not begun by then is dropped', countOf)
    .option(
      '--method <name>',
      "a method of the contract's service, or predict (default: the service's, where there is one)",
    )
    .option('--reference <reference>', 'an alias or a version, for predict')
    .addOption(
      new Option('--protocol <name>', 'how calls are written').choices(['binary', 'compact']).default('binary'),
    )
    .option(
      '--data <file>',
      "rows to send, .csv or .jsonl: columns by the names of the contract's fields or the inputs",
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nLatencies are kept to 0.4 %, and to the microsecond below 256 µs; the largest is exact. Calls a second are answers without\nan error; latencies are of calls that began inside the measurement, those of refused calls apart.\n\nExamples:\n  parley bench penguins\n  parley bench penguins --connections 64 --duration 30s\n  parley bench penguins --rate 5000 --timeout-ms 50 --json\n  parley bench penguins --rows 64 --method predict --reference candidate\n  parley bench penguins --data rows.csv --server models.example.com:9090 --tls-ca ca.crt',
    )
    .action((model: string, options: Options) => measure(context, model, options));
};

async function measure(context: CliContext, model: string, options: Options): Promise<void> {
  const { output, signal } = context;
  const open = await unlessAborted(signal, () => context.openServer(options));
  const target = await unlessAborted(signal, () => targetOf(open.client, model, options as TargetOptions)).finally(() =>
    open.client.close(),
  );
  const plan = planOf(open, target, options);
  const result = await whileShown(context, plan, target);
  if (result.interrupted && result.windowMs === 0) signal.throwIfAborted();
  const told = { model, ...describePlan(plan, target, options) };
  if (options.json) output.line(reportText({ ...told, rowsPerSecond: result.perSecond * target.rows, ...result }));
  else printLoad(output, told, result);
  if (result.interrupted) process.exitCode = INTERRUPTED;
  else if (result.latency.count === 0) throw nothingAnswered(result);
}

function planOf({ address, token }: OpenServer, target: Target, options: Options): LoadPlan {
  const { rate, timeoutMs, connections } = options;
  return {
    host: address.host,
    port: address.port,
    ...(address.tls === undefined ? {} : { tls: address.tls }),
    codec: options.protocol,
    requests: target.requests,
    ...(target.provenance === undefined ? {} : { provenance: target.provenance }),
    ...(token === undefined ? {} : { greeting: pingFrame(options.protocol, token) }),
    connections,
    inFlight: options.inFlight ?? (rate === undefined ? 1 : OPEN_LOOP_IN_FLIGHT),
    ...(rate === undefined ? {} : { rate }),
    warmUpMs: options.warmUp ?? WARM_UP_MS,
    durationMs: options.duration ?? DURATION_MS,
    drainMs: Math.max(LEAST_DRAIN_MS, 2 * (timeoutMs ?? 0)),
  };
}

/** What was asked, as the report tells it. */
export interface Told {
  readonly model: string;
  readonly server: string;
  readonly method: string;
  readonly protocol: Protocol;
  readonly connections: number;
  readonly inFlight: number;
  readonly rate?: number;
  readonly rows: number;
  readonly warmUpMs: number;
  readonly requests: number;
}

function describePlan(plan: LoadPlan, target: Target, options: Options): Omit<Told, 'model'> {
  return {
    server: `${plan.host}:${plan.port}`,
    method: target.name,
    protocol: options.protocol,
    connections: plan.connections,
    inFlight: plan.inFlight,
    ...(plan.rate === undefined ? {} : { rate: plan.rate }),
    rows: target.rows,
    warmUpMs: plan.warmUpMs,
    requests: target.requests.length,
  };
}

async function whileShown({ output, signal }: CliContext, plan: LoadPlan, target: Target): Promise<LoadResult> {
  const generator = new Generator(),
    progress = new ProgressLine(output);
  let windowMs: number | undefined;
  const show = (): void => {
    if (windowMs === undefined) progress.show('warm-up', target.name);
    else progress.show('measuring', target.name, Math.min(0.99, (performance.now() - windowMs) / plan.durationMs));
  };
  const onWindow = (): void => {
    windowMs = performance.now();
    show();
  };
  show();
  const timer = setInterval(show, TICK_MS);
  try {
    return await generator.measure(plan, { signal, onWindow });
  } finally {
    clearInterval(timer);
    progress.end();
    await generator.close();
  }
}

/** JSON with a bucket on a line: there are hundreds. */
const reportText = (report: object): string =>
  JSON.stringify(report, undefined, 2).replace(/\[\s+([\d.]+),\s+([\d.]+),\s+([\d.]+)\s+\]/g, '[$1, $2, $3]');

function nothingAnswered({ errors, messages }: LoadResult): ParleyError {
  const [code, count] = Object.entries(errors).sort((a, b) => b[1] - a[1])[0] ?? [];
  if (code === undefined) return unsupported('no call was answered, none failed: measure for longer');
  return unsupported(`no call was answered; ${count} failed with ${code}: ${messages[code]}`);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, '': 1_000, m: 60_000 };

function millisecondsOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write a time such as 10, 10s, 2m or 500ms.');
  return Number(number) * UNITS[unit]!;
}

function positiveOf(text: string): number {
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw new InvalidArgumentError('Write a number above 0.');
  return number;
}
