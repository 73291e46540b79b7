#!/usr/bin/env node
/** The CLI's entry: gives the commands the outside world, and turns signals into an abort. */
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const { parleyVersion } = await import('./config.js');
const { Output } = await import('./cli/output.js');
const { EXIT_INTERRUPTED, runCommand } = await import('./cli/program.js');
/** Help and wrong usage need nothing of it. */
const app = () => import('./app.js');

const interrupted = new AbortController();
let hungUp: (() => void) | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signal === 'SIGHUP' && hungUp !== undefined) {
      hungUp();
      return;
    }
    // The second time means now.
    if (interrupted.signal.aborted) process.exit(EXIT_INTERRUPTED);
    interrupted.abort(new Error(signal));
  });
}
// `parley … | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const output = new Output(process.stdout, process.stderr);
const warn = (message: string): void => output.note(message);
process.exitCode = await runCommand(process.argv.slice(2), {
  output,
  signal: interrupted.signal,
  version: parleyVersion(),
  stdin: process.stdin,
  onHangUp: (action) => {
    hungUp = action;
  },
  openRegistry: async (options) => (await app()).openRegistry(options, warn),
  openArchives: async (options) => (await app()).openArchives(options, warn),
  openServer: async (options) => (await app()).openServer(options),
  predict: async (...call) => (await app()).predict(...call),
  serve: async (options) => (await app()).serve(options, output.isTerminal ? 'warn' : 'info'),
  mock: async (contract, options) => (await app()).serveMock(contract, options, 'warn'),
});
