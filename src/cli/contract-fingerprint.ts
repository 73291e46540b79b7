/** `parley contract fingerprint`: what a contract means, in 64 characters. */
import type { Command } from 'commander';
import { invalidInput } from '../errors.js';
import { type CliContext, registryOptions, type StoreOptions } from './context.js';
import { openFileOrModel, orUnreadable } from './contract-source.js';

export function contractFingerprint(command: Command, context: CliContext): void {
  registryOptions(command.command('fingerprint'))
    .summary("print the fingerprint of a contract's meaning")
    .description(
      'Prints the SHA-256 of what a contract means: comments, spacing and the order of declarations do not change it. Exit code 2: it cannot be read.',
    )
    .argument(
      '<file or model>',
      "a Thrift file, a project's folder written as a path (penguins/), or a model for the contract that is in force",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  parley contract fingerprint examples/penguins/penguins.thrift\n  parley contract fingerprint penguins',
    )
    .action((place: string, options: StoreOptions) =>
      orUnreadable(context, options.json, async () => {
        const { contract } = await openFileOrModel(context, place, options);
        if (contract === undefined) throw invalidInput(`${place} is no contract: no service in it names a model`);
        const { model, fingerprint } = contract;
        if (options.json) context.output.json({ model, fingerprint });
        else context.output.line(fingerprint);
      }),
    );
}
