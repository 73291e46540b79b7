/** A typed service's answers as the suite judges them. Pure. */
import { labelClasses, type OutputRole, type ResponseStruct } from '../contract/contract.js';
import { contractMismatch } from '../errors.js';
import type { FixtureAnswers } from '../evaluation/acceptance.js';
import type { Column } from '../model/row.js';
import { commonest } from '../registry/acceptance/answers-of.js';
import type { PlainAnswer } from '../rpc/client/typed.js';

/** @param truth one per answer: a class as the contract spells it, or a number */
export function answersFrom(answers: readonly PlainAnswer[], response: ResponseStruct, truth: Column): FixtureAnswers {
  const named = (role: OutputRole) => response.fields.find((field) => field.role === role);
  const label = named('label');
  if (label === undefined) {
    const column = (role: OutputRole): number[] | undefined => {
      const name = named(role)?.name;
      return name === undefined ? undefined : answers.map((answer) => Number(answer[name] ?? Number.NaN));
    };
    const [predicted, intervalLow, intervalHigh] = [column('value'), column('interval_low'), column('interval_high')];
    if (predicted === undefined) throw contractMismatch(`${response.name} answers neither a label nor a value`);
    const values = truth as Float64Array;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      task: 'regression',
      truth: values,
      predicted,
      ...(intervalLow === undefined ? {} : { intervalLow }),
      ...(intervalHigh === undefined ? {} : { intervalHigh }),
      baseline: new Float64Array(values.length).fill(mean),
    };
  }
  const labels = answers.map((answer) => String(answer[label.name] ?? ''));
  const declared = labelClasses(response);
  const classes = declared.length > 0 ? declared : [...new Set([...(truth as string[]), ...labels])].sort();
  const indices = (truth as string[]).map((name) => classes.indexOf(name));
  const positive = label.enum?.members.find((member) => member.positive)?.label;
  const probabilities = probabilitiesOf(answers, named('probability')?.name, classes);
  return {
    task: 'classification',
    classes: classes.length,
    classNames: classes,
    truth: indices,
    predicted: labels.map((name) => classes.indexOf(name)),
    ...(probabilities === undefined ? {} : { probabilities }),
    ...(positive === undefined ? {} : { positive: classes.indexOf(positive) }),
    baseline: new Array<number>(indices.length).fill(commonest(indices, classes.length)),
  };
}

/** Rows × classes; undefined where the response has no map of them. A class that an answer lacks is NaN. */
function probabilitiesOf(
  answers: readonly PlainAnswer[],
  name: string | undefined,
  classes: readonly string[],
): Float64Array | undefined {
  if (name === undefined) return undefined;
  const probabilities = new Float64Array(answers.length * classes.length);
  answers.forEach((answer, row) => {
    const given = (answer[name] ?? {}) as Readonly<Record<string, number>>;
    classes.forEach((each, index) => {
      probabilities[row * classes.length + index] = given[each] ?? Number.NaN;
    });
  });
  return probabilities;
}
