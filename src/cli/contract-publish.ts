/** `parley contract publish`, `proposals`, `agree` and `withdraw`: how contracts come into force. */
import type { Command } from 'commander';
import { breaking, type ContractChange } from '../contract/change.js';
import type { ContractProposal, PublishedContract } from '../model/registry-port.js';
import { loadProject } from '../training/project.js';
import { publishProjectContract } from '../training/publish-run.js';
import { type CliContext, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { type Output, short, timeText } from './output.js';

interface PublishOptions extends StoreOptions {
  readonly allowBreaking?: string;
  readonly propose?: boolean;
  readonly reason?: string;
}

interface ReasonOptions extends StoreOptions {
  readonly reason?: string;
}

interface AgreeOptions extends ReasonOptions {
  readonly fixtures?: string;
}

export const ALLOW_BREAKING = [
  '--allow-breaking <reason>',
  'also where callers of the contract in force may break; why goes into the ledger',
] as const;

/** Adds them to `parley contract`. */
export function contractPublication(command: Command, context: CliContext): void {
  publish(command, context);
  proposals(command, context);
  agree(command, context);
  withdraw(command, context);
}

function publish(command: Command, context: CliContext): void {
  registryOptions(command.command('publish'))
    .summary("put a project's contract and fixtures in force, or propose them")
    .description(
      'Checks a project\'s contract, compares it with the one in force, and puts it in force together with its fixtures, so that any server can answer the service and run the acceptance suite. A contract that breaks callers is refused, with every difference; one that changes nothing that was tested leaves accepted versions accepted. Where the contract says changes = "agreed" it is proposed here, and agreed to by somebody else.',
    )
    .argument('<project>', 'the folder of parley.yaml')
    .option(...ALLOW_BREAKING)
    .option('--propose', 'only store it beside the one in force, for somebody else to agree to')
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText(
      'after',
      '\nExamples:\n  parley contract publish examples/penguins\n  parley contract publish examples/penguins --propose --reason "islands are asked for"\n  parley contract publish examples/penguins --allow-breaking "nobody calls identify_many"',
    )
    .action(async (folder: string, { allowBreaking, propose, reason, ...options }: PublishOptions) => {
      const project = await loadProject(folder);
      const published = await withRegistry(context, options, (registry) =>
        publishProjectContract(registry, project, context.signal, {
          ...(allowBreaking === undefined ? {} : { allowBreaking }),
          ...(propose === undefined ? {} : { propose }),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      for (const warning of published.warnings) context.output.note(`note: ${warning}`);
      if (options.json) context.output.json(published);
      else printPublished(context.output, published);
    });
}

function proposals(command: Command, context: CliContext): void {
  registryOptions(command.command('proposals'))
    .summary('list contracts that wait for agreement')
    .description('Lists the contracts that were proposed and are not agreed to yet, with what is different in them.')
    .argument('[model]', 'only those of this model')
    .addHelpText('after', '\nExamples:\n  parley contract proposals\n  parley contract proposals penguins --json')
    .action(async (model: string | undefined, options: StoreOptions) => {
      const found = await withRegistry(context, options, (registry) => registry.contractProposals(model));
      if (options.json) context.output.json(found);
      else if (found.length === 0) context.output.note('no contract waits for agreement');
      else for (const proposal of found) printProposal(context.output, proposal);
    });
}

function agree(command: Command, context: CliContext): void {
  registryOptions(command.command('agree'))
    .summary('put a contract in force that somebody else has proposed')
    .description(
      "Puts a proposed contract in force; both names go into the ledger. Refused to the one who proposed it: on a server a token's name says who that is, on the store itself the user of the operating system. Refused, too, once another contract has come into force: what was compared with it is to be proposed again.",
    )
    .argument('<model>', 'the model')
    .argument('<fingerprint>', "the proposed contract's fingerprint, or the first 8 or more characters of it")
    .option('--reason <text>', 'why; goes into the ledger')
    .option('--fixtures <fingerprint>', 'only with these fixtures, or the first 8 or more characters of them')
    .addHelpText('after', '\nExample:\n  parley contract agree penguins 3f2a9c41 --fixtures 44bb4619')
    .action(async (model: string, fingerprint: string, { reason, fixtures, ...options }: AgreeOptions) => {
      const agreed = await withRegistry(context, options, (registry) =>
        registry.agreeContract({
          ...{ model, fingerprint },
          ...(reason === undefined ? {} : { reason }),
          ...(fixtures === undefined ? {} : { fixtureFingerprint: fixtures }),
        }),
      );
      if (options.json) context.output.json(agreed);
      else printPublished(context.output, agreed);
    });
}

function withdraw(command: Command, context: CliContext): void {
  registryOptions(command.command('withdraw'))
    .summary('take a proposed contract back')
    .description('Takes a proposal back; the contract in force stays as it is. Anybody who may propose may do it.')
    .argument('<model>', 'the model')
    .argument('<fingerprint>', "the proposed contract's fingerprint, or the first 8 or more characters of it")
    .option('--reason <text>', 'why; goes into the ledger')
    .addHelpText('after', '\nExample:\n  parley contract withdraw penguins 3f2a9c41 --reason "centimetres after all"')
    .action(async (model: string, fingerprint: string, { reason, ...options }: ReasonOptions) => {
      const entry = await withRegistry(context, options, (registry) =>
        registry.withdrawContract({ model, fingerprint, ...(reason === undefined ? {} : { reason }) }),
      );
      if (options.json) context.output.json(entry);
      else
        context.output.line(
          `${model}: contract ${short(entry.contractFingerprint ?? '')}, proposed by ${entry.proposedBy}, withdrawn, ledger line ${entry.sequence}`,
        );
    });
}

export function printPublished(output: Output, published: PublishedContract): void {
  const { model, fingerprint, services, fixtureFingerprint, differences, proposed, verdictsStand } = published;
  const fixtures = fixtureFingerprint === undefined ? 'no fixtures' : `fixtures ${short(fixtureFingerprint)}`;
  const what = proposed === true ? 'is proposed' : 'is in force';
  output.line(`contract ${short(fingerprint)} of model "${model}" ${what}: ${services.join(', ')}, ${fixtures}`);
  printDifferences(output, differences);
  if (differences.length > 0 && verdictsStand !== undefined && proposed !== true)
    output.line(
      verdictsStand
        ? 'what was accepted under the contract before stays accepted'
        : 'what was tested is different: versions are to be accepted again before they are promoted',
    );
  if (proposed === true) output.note(`next, by somebody else: parley contract agree ${model} ${short(fingerprint)}`);
}

/** What comes with a publication that is about something else. */
export function printDifferences(output: Output, differences: readonly ContractChange[]): void {
  for (const { path, message, breaks } of differences)
    output.line(`  ${path}: ${message}${breaks.length === 0 ? '' : ` (breaks ${breaks.join(', ')})`}`);
}

function printProposal(output: Output, proposal: ContractProposal): void {
  const { model, fingerprint, proposedBy, at, reason, allowBreaking, previousContractFingerprint, differences } =
    proposal;
  const { fixtureFingerprint } = proposal;
  const place =
    previousContractFingerprint === undefined
      ? 'as the first one'
      : `in place of ${short(previousContractFingerprint)}`;
  output.line(
    `contract ${short(fingerprint)} of model "${model}", proposed by ${proposedBy} at ${timeText(at)} ${place}${reason === undefined ? '' : `: ${reason}`}`,
  );
  printDifferences(output, differences);
  if (allowBreaking !== undefined && breaking(differences, ['callers']).length > 0)
    output.line(`  callers may break: ${allowBreaking}`);
  const only = fixtureFingerprint === undefined ? '' : ` --fixtures ${short(fixtureFingerprint)}`;
  output.note(`to agree: parley contract agree ${model} ${short(fingerprint)}${only}`);
}
