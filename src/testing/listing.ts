/** The criteria of a project before anything was run: what a test runner makes its tests of. */
import { type Acceptance, type ContractMethod, labelClasses } from '../contract/contract.js';
import { type FixtureAnswers, judge } from '../evaluation/acceptance.js';
import type { Column } from '../model/row.js';
import type { Answering } from '../registry/acceptance/answering.js';
import { readChecks } from '../registry/acceptance/checks-file.js';
import { rowsIn } from '../registry/acceptance/rows.js';
import { runChecks } from '../registry/acceptance/run-checks.js';
import type { FixtureTable } from '../registry/fixture-table.js';
import type { Project } from '../training/project.js';
import { criterionKey, titleOf } from './title.js';

export interface ListedCriterion {
  /** By which the suite's outcome is found again. */
  readonly key: string;
  readonly title: string;
}

/**
 * The criteria as the suite will have them: those of a model that is always right.
 *
 * @throws ParleyError INVALID_INPUT where the suite could not be run
 */
export async function listCriteria(
  { service, checks }: Pick<Project, 'service' | 'checks'>,
  { rows, truth }: FixtureTable,
): Promise<readonly ListedCriterion[]> {
  const method = service.methods[0]!;
  const right: Answering = { method, answers: async (_, wanted) => rightAnswers(method, wanted) };
  const { criteria } = judge({
    // Whose ends count changes no criterion's name, and takes long to compute.
    acceptance: withoutConfidence(service.accept),
    answers: rightAnswers(method, truth),
    cost: { latencyP50Ms: 0, latencyP99Ms: 0, sizeBytes: 0 },
    contractFingerprint: '',
    fixtureFingerprint: '',
    rowsIn: (slice) => rowsIn(rows, method.request, slice),
    ...(checks === undefined ? {} : { checks: await runChecks(readChecks(checks, method), right, rows) }),
  });
  return criteria.map((criterion) => ({ key: criterionKey(criterion), title: titleOf(criterion) }));
}

function withoutConfidence({ confidence: _, ...acceptance }: Acceptance): Acceptance {
  return acceptance;
}

function rightAnswers({ response }: ContractMethod, truth: Column): FixtureAnswers {
  if (truth instanceof Float64Array) {
    const values = Float64Array.from(truth);
    return {
      task: 'regression',
      truth: values,
      predicted: values,
      baseline: values,
      intervalLow: values,
      intervalHigh: values,
    };
  }
  const declared = labelClasses(response);
  const classes = declared.length > 0 ? declared : [...new Set(truth)];
  const indices = truth.map((name) => classes.indexOf(name));
  const probabilities = new Float64Array(indices.length * classes.length);
  indices.forEach((index, row) => {
    probabilities[row * classes.length + index] = 1;
  });
  const label = response.fields.find(({ role }) => role === 'label');
  const positive = label?.enum?.members.find((member) => member.positive)?.label;
  return {
    task: 'classification',
    classes: classes.length,
    classNames: classes,
    truth: indices,
    predicted: indices,
    probabilities,
    ...(positive === undefined ? {} : { positive: classes.indexOf(positive) }),
    baseline: indices,
  };
}
