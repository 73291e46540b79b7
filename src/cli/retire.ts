/** `parley retire`: takes a version out of reach without forgetting it. */
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printMove } from './history.js';

interface Options extends StoreOptions {
  readonly reason?: string;
}

export const retire: CommandDefinition = (program, context) => {
  registryOptions(program.command('retire'))
    .summary('take a version out of reach, for good')
    .description(
      'Retires a version: it can be neither promoted nor called from then on, and stays listed with its bytes. Refused while an alias leads to it, or an ensemble that is not retired is made of it. A training that makes the same bytes again makes the retired version.',
    )
    .argument('<model>', 'the model')
    .argument('<version>', 'a version, or the first 8 or more characters of it')
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText('after', '\nExample:\n  parley retire penguins 3f2a9c41 --reason "trained on mislabelled rows"')
    .action(async (model: string, version: string, { reason, ...options }: Options) => {
      const entry = await withRegistry(context, options, (registry) =>
        registry.retire({ model, version, ...(reason === undefined ? {} : { reason }) }),
      );
      if (options.json) context.output.json(entry);
      else printMove(context.output, model, entry);
    });
};
