/** `parley train`: from a project's source to a published version, and on to production with `--promote`. */
import { InvalidArgumentError } from 'commander';
import type { ContractChange } from '../contract/change.js';
import type { RegistryPort } from '../model/registry-port.js';
import type { LedgerEntry, ModelVersion, Verdict } from '../model/version.js';
import { loadProject } from '../training/project.js';
import { newRunId, publishProjectContract, publishTrained } from '../training/publish-run.js';
import { type Trained, train as trainProject } from '../training/train.js';
import { printVerdict } from './accept.js';
import {
  type CliContext,
  type CommandDefinition,
  registryOptions,
  type StoreOptions,
  withRegistry,
} from './context.js';
import { ALLOW_BREAKING, printDifferences } from './contract-publish.js';
import { printMove } from './history.js';
import { figure, type Output, short } from './output.js';
import { ProgressLine } from './progress.js';

interface Options extends StoreOptions {
  readonly set?: Readonly<Record<string, string>>;
  readonly promote?: boolean;
  readonly reason?: string;
  readonly allowBreaking?: string;
}

interface Outcome {
  readonly run_id: string;
  /** Whether the version is new; the same training makes the same version. */
  readonly published: boolean;
  readonly version: ModelVersion;
  readonly metrics: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** From the contract that was in force. */
  readonly differences: readonly ContractChange[];
  readonly verdict?: Verdict;
  readonly promotion?: LedgerEntry;
}

export const train: CommandDefinition = (program, context) => {
  registryOptions(program.command('train'))
    .summary('train a project and publish the version')
    .description(
      'Trains a project: reads its source, fits features and model into one ONNX graph, evaluates it on held-out rows, checks the graph against contract and trainer, and publishes it. With --promote it is also accepted and put into production; exit code 1 when it does not pass.',
    )
    .argument('<project>', 'the folder of parley.yaml')
    .option(
      '--set <key=value>',
      'override a key of parley.yaml for this run, such as trainer.max_iterations=200',
      collect,
    )
    .option('--promote', 'run the acceptance suite, and promote to production when it passes')
    .option('--reason <text>', 'why it is promoted; goes into the ledger')
    .option(...ALLOW_BREAKING)
    .addHelpText(
      'after',
      '\nExamples:\n  parley train examples/penguins\n  parley train examples/penguins --promote --set trainer.max_iterations=200',
    )
    .action(async (folder: string, { set = {}, promote, reason, allowBreaking, ...options }: Options) => {
      const progress = new ProgressLine(context.output);
      const outcome = await runTraining(context, options, progress, {
        folder,
        set,
        promote: promote === true,
        reason,
        allowBreaking,
      }).finally(() => progress.end());
      if (options.json) context.output.json(outcome);
      else printOutcome(context.output, outcome, promote === true);
      if (promote && outcome.verdict?.accepted !== true) process.exitCode = 1;
    });
};

async function runTraining(
  context: CliContext,
  options: StoreOptions,
  progress: ProgressLine,
  request: {
    folder: string;
    set: Readonly<Record<string, string>>;
    promote: boolean;
    reason: string | undefined;
    allowBreaking: string | undefined;
  },
): Promise<Outcome> {
  const { signal } = context;
  const project = await loadProject(request.folder, request.set);
  // The store is opened first: a run whose outcome could not be kept is not begun.
  return withRegistry(context, options, async (registry) => {
    const trained = await trainProject(project, {
      signal,
      onProgress: ({ stage, message, fraction }) => progress.show(stage, message, fraction),
    });
    const runId = newRunId(new Date());
    progress.show('publish', 'inspecting, binding, rehearsing and comparing the graph');
    signal.throwIfAborted();
    const { allowBreaking } = request;
    const { warnings, differences } = await publishProjectContract(
      registry,
      project,
      signal,
      allowBreaking === undefined ? {} : { allowBreaking },
    );
    const version = await publishTrained(registry, project, trained, runId, signal);
    const published = version.runId === runId;
    const base = {
      run_id: runId,
      published,
      version,
      metrics: trained.metrics,
      warnings: [...trained.warnings, ...warnings],
      differences,
    };
    return request.promote
      ? { ...base, ...(await acceptAndPromote(registry, version, progress, request.reason)) }
      : base;
  });
}

async function acceptAndPromote(
  registry: RegistryPort,
  { model, version }: ModelVersion,
  progress: ProgressLine,
  reason: string | undefined,
): Promise<Pick<Outcome, 'verdict' | 'promotion'>> {
  progress.show('accept', "running the contract's acceptance suite");
  const verdict = await registry.accept(model, version);
  if (!verdict.accepted) return { verdict };
  return {
    verdict,
    promotion: await registry.promote({ model, version, ...(reason === undefined ? {} : { reason }) }),
  };
}

function printOutcome(
  output: Output,
  { published, version, metrics, warnings, differences, verdict, promotion }: Outcome,
  wanted: boolean,
): void {
  printMetrics(output, metrics);
  output.line();
  for (const warning of warnings) output.note(`note: ${warning}`);
  output.line(`version ${version.version}`);
  output.line(
    published
      ? `${version.modelType}, ${version.sizeBytes} bytes, published as a version of "${version.model}"`
      : `"${version.model}" has this version already${version.runId === undefined ? '' : `, from run ${version.runId}`}; nothing new was published`,
  );
  if (differences.length > 0) {
    output.line('its contract is in force in place of another one:');
    printDifferences(output, differences);
  }
  if (verdict !== undefined) {
    output.line();
    printVerdict(output, verdict);
  }
  if (promotion !== undefined) {
    output.line();
    printMove(output, version.model, promotion);
  } else if (!wanted) {
    output.note(
      `next: parley accept ${version.model} ${short(version.version)} && parley promote ${version.model} ${short(version.version)}`,
    );
  } else output.note('it was not promoted; what is in production stays there');
}

/** The held-out figures, with the baseline's beside them. */
function printMetrics(output: Output, metrics: Trained['metrics']): void {
  const names = Object.keys(metrics)
    .filter((name) => name.startsWith('test.'))
    .map((name) => name.slice('test.'.length));
  output.table(
    ['on held-out rows', 'model', 'baseline'],
    names.map((name) => {
      const baseline = metrics[`baseline.${name}`];
      return [name, figure(metrics[`test.${name}`]!), baseline === undefined ? '' : figure(baseline)];
    }),
  );
}

function collect(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write KEY=VALUE, such as trainer.max_iterations=200.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
