/** The command line: which commands there are, and how each ends. */
import { Command, CommanderError } from 'commander';
import { ENVIRONMENT } from '../config.js';
import { internal, ParleyError } from '../errors.js';
import { accept } from './accept.js';
import { aliases } from './aliases.js';
import { bench } from './bench.js';
import { type CliContext, type CommandDefinition, ownOptionsFirst } from './context.js';
import { contract } from './contract.js';
import { describe } from './describe.js';
import { doctor } from './doctor.js';
import { ensemble } from './ensemble.js';
import { exportCommand } from './export.js';
import { history } from './history.js';
import { hold, release } from './hold.js';
import { importCommand } from './import.js';
import { init } from './init.js';
import { predict } from './predict.js';
import { promote } from './promote.js';
import { prune } from './prune.js';
import { publish } from './publish.js';
import { retire } from './retire.js';
import { rollback } from './rollback.js';
import { serve } from './serve.js';
import { token } from './token.js';
import { train } from './train.js';
import { versions } from './versions.js';

const COMMANDS: readonly CommandDefinition[] = [
  init,
  train,
  contract,
  publish,
  ensemble,
  accept,
  promote,
  rollback,
  hold,
  release,
  aliases,
  history,
  versions,
  describe,
  retire,
  prune,
  exportCommand,
  importCommand,
  serve,
  token,
  predict,
  bench,
  doctor,
];

export const EXIT_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_INTERRUPTED = 130;

/** Runs one command line. @param argv without node and script @returns the exit code */
export async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  const program = new Command('parley')
    .description('Trains, checks, stores and serves models that keep a Thrift contract.')
    .version(context.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.line(text.trimEnd()),
      writeErr: (text) => context.output.note(text.trimEnd()),
    })
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .addHelpText(
      'after',
      `\nEnvironment:\n${Object.entries(ENVIRONMENT)
        .map(([name, meaning]) => `  ${name.padEnd(23)} ${meaning}`)
        .join('\n')}\n\nExit codes: 0 done, 1 failed, 2 wrong usage.`,
    );
  for (const define of COMMANDS) define(program, context);
  for (const command of program.commands) inherit(command);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCodeOf(error, context);
  }
}

/** Commander copies no settings to commands that were made before it. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(see --help)');
  ownOptionsFirst(command);
  for (const sub of command.commands) inherit(sub);
}

function exitCodeOf(error: unknown, { output, signal }: CliContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (signal.aborted) {
    output.note('interrupted; nothing was changed by what was not finished');
    return EXIT_INTERRUPTED;
  }
  if (error instanceof ParleyError) {
    output.failure(error);
    return EXIT_FAILED;
  }
  output.failure(
    internal(
      `a defect in Parley, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    ),
  );
  return EXIT_FAILED;
}
