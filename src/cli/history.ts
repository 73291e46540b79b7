/** `parley history`: a model's ledger, newest first; or what was in force at a time. */
import { InvalidArgumentError } from 'commander';
import type { LedgerEntry } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { type Output, share, short, timeText } from './output.js';

interface Options extends StoreOptions {
  readonly alias?: string;
  readonly at?: number;
  readonly limit?: number;
}

export const history: CommandDefinition = (program, context) => {
  registryOptions(program.command('history'))
    .summary("show a model's ledger")
    .description(
      "Shows a model's ledger, newest first: every publication, verdict, promotion, canary, hold, rollback and removal, by whom and why.",
    )
    .argument('<model>', 'the model')
    .option('--alias <name>', 'only the lines of this alias')
    .option('--at <time>', 'what was in force then, as 2026-11-21T14:02:00Z', microsecondsOf)
    .option('--limit <lines>', 'at most so many lines', countOf)
    .addHelpText('after', '\nExamples:\n  parley history penguins\n  parley history penguins --at 2026-11-17T14:02:00Z')
    .action(async (model: string, { alias, at, limit, ...options }: Options) => {
      const entries = await withRegistry(context, options, (registry) =>
        registry.history({
          model,
          ...(alias === undefined ? {} : { aliasName: alias }),
          ...(at === undefined ? {} : { at }),
          ...(limit === undefined ? {} : { limit }),
        }),
      );
      if (options.json) context.output.json(entries);
      else printHistory(context.output, entries, at);
    });
};

export function printHistory(output: Output, entries: readonly LedgerEntry[], at?: number): void {
  if (entries.length === 0) {
    output.note(at === undefined ? 'the ledger has no such lines' : `no alias pointed anywhere at ${timeText(at)}`);
    return;
  }
  output.table(
    ['#', 'time', 'action', 'what', 'by', 'reason'],
    entries.map((entry) => [
      entry.sequence,
      timeText(entry.at),
      entry.action,
      subjectOf(entry),
      entry.actor,
      entry.reason ?? '',
    ]),
  );
}

/** The line's subject in one phrase. */
function subjectOf(entry: LedgerEntry): string {
  if (entry.action === 'contract' || entry.action === 'propose' || entry.action === 'withdraw') {
    const { contractFingerprint = '', previousContractFingerprint: earlier, proposedBy } = entry;
    const before = earlier === undefined ? '' : ` (in place of ${short(earlier)})`;
    return `contract ${short(contractFingerprint)}${before}${proposedBy === undefined ? '' : `, proposed by ${proposedBy}`}`;
  }
  if (entry.action === 'import' && entry.version === undefined)
    return `the whole model, lines 1 to ${entry.sequence - 1}`;
  const version = entry.version === undefined ? '' : short(entry.version);
  if (entry.aliasName === undefined) return version;
  if (entry.action === 'canary')
    return `${entry.aliasName}, canary ${version} with ${share(entry.canaryWeight ?? 0)} of the calls`;
  if (entry.action === 'canary_end') return `${entry.aliasName}, canary ${version}`;
  if (entry.action === 'hold' || entry.action === 'release') return `${entry.aliasName} at ${version}`;
  return `${entry.aliasName} → ${version}${entry.previousVersion === undefined ? '' : ` (was ${short(entry.previousVersion)})`}`;
}

export function printMove(output: Output, model: string, entry: LedgerEntry): void {
  output.line(`${model}: ${moveText(entry)}, ledger line ${entry.sequence}`);
}

function moveText(entry: LedgerEntry): string {
  switch (entry.action) {
    case 'canary_end':
      return `${subjectOf(entry)} ended`;
    case 'hold':
      return `${subjectOf(entry)} held`;
    case 'release':
      return `${subjectOf(entry)} released`;
    case 'retire':
      return `${subjectOf(entry)} retired`;
    default:
      return subjectOf(entry);
  }
}

function microsecondsOf(text: string): number {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new InvalidArgumentError('Write a time such as 2026-11-21T14:02:00Z.');
  return milliseconds * 1000;
}

export function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return count;
}
