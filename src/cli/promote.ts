/** `parley promote`: points an alias at a version that was accepted. */
import { PRODUCTION } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printMove } from './history.js';

interface Options extends StoreOptions {
  readonly alias: string;
  readonly expect?: string;
  readonly reason?: string;
}

export const promote: CommandDefinition = (program, context) => {
  registryOptions(program.command('promote'))
    .summary('point an alias at an accepted version')
    .description(
      "Points an alias at a version. A guarded alias (production, and what the contract names) takes only versions that passed the contract's acceptance suite.",
    )
    .argument('<model>', 'the model')
    .argument('<version>', 'a version, or the first 8 or more characters of it')
    .option('--alias <name>', 'the alias', PRODUCTION)
    .option('--expect <version>', 'fail with CONFLICT unless the alias points at this version now')
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText(
      'after',
      '\nExamples:\n  parley promote penguins 3f2a9c41 --reason "retrained on 2026 data"\n  parley promote penguins 3f2a9c41 --alias candidate',
    )
    .action(async (model: string, version: string, { alias, expect, reason, ...options }: Options) => {
      const entry = await withRegistry(context, options, (registry) =>
        registry.promote({
          model,
          version,
          aliasName: alias,
          ...(expect === undefined ? {} : { expectedVersion: expect }),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};
