/** `parley contract check`: what is wrong with a contract, and what it had better say. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { LINT_RULES, type LintRule, type LintWarning, lint } from '../contract/lint.js';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { CliContext } from './context.js';
import { openFile, orUnreadable } from './contract-source.js';

interface Options {
  readonly against?: string;
  readonly allow: readonly LintRule[];
  readonly strict?: boolean;
  readonly json?: boolean;
}

export function contractCheck(command: Command, context: CliContext): void {
  command
    .command('check')
    .summary('find what is wrong with a contract')
    .description(
      'Reads a contract and tells all that is wrong with it, by file, line and column; then warns of what it had better say. Exit code 0: it can be read; 1: there are warnings, with --strict; 2: it cannot be read.',
    )
    .argument('<file>', 'the Thrift file, or the folder of parley.yaml')
    .option('--against <old>', 'an older file, whose ids and numbers must not be used for something else')
    .option('--allow <rule>', 'do not warn of this; may be repeated', collectRule, [])
    .option('--strict', 'warnings fail')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nRules:\n${rulesText()}\n\nExamples:\n  parley contract check examples/penguins/penguins.thrift\n  parley contract check new.thrift --against old.thrift --strict --allow no-unit`,
    )
    .action((file: string, options: Options) =>
      orUnreadable(context, options.json, async () => {
        const contract = await contractOf(file);
        const older = options.against === undefined ? undefined : await contractOf(options.against);
        const warnings = lint(contract, older).filter(({ rule }) => !options.allow.includes(rule));
        report(context, file, warnings, options);
        if (options.strict && warnings.length > 0) process.exitCode = 1;
      }),
    );
}

async function contractOf(file: string) {
  const { contract } = await openFile(file);
  if (contract !== undefined) return contract;
  throw invalidInput(
    `${file} is no contract: no service in it names a model; write (model = "…") after its closing brace`,
  );
}

function collectRule(name: string, before: readonly LintRule[]): readonly LintRule[] {
  if (Object.hasOwn(LINT_RULES, name)) return [...before, name as LintRule];
  const rules = Object.keys(LINT_RULES);
  throw new InvalidArgumentError(`there is no such rule${didYouMean(name, rules)}; there are ${rules.join(', ')}.`);
}

const rulesText = () =>
  Object.entries(LINT_RULES)
    .map(([rule, meaning]) => `  ${rule.padEnd(14)} ${meaning}`)
    .join('\n');

function report({ output }: CliContext, file: string, warnings: readonly LintWarning[], { json }: Options): void {
  if (json) {
    output.json({ file, readable: true, warnings });
    return;
  }
  for (const { position, rule, message } of warnings) {
    output.line(`${position.file}:${position.line}:${position.column}: ${message} (${rule})`);
  }
  const count =
    warnings.length === 0 ? 'nothing to warn of' : `${warnings.length} warning${warnings.length === 1 ? '' : 's'}`;
  output.note(`${file} can be read; ${count}`);
}
