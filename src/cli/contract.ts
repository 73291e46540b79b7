/** `parley contract`: checks, compares and shows contracts, and puts a project's in force. */
import { loadProject } from '../training/project.js';
import { publishProjectContract } from '../training/publish-run.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { contractCheck } from './contract-check.js';
import { contractDiff } from './contract-diff.js';
import { contractFingerprint } from './contract-fingerprint.js';
import { contractShow } from './contract-show.js';
import { short } from './output.js';

export const contract: CommandDefinition = (program, context) => {
  const command = program
    .command('contract')
    .summary('check, compare, show a contract, and put it in force')
    .description("A project's contract: what goes in, what comes out, how good it must be.");
  for (const define of [contractCheck, contractDiff, contractShow, contractFingerprint]) define(command, context);
  registryOptions(command.command('publish'))
    .summary("put a project's contract and fixtures in force")
    .description(
      "Checks a project's contract and puts it in force together with its fixtures, so that any server can answer the service and run the acceptance suite.",
    )
    .argument('<project>', 'the folder of parley.yaml')
    .addHelpText('after', '\nExamples:\n  parley contract publish examples/penguins')
    .action(async (folder: string, options: StoreOptions) => {
      const project = await loadProject(folder);
      const published = await withRegistry(context, options, (registry) =>
        publishProjectContract(registry, project, context.signal),
      );
      if (options.json) context.output.json(published);
      else {
        const fixtures =
          published.fixtureFingerprint === undefined
            ? 'no fixtures'
            : `fixtures ${short(published.fixtureFingerprint)}`;
        context.output.line(
          `contract ${short(published.fingerprint)} of model "${published.model}" is in force: ${published.services.join(', ')}, ${fixtures}`,
        );
      }
    });
};
