/** `parley describe`: what a version takes and gives, and what its type says of it. */
import { ParleyError } from '../errors.js';
import type { RegistryPort } from '../model/registry-port.js';
import { PRODUCTION, type Version } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { printSignature, printTypeFields } from './signature.js';

export const describe: CommandDefinition = (program, context) => {
  registryOptions(program.command('describe'))
    .summary('show what a version takes, gives and is')
    .description(
      "Shows a version's inputs and outputs, its model type, and that type's own fields: classes, threshold, unit, lags, members and so on.",
    )
    .argument('<model>', 'the model')
    .argument('[version]', 'an alias, a version, or the first 8 or more characters of one', PRODUCTION)
    .addHelpText('after', '\nExamples:\n  parley describe penguins\n  parley describe penguins 3f2a9c41 --json')
    .action(async (model: string, reference: string, options: StoreOptions) => {
      const described = await withRegistry(context, options, async (registry) =>
        registry.describe(model, await versionOf(registry, model, reference)),
      );
      if (options.json) {
        context.output.json(described);
        return;
      }
      printSignature(context.output, described.signature);
      printTypeFields(context.output, described.typeFields);
      context.output.line();
      context.output.line(`version ${described.version}`);
      context.output.line(`${described.modelType}, a version of "${model}"`);
    });
};

/** Where an alias leads; anything else is told to be a version. A server finds it itself where a caller may not list aliases. */
async function versionOf(registry: RegistryPort, model: string, reference: string): Promise<Version> {
  const aliases = await registry.aliases(model).catch(noneIfRefused);
  return aliases.find(({ aliasName }) => aliasName === reference)?.version ?? reference;
}

function noneIfRefused(error: unknown): [] {
  if (error instanceof ParleyError && (error.code === 'PERMISSION_DENIED' || error.code === 'UNAUTHENTICATED'))
    return [];
  throw error;
}
