/** `parley hold` and `parley release`: keep an alias where it is, and let it go. */
import { PRODUCTION } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printMove } from './history.js';

interface Options extends StoreOptions {
  readonly alias: string;
  readonly reason?: string;
}

export const hold: CommandDefinition = (program, context) => {
  registryOptions(program.command('hold'))
    .summary('keep an alias where it is until it is released')
    .description(
      'Holds an alias: no promotion, canary or rollback changes it until it is released. Whoever tries is told who holds it, since when and why.',
    )
    .argument('<model>', 'the model')
    .option('--alias <name>', 'the alias', PRODUCTION)
    .requiredOption('--reason <text>', 'why; goes into the ledger, and is told to whoever is refused')
    .addHelpText('after', '\nExample:\n  parley hold penguins --reason "incident 42 is being looked into"')
    .action(async (model: string, { alias, reason, ...options }: Options) => {
      const request = { model, aliasName: alias, ...(reason === undefined ? {} : { reason }) };
      const entry = await withRegistry(context, options, (registry) => registry.hold(request));
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};

export const release: CommandDefinition = (program, context) => {
  registryOptions(program.command('release'))
    .summary('let a held alias be changed again')
    .description('Releases a held alias, whoever holds it.')
    .argument('<model>', 'the model')
    .option('--alias <name>', 'the alias', PRODUCTION)
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText('after', '\nExample:\n  parley release penguins --reason "the incident is over"')
    .action(async (model: string, { alias, reason, ...options }: Options) => {
      const request = { model, aliasName: alias, ...(reason === undefined ? {} : { reason }) };
      const entry = await withRegistry(context, options, (registry) => registry.release(request));
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};
