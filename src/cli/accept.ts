/** `parley accept`: runs the acceptance suite and records the verdict. */
import type { Verdict } from '../model/version.js';
import { type CommandDefinition, registryOptions, type StoreOptions, withRegistry } from './context.js';
import { figure, type Output, short } from './output.js';

export const accept: CommandDefinition = (program, context) => {
  registryOptions(program.command('accept'))
    .summary("run the contract's acceptance suite on a version")
    .description(
      "Runs the contract's acceptance suite on a published version and records the verdict for exactly that digest. Exit code 1 when it does not pass.",
    )
    .argument('<model>', 'the model')
    .argument('<version>', 'a version, or the first 8 or more characters of it')
    .addHelpText(
      'after',
      '\nExamples:\n  parley accept penguins 3f2a9c41\n  parley accept penguins 3f2a9c41 --server 127.0.0.1:9090 --json',
    )
    .action(async (model: string, version: string, options: StoreOptions) => {
      const verdict = await withRegistry(context, options, (registry) => registry.accept(model, version));
      if (options.json) context.output.json(verdict);
      else printVerdict(context.output, verdict);
      if (!verdict.accepted) process.exitCode = 1;
    });
};

export function printVerdict(output: Output, verdict: Verdict): void {
  output.table(
    ['criterion', 'bound', 'measured', 'compared', ''],
    verdict.criteria.map((criterion) => [
      criterion.slice === undefined ? criterion.name : `${criterion.name}[${criterion.slice}]`,
      criterion.bound,
      figure(criterion.measured),
      criterion.compared === undefined ? '' : figure(criterion.compared),
      criterion.passed ? 'passed' : 'FAILED',
    ]),
  );
  const passed = verdict.criteria.filter((criterion) => criterion.passed).length;
  output.line(
    `${verdict.accepted ? 'accepted' : 'not accepted'}: ${passed} of ${verdict.criteria.length} criteria passed on ${verdict.fixtureRows} fixtures (contract ${short(verdict.contractFingerprint)}, fixtures ${short(verdict.fixtureFingerprint)})`,
  );
}
