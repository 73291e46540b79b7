/** `parley contract diff`: what is different between two contracts, and whom it breaks. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { BREAKS, type Breaks, breaking, type ContractChange } from '../contract/change.js';
import { compareContracts, compareIdl } from '../contract/compare.js';
import { type CliContext, registryOptions, type StoreOptions } from './context.js';
import { openFileOrModel, orUnreadable } from './contract-source.js';
import type { Output } from './output.js';

interface Options extends StoreOptions {
  readonly breaks: readonly Breaks[];
}

export function contractDiff(command: Command, context: CliContext): void {
  registryOptions(command.command('diff'))
    .summary('tell what is different between two contracts, and whom it breaks')
    .description(
      'Tells every difference between two contracts, whom it breaks and why: callers (compiled clients), models (stored versions), source (code written against the stubs). Takes any Thrift files; what is no contract is compared as stubs see it. Exit code 0: nothing breaks; 1: something does that --breaks names; 2: something cannot be read.',
    )
    .argument(
      '<old>',
      "a Thrift file, a project's folder written as a path (penguins/), or a model for the contract that is in force",
    )
    .argument('<new>', 'the same')
    .option(
      '--breaks <whom>',
      'what counts as a break: any of callers, models, source, with commas between',
      parseBreaks,
      ['callers', 'models'],
    )
    .addHelpText(
      'after',
      '\nExamples:\n  parley contract diff old.thrift new.thrift\n  parley contract diff penguins examples/penguins/penguins.thrift --breaks callers --json',
    )
    .action((old: string, now: string, options: Options) =>
      orUnreadable(context, options.json, async () => {
        const before = await openFileOrModel(context, old, options);
        const after = await openFileOrModel(context, now, options);
        const contracts = before.contract !== undefined && after.contract !== undefined;
        const changes = contracts
          ? compareContracts(before.contract, after.contract)
          : compareIdl(before.idl, after.idl);
        const broken = breaking(changes, options.breaks).length > 0;
        if (options.json) context.output.json({ contracts, compatible: !broken, breaks: options.breaks, changes });
        else report(context.output, changes, contracts);
        if (broken) process.exitCode = 1;
      }),
    );
}

function parseBreaks(text: string): readonly Breaks[] {
  const words = text.split(',').map((word) => word.trim());
  const wrong = words.find((word) => !BREAKS.some((whom) => whom === word));
  if (wrong === undefined) return words as Breaks[];
  throw new InvalidArgumentError(`"${wrong}" is none of ${BREAKS.join(', ')}.`);
}

function report(output: Output, changes: readonly ContractChange[], contracts: boolean): void {
  const as = contracts ? '' : ' (compared as Thrift: not both are contracts)';
  if (changes.length === 0) {
    output.note(`no differences${as}`);
    return;
  }
  const rows = changes.map(({ breaks, path, kind, message }) => [breaks.join(', ') || '-', path, kind, message]);
  output.table(['breaks', 'where', 'rule', 'difference'], rows);
  output.line();
  const reasons = new Map(changes.map(({ kind, why }) => [kind, why]));
  for (const [kind, why] of reasons) output.line(`${kind}: ${why}`);
  const counts = BREAKS.map(
    (whom) => `${breaking(changes, [whom]).length} break${breaking(changes, [whom]).length === 1 ? 's' : ''} ${whom}`,
  );
  output.note(`${changes.length} difference${changes.length === 1 ? '' : 's'}: ${counts.join(', ')}${as}`);
}
