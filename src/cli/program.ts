/** The command line: which commands there are, and how each ends. */
import { Command, CommanderError } from 'commander';
import { ENVIRONMENT } from '../config.js';
import { internal, ParleyError } from '../errors.js';
import { type CliContext, type CommandDefinition, ownOptionsFirst } from './context.js';

/** In the order of the help. Commands and what they need are loaded when they are asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  init: async () => (await import('./init.js')).init,
  train: async () => (await import('./train.js')).train,
  contract: async () => (await import('./contract.js')).contract,
  stubs: async () => (await import('./stubs.js')).stubs,
  publish: async () => (await import('./publish.js')).publish,
  ensemble: async () => (await import('./ensemble.js')).ensemble,
  accept: async () => (await import('./accept.js')).accept,
  promote: async () => (await import('./promote.js')).promote,
  rollback: async () => (await import('./rollback.js')).rollback,
  hold: async () => (await import('./hold.js')).hold,
  release: async () => (await import('./hold.js')).release,
  aliases: async () => (await import('./aliases.js')).aliases,
  history: async () => (await import('./history.js')).history,
  versions: async () => (await import('./versions.js')).versions,
  describe: async () => (await import('./describe.js')).describe,
  retire: async () => (await import('./retire.js')).retire,
  prune: async () => (await import('./prune.js')).prune,
  export: async () => (await import('./export.js')).exportCommand,
  import: async () => (await import('./import.js')).importCommand,
  mock: async () => (await import('./mock.js')).mock,
  serve: async () => (await import('./serve.js')).serve,
  token: async () => (await import('./token.js')).token,
  predict: async () => (await import('./predict.js')).predict,
  bench: async () => (await import('./bench.js')).bench,
  doctor: async () => (await import('./doctor.js')).doctor,
};

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
  const commands = await Promise.all(commandsFor(argv[0]).map((load) => load()));
  for (const define of commands) define(program, context);
  for (const command of program.commands) inherit(command);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCodeOf(error, context);
  }
}

/** The one that is named, or all of them, to list or to suggest. */
function commandsFor(name: string | undefined): (() => Promise<CommandDefinition>)[] {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
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
