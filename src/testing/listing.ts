/** The criteria of a project before anything was run: what a test runner makes its tests of. */
import { type Acceptance, type ContractService, labelClasses } from '../contract/contract.js';
import { type FixtureAnswers, judge } from '../evaluation/acceptance.js';
import type { Criterion } from '../model/version.js';
import type { FixtureTable } from '../registry/fixture-table.js';
import { rowsOf } from '../registry/wrong-rows.js';
import { criterionKey, titleOf } from './title.js';

export interface ListedCriterion {
  /** By which the suite's outcome is found again. */
  readonly key: string;
  readonly title: string;
}

/**
 * The criteria as the suite will have them: those of a model that is always right.
 *
 * @throws ParleyError INVALID_INPUT where the suite could not be run, such as for too few fixtures
 */
export function listCriteria(service: ContractService, fixtures: FixtureTable): readonly ListedCriterion[] {
  const { criteria } = judge({
    // Whose ends count changes no criterion's name, and takes long to compute.
    acceptance: withoutConfidence(service.accept),
    answers: rightAnswers(service, fixtures),
    cost: { latencyP50Ms: 0, latencyP99Ms: 0, sizeBytes: 0 },
    contractFingerprint: '',
    fixtureFingerprint: '',
    rowsIn: (slice) => rowsOf(fixtures, service.methods[0]!.request, slice),
  });
  return criteria.map((criterion: Criterion) => ({ key: criterionKey(criterion), title: titleOf(criterion) }));
}

function withoutConfidence({ confidence: _, ...acceptance }: Acceptance): Acceptance {
  return acceptance;
}

function rightAnswers({ methods }: ContractService, { truth, answer }: FixtureTable): FixtureAnswers {
  if (answer.role !== 'label') {
    const values = Float64Array.from(truth as Float64Array);
    return { task: 'regression', truth: values, predicted: values, baseline: values };
  }
  const declared = labelClasses(methods[0]!.response);
  const classes = declared.length > 0 ? declared : [...new Set(truth as string[])];
  const indices = (truth as string[]).map((name) => classes.indexOf(name));
  const probabilities = new Float64Array(indices.length * classes.length);
  indices.forEach((index, row) => {
    probabilities[row * classes.length + index] = 1;
  });
  const positive = answer.enum?.members.find((member) => member.positive)?.label;
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
