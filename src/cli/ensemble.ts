/** `parley ensemble`: versions of a model that answer together become a version themselves. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RegistryPort } from '../model/registry-port.js';
import type { LedgerEntry, ModelVersion, Verdict } from '../model/version.js';
import { type PublishEnsemble, publishEnsemble } from '../registry/publish-ensemble.js';
import { printVerdict } from './accept.js';
import {
  type CliContext,
  type CommandDefinition,
  registryOptions,
  type StoreOptions,
  withRegistry,
} from './context.js';
import { printMove } from './history.js';
import { short } from './output.js';
import { printTypeFields } from './signature.js';

interface Options extends StoreOptions {
  readonly average?: boolean;
  readonly vote?: boolean;
  readonly contract?: string;
  readonly description?: string;
  readonly promote?: boolean;
  readonly reason?: string;
}

type Members = PublishEnsemble['members'];

interface Outcome {
  readonly version: ModelVersion;
  readonly verdict?: Verdict;
  readonly promotion?: LedgerEntry;
}

export const ensemble: CommandDefinition = (program, context) => {
  registryOptions(program.command('ensemble'))
    .summary('let versions of a model answer together')
    .description(
      'Publishes a version that asks others of its model and combines their answers: the weighted mean of their probabilities or values, or a weighted vote. Members are named by digest; they must answer the same classes or outputs, and cannot be retired or pruned while the ensemble is there.',
    )
    .argument('<model>', 'the model')
    .argument(
      '<version[=weight]...>',
      'a version, or the first 8 or more characters of it, and what it counts; 1 unless said otherwise',
      membersOf,
    )
    .addOption(new Option('--average', 'the weighted mean (the default)').conflicts('vote'))
    .addOption(new Option('--vote', 'the class with the most weight behind it'))
    .option('--contract <service>', "the service of the model's contract that it is to answer")
    .option('--description <text>', 'what it is; kept with the version')
    .option('--promote', 'accept and promote it when it passes')
    .option('--reason <text>', 'why it is promoted; goes into the ledger')
    .addHelpText(
      'after',
      '\nExamples:\n  parley ensemble penguins 3f2a9c41 90be11d2=2\n  parley ensemble penguins 3f2a9c41 90be11d2 77aa0c15 --vote --promote',
    )
    .action(async (model: string, members: Members, options: Options, command: Command) => {
      if (members.length < 2) command.error('error: an ensemble is made of two versions or more', { exitCode: 2 });
      const outcome = await withRegistry(context, options, (registry) => make(registry, model, members, options));
      if (options.json) context.output.json(outcome);
      else print(context, outcome, options);
      if (options.promote && outcome.promotion === undefined) process.exitCode = 1;
    });
};

async function make(registry: RegistryPort, model: string, members: Members, options: Options): Promise<Outcome> {
  const { contract, description, reason } = options;
  const version = await publishEnsemble(registry, {
    model,
    members,
    combine: options.vote === true ? 'vote' : 'average',
    ...(contract === undefined ? {} : { contractService: contract }),
    ...(description === undefined ? {} : { description }),
  });
  if (options.promote !== true) return { version };
  const verdict = version.contractFingerprint === undefined ? undefined : await registry.accept(model, version.version);
  if (verdict?.accepted === false) return { version, verdict };
  const promotion = await registry.promote({
    model,
    version: version.version,
    ...(reason === undefined ? {} : { reason }),
  });
  return { version, promotion, ...(verdict === undefined ? {} : { verdict }) };
}

function print({ output }: CliContext, { version, verdict, promotion }: Outcome, { promote }: Options): void {
  const { model } = version,
    id = short(version.version);
  printTypeFields(output, version.typeFields ?? {});
  output.line();
  output.line(`version ${version.version}`);
  output.line(`ensemble, published as a version of "${model}"`);
  if (verdict !== undefined) {
    output.line();
    printVerdict(output, verdict);
  }
  if (promotion !== undefined) printMove(output, model, promotion);
  else if (promote) output.note('it was not promoted; what is in production stays there');
  else {
    const accept = version.contractFingerprint === undefined ? '' : `parley accept ${model} ${id} && `;
    output.note(`next: ${accept}parley promote ${model} ${id}`);
  }
}

function membersOf(text: string, before: Members = []): Members {
  const [, version, weight = '1'] = /^([0-9a-fA-F]+)(?:=(.+))?$/.exec(text) ?? [];
  if (version === undefined || !(Number(weight) > 0 && Number.isFinite(Number(weight))))
    throw new InvalidArgumentError('Write VERSION or VERSION=WEIGHT, the weight above 0, such as 3f2a9c41=2.');
  return [...before, { version, weight: Number(weight) }];
}
