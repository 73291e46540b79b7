/** `parley accept`: runs the acceptance suite, on a published version for the record, or on anything for a test. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { invalidInput, ParleyError } from '../errors.js';
import type { Verdict } from '../model/version.js';
import { junitOf } from '../testing/junit.js';
import { markdownOf } from '../testing/markdown.js';
import { reportOf, type SuiteReport } from '../testing/report.js';
import type { Subject } from '../testing/subject.js';
import { figureName } from '../testing/title.js';
import {
  type CliContext,
  type CommandDefinition,
  registryOptions,
  type StoreOptions,
  unlessAborted,
  withRegistry,
} from './context.js';
import { figure, type Output, short } from './output.js';

interface Options extends StoreOptions {
  readonly project?: string;
  readonly file?: string;
  readonly type?: string;
  readonly modelVersion?: string;
  readonly served?: boolean;
  readonly list?: boolean;
  readonly junit?: string;
  readonly markdown?: string;
}

const EXIT_NOT_ACCEPTED = 1,
  EXIT_ERROR = 2;

export const accept: CommandDefinition = (program, context) => {
  registryOptions(program.command('accept'))
    .summary("run the contract's acceptance suite")
    .description(
      "Runs the contract's acceptance suite on a published version and records the verdict for exactly that digest. With --project it tests something by that project's own contract and fixtures, and records nothing: a file, a version in the store, or what a running server answers. Exit code 1 when it does not pass, 2 when it could not be run.",
    )
    .argument('[model]', 'the model')
    .argument('[version]', 'a version, or the first 8 or more characters of it')
    .option('--project <folder>', "test by this project's contract and fixtures, and record nothing")
    .option('--file <file>', 'with --project: an ONNX graph, or what "parley export" wrote')
    .option('--type <name>', 'with --file: the model type of a graph; deduced when absent')
    .option('--model-version <version>', "with --project: a version in the store, or of --file's archive")
    .option('--served', 'with --project: what a running server answers over the wire (--server)')
    .option('--list', "with --project: only say what the project's criteria are")
    .option('--junit <file>', 'write the report as JUnit XML, for CI systems')
    .option('--markdown <file>', 'write the report as Markdown')
    .addHelpText(
      'after',
      '\nExamples:\n  parley accept penguins 3f2a9c41\n  parley accept penguins 3f2a9c41 --server 127.0.0.1:9090 --json\n  parley accept --project examples/penguins --file penguins.onnx --junit report.xml\n  parley accept --project examples/penguins --served --server 127.0.0.1:9090',
    )
    .action(async (model: string | undefined, version: string | undefined, options: Options, command: Command) => {
      const wrong = wrongUsage(model, version, options);
      if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: EXIT_ERROR });
      try {
        if (options.list === true) return await list(context, options);
        const report = await (options.project === undefined
          ? acceptVersion(context, model!, version!, options)
          : testProject(context, options.project, options));
        await tell(context, report, options);
        if (!report.accepted) process.exitCode = EXIT_NOT_ACCEPTED;
      } catch (error) {
        // A version that was not accepted and one that could not be tested are not the same to a script.
        if (!(error instanceof ParleyError) || context.signal.aborted) throw error;
        context.output.failure(error);
        process.exitCode = EXIT_ERROR;
      }
    });
};

function wrongUsage(model: string | undefined, version: string | undefined, options: Options): string | undefined {
  const { project, file, type, modelVersion, served, list } = options;
  if (project === undefined) {
    const only = {
      '--file': file,
      '--type': type,
      '--model-version': modelVersion,
      '--served': served,
      '--list': list,
    };
    const given = Object.entries(only).find(([, value]) => value !== undefined);
    if (given !== undefined) return `${given[0]} goes with --project`;
    return model === undefined || version === undefined
      ? 'name a model and a version of it, or give --project with what is to be tested'
      : undefined;
  }
  if (model !== undefined) return '--project says which model it is: name none beside it';
  if (type !== undefined && file === undefined) return '--type goes with --file';
  if (served === true && (file !== undefined || modelVersion !== undefined))
    return '--served tests what the server answers: give neither --file nor --model-version beside it';
  if (list !== true && served !== true && file === undefined && modelVersion === undefined)
    return 'say what is to be tested: --file, --model-version or --served';
  return undefined;
}

async function acceptVersion(context: CliContext, model: string, version: string, options: Options) {
  const verdict = await withRegistry(context, options, (registry) => registry.accept(model, version));
  return reportOf({ model, subject: `version ${short(version)}`, verdict });
}

async function testProject(context: CliContext, folder: string, options: Options): Promise<SuiteReport> {
  const { openSuite, runSuite } = await import('../testing/run.js');
  return unlessAborted(context.signal, async () =>
    runSuite(await openSuite(folder, context.signal), subjectOf(options), context.signal),
  );
}

function subjectOf({ file, type, modelVersion, served, server, ...where }: Options): Subject {
  if (served === true) return { server, ...where };
  if (file === undefined) return { version: modelVersion!, ...where };
  return {
    file,
    ...(type === undefined ? {} : { modelType: type }),
    ...(modelVersion === undefined ? {} : { modelVersion }),
  };
}

async function list({ output, signal }: CliContext, { project, json }: Options): Promise<void> {
  const { openSuite } = await import('../testing/run.js');
  const { criteria, project: read, fixtures } = await openSuite(project!, signal);
  if (json) output.json({ model: read.contract.model, criteria, warnings: fixtures.warnings });
  else for (const { title } of criteria) output.line(title);
}

async function tell({ output }: CliContext, report: SuiteReport, { json, junit, markdown }: Options): Promise<void> {
  if (junit !== undefined) await write(junit, junitOf(report));
  if (markdown !== undefined) await write(markdown, markdownOf(report));
  if (json) return output.json(report);
  for (const warning of report.warnings) output.note(`note: ${warning}`);
  printVerdict(output, report);
  for (const { explanation, wrong } of report.criteria)
    if (explanation !== undefined && wrong !== undefined && wrong.count > 0) output.line(`\n${explanation}`);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw invalidInput(`${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

export function printVerdict(output: Output, verdict: Verdict): void {
  output.table(
    ['criterion', 'bound', 'measured', 'compared', ''],
    verdict.criteria.map((criterion) => [
      figureName(criterion),
      criterion.bound,
      figure(criterion.measured),
      criterion.compared === undefined ? '' : figure(criterion.compared),
      criterion.passed ? 'passed' : 'FAILED',
    ]),
  );
  for (const criterion of verdict.criteria)
    if (criterion.note !== undefined) output.line(`${figureName(criterion)}: ${criterion.note}`);
  const passed = verdict.criteria.filter((criterion) => criterion.passed).length;
  output.line(
    `${verdict.accepted ? 'accepted' : 'not accepted'}: ${passed} of ${verdict.criteria.length} criteria passed on ${verdict.fixtureRows} fixtures (contract ${short(verdict.contractFingerprint)}, fixtures ${short(verdict.fixtureFingerprint)})`,
  );
}
