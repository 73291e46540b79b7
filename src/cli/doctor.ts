/** `parley doctor`: is everything here that Parley needs, and if not, how is it mended? */
import { styleText } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { DEFAULT_PORT, type StoreFlags, storeSettings } from '../config.js';
import { type CommandDefinition, storeOptions } from './context.js';
import { type Check, type Finding, withDeadline } from './doctor-check.js';
import { checkCompiler, checkDataFolder, checkDisk, checkNode } from './doctor-machine.js';
import { checkPort } from './doctor-port.js';
import { checkRuntime } from './doctor-runtime.js';
import { checkRedisServer, checkStore } from './doctor-store.js';
import type { Output } from './output.js';

interface Options extends StoreFlags {
  readonly port: number;
  readonly json?: boolean;
}

/** Starting the embedded Redis gives up after 20 s, and then ends what it has started. */
const STORE_DEADLINE_MS = 25_000;

export const doctor: CommandDefinition = (program, context) => {
  storeOptions(program.command('doctor'))
    .summary('check what Parley needs on this machine')
    .description(
      'Checks what Parley needs on this machine, one line each: ok, warning or failed, and how to mend it. Exit code 1 when something that is needed failed. It changes nothing that is stored.',
    )
    .option('--port <port>', 'the port that a server would listen on', portOf, DEFAULT_PORT)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  parley doctor\n  parley doctor --port 9191 --redis redis://10.0.0.5:6379 --json',
    )
    .action(async ({ port, json, ...options }: Options) => {
      const { output, signal } = context;
      const settings = storeSettings(options);
      const redisServer = checkRedisServer(settings);
      const checks: readonly Check[] = [
        { name: 'Node.js', run: async () => checkNode(process.versions.node) },
        { name: 'runtime', run: checkRuntime },
        { name: 'Redis server', run: () => redisServer },
        { name: 'data folder', run: async () => checkDataFolder(settings) },
        { name: 'disk', run: () => checkDisk(settings) },
        { name: 'store', deadlineMs: STORE_DEADLINE_MS, run: () => checkStore(settings, redisServer) },
        { name: `port ${port}`, run: () => checkPort(port) },
        { name: 'Thrift compiler', run: checkCompiler },
      ];
      const width = Math.max(...checks.map(({ name }) => name.length));
      // All at once, told in order.
      const running = checks.map((check) => withDeadline(check, signal));
      const findings: Finding[] = [];
      for (const finding of running) {
        findings.push(await finding);
        if (!json) print(output, findings.at(-1)!, width);
      }
      // What did not answer in time may hold the process for minutes, and has nothing more to say.
      if (findings.some(({ isOverdue }) => isOverdue)) setTimeout(() => process.exit(), 100).unref();
      signal.throwIfAborted();
      const isWell = findings.every(({ status }) => status !== 'failed');
      if (json) output.json({ ok: isWell, checks: findings.map(({ isOverdue: _, ...told }) => told) });
      else summarize(output, findings);
      if (!isWell) process.exitCode = 1;
    });
};

const COLORS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

function print(output: Output, { name, status, message, mend }: Finding, width: number): void {
  const mark = status.padEnd('warning'.length);
  output.line(`${output.isTerminal ? styleText(COLORS[status], mark) : mark}  ${name.padEnd(width)}  ${message}`);
  if (mend !== undefined) output.line(`${''.padEnd('warning'.length + width + 4)}→ ${mend}`);
}

function summarize(output: Output, findings: readonly Finding[]): void {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  if (count('failed') > 0) output.note(`${count('failed')} failed`);
  else output.note(count('warning') > 0 ? 'everything that is needed is here' : 'everything is here');
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('Write a port from 1 to 65535.');
  return port;
}
