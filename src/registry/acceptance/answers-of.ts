/** What a version's graph put out for rows, as the contract's classes and values. */
import { labelClasses } from '../../contract/contract.js';
import { contractMismatch } from '../../errors.js';
import type { FixtureAnswers } from '../../evaluation/acceptance.js';
import type { Column } from '../../model/row.js';
import type { Tensor } from '../../model/tensor.js';
import { modelTypeOf } from '../../model-types/table.js';
import type { LoadedVersion } from '../loaded-version.js';

type Outputs = Readonly<Record<string, Tensor>>;

/** @param truth one per row: a class as the contract spells it, or a number */
export function answersOf(version: LoadedVersion, outputs: Outputs, truth: Column): FixtureAnswers {
  return version.binding!.method.response.fields.some(({ role }) => role === 'label')
    ? classAnswers(version, outputs, truth as readonly string[])
    : valueAnswers(version, outputs, truth as Float64Array);
}

/** The classes are counted in the contract's order; the graph may have them in another. */
function classAnswers(version: LoadedVersion, outputs: Outputs, truth: readonly string[]): FixtureAnswers {
  const { response } = version.binding!.method;
  const ofGraph = version.artifact.metadata.classes as readonly string[];
  const declared = labelClasses(response);
  const classes = declared.length > 0 ? declared : ofGraph;
  const index = new Map(classes.map((name, at) => [name, at]));
  const label = outputOf(version, outputs, 'label');
  if (label === undefined) throw contractMismatch('the graph answers no label');
  const truthIndices = Array.from(truth, (name) => index.get(name) ?? -1);
  const predicted = Array.from({ length: truth.length }, (_, row) => {
    const value = label.data[row]!;
    return index.get(typeof value === 'string' ? value : (ofGraph[Number(value)] ?? '')) ?? -1;
  });
  const positive = response.fields
    .find((field) => field.role === 'label')
    ?.enum?.members.find((member) => member.positive)?.label;
  return {
    task: 'classification',
    classes: classes.length,
    classNames: classes,
    truth: truthIndices,
    predicted,
    ...probabilitiesOf(version, outputs, classes, ofGraph, truth.length),
    ...(positive === undefined ? {} : { positive: index.get(positive)! }),
    baseline: new Array<number>(truth.length).fill(commonest(truthIndices, classes.length)),
  };
}

function probabilitiesOf(
  version: LoadedVersion,
  outputs: Outputs,
  classes: readonly string[],
  ofGraph: readonly string[],
  rows: number,
): { probabilities?: Float64Array } {
  const from = probabilityOutput(version, outputs);
  if (from?.shape.length !== 2 || from.shape[1] !== ofGraph.length) return {};
  const probabilities = new Float64Array(rows * classes.length);
  for (let row = 0; row < rows; row++) {
    ofGraph.forEach((name, column) => {
      probabilities[row * classes.length + classes.indexOf(name)] = Number(from.data[row * ofGraph.length + column]);
    });
  }
  return { probabilities };
}

/** The output that the contract's probabilities come from, or, where it asks for none, the one that is called so. */
function probabilityOutput(version: LoadedVersion, outputs: Outputs): Tensor | undefined {
  const roles = ['probability', 'confidence', 'probability_of_positive'];
  const bound = version.binding!.outputs.find(({ field }) => roles.includes(field.role))?.output;
  const name = bound === undefined ? undefined : version.session.signature.outputs[bound]?.name;
  return outputs[name ?? modelTypeOf(version.artifact.modelType).defaultOutputs.probabilities ?? ''];
}

/** What always answering the fixtures' commonest class says: the strongest constant there is. */
export function commonest(truth: readonly number[], classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const index of truth) counts[index]!++;
  return counts.indexOf(Math.max(...counts));
}

function valueAnswers(version: LoadedVersion, outputs: Outputs, truth: Float64Array): FixtureAnswers {
  const mean = truth.reduce((a, b) => a + b, 0) / truth.length;
  const values = (role: 'value' | 'interval_low' | 'interval_high'): number[] | undefined => {
    const output = outputOf(version, outputs, role);
    return output === undefined ? undefined : Array.from(output.data as Float32Array, Number);
  };
  const [predicted, intervalLow, intervalHigh] = [values('value'), values('interval_low'), values('interval_high')];
  if (predicted === undefined) throw contractMismatch('the graph answers no value');
  return {
    task: 'regression',
    truth,
    predicted,
    ...(intervalLow === undefined ? {} : { intervalLow }),
    ...(intervalHigh === undefined ? {} : { intervalHigh }),
    baseline: new Float64Array(truth.length).fill(mean),
  };
}

function outputOf(version: LoadedVersion, outputs: Outputs, role: string): Tensor | undefined {
  const bound = version.binding!.outputs.find((output) => output.field.role === role);
  const name = bound?.output === undefined ? undefined : version.session.signature.outputs[bound.output]?.name;
  return name === undefined ? undefined : outputs[name];
}
