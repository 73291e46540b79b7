/** `parley promote`: points an alias at a version that was accepted, or gives it a share of the alias's calls. */
import { InvalidArgumentError } from 'commander';
import { PRODUCTION } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printMove } from './history.js';

interface Options extends StoreOptions {
  readonly alias: string;
  readonly expect?: string;
  readonly canary?: number;
  readonly reason?: string;
}

export const promote: CommandDefinition = (program, context) => {
  registryOptions(program.command('promote'))
    .summary('point an alias at an accepted version')
    .description(
      "Points an alias at a version. A guarded alias (production, and what the contract names) takes only versions that passed the contract's acceptance suite. With --canary the version takes a share of the alias's calls beside the alias's own; a plain promotion of it, or of any other, ends that.",
    )
    .argument('<model>', 'the model')
    .argument('<version>', 'a version, or the first 8 or more characters of it')
    .option('--alias <name>', 'the alias', PRODUCTION)
    .option('--expect <version>', 'fail with CONFLICT unless the alias points at this version now')
    .option('--canary <share>', "the version's share of the calls, 0 to 1; 0 ends its canary", shareOf)
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText(
      'after',
      '\nExamples:\n  parley promote penguins 3f2a9c41 --reason "retrained on 2026 data"\n  parley promote penguins 3f2a9c41 --alias candidate\n  parley promote penguins 3f2a9c41 --canary 0.1\n  parley promote penguins 3f2a9c41 --alias shadow',
    )
    .action(async (model: string, version: string, { alias, expect, canary, reason, ...options }: Options) => {
      const entry = await withRegistry(context, options, (registry) =>
        registry.promote({
          model,
          version,
          aliasName: alias,
          ...(expect === undefined ? {} : { expectedVersion: expect }),
          ...(canary === undefined ? {} : { canaryWeight: canary }),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Write a share of the calls from 0 to 1, such as 0.1.');
  return share;
}
