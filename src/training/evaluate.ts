/** The held-out rows, answered by the fitted model and by its baseline, in one pass. */
import type { FittedModel } from './expected.js';
import type { Project } from './project.js';
import type { RowSpool } from './row-spool.js';
import { ClassScores, ValueScores } from './scores.js';
import { Targets } from './targets.js';
import type { Turns } from './turns.js';

/** What to answer without looking at a row. */
export interface Baseline {
  /** Each class's share of the rows to learn from; empty for regression. */
  readonly shares: Float64Array;
  /** Of the targets of the rows to learn from. */
  readonly mean: number;
}

export interface Evaluated extends FittedModel {
  readonly rows: RowSpool;
  readonly baseline: Baseline;
  readonly turns: Turns;
}

/** @returns `test.<metric>` and `baseline.<metric>`, by the contract's names of metrics */
export async function evaluate(project: Project, model: Evaluated): Promise<Record<string, number>> {
  const scores = () =>
    project.task === 'classification' ? new ClassScores(project, model.classes) : new ValueScores();
  const measured = scores();
  const compared = scores();
  const targets = new Targets(model.classes);
  for (const batch of model.rows.batches()) {
    const matrix = new Float32Array(batch.rows * model.features.width);
    model.features.transform(batch, matrix);
    const truth = targets.of(batch);
    measured.add(truth, model.fitted.predict(matrix, batch.rows));
    compared.add(truth, constantAnswer(model, batch.rows));
    await model.turns.give();
  }
  return { ...named('test', measured.metrics()), ...named('baseline', compared.metrics()) };
}

function constantAnswer({ classes, baseline }: Evaluated, rows: number): Float32Array {
  if (classes.length === 0) return new Float32Array(rows).fill(baseline.mean);
  const answer = new Float32Array(rows * classes.length);
  for (let row = 0; row < rows; row++) answer.set(baseline.shares, row * classes.length);
  return answer;
}

const named = (prefix: string, metrics: Record<string, number>) =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}.${name}`, value]));
