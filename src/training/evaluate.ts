/** The held-out rows, answered by the fitted model and by its baseline. */
import { brierScore, logLoss, reportClassification } from '../evaluation/classification.js';
import { reportRegression } from '../evaluation/regression.js';
import { type FittedModel, highest } from './expected.js';
import type { Project } from './project.js';
import type { RowSpool } from './row-spool.js';
import { Targets } from './targets.js';
import type { Turns } from './turns.js';

/** Held-out rows that are asked; more would cost memory and say hardly more. */
export const MOST_EVALUATED_ROWS = 1_000_000;

/** What to answer without looking at a row. */
export interface Baseline {
  /** Each class's share of the rows to learn from; empty for regression. */
  readonly shares: Float32Array;
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
  const answers = () =>
    project.task === 'classification' ? new ClassAnswers(project, model.classes) : new ValueAnswers();
  const measured = answers();
  const compared = answers();
  const targets = new Targets(model.classes);
  let rows = 0;
  for (const batch of model.rows.batches()) {
    if ((rows += batch.rows) > MOST_EVALUATED_ROWS) break;
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

/** Keeps classes, and of the probabilities only what they cost. */
class ClassAnswers {
  private readonly truth: number[] = [];
  private readonly predicted: number[] = [];
  private readonly classes: number;
  private readonly positive: number;
  private loss = 0;
  private brier = 0;

  constructor({ answer }: Project, classes: readonly string[]) {
    this.classes = classes.length;
    const positive = answer.enum?.members.find((member) => member.positive)?.label;
    this.positive = positive === undefined ? -1 : classes.indexOf(positive);
  }

  add(truth: Float64Array, probabilities: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      this.truth.push(truth[row]);
      this.predicted.push(highest(probabilities, row, this.classes));
    }
    this.loss += logLoss(this.classes, truth, probabilities) * truth.length;
    this.brier += brierScore(this.classes, truth, probabilities) * truth.length;
  }

  metrics(): Record<string, number> {
    const { classes, truth, predicted, positive } = this;
    const of = { classes, truth, predicted, ...(positive < 0 ? {} : { positive }) };
    const { rows, accuracy, precision, recall, f1 } = reportClassification(of);
    return { accuracy, precision, recall, f1, log_loss: this.loss / rows, brier: this.brier / rows };
  }
}

class ValueAnswers {
  private readonly truth: number[] = [];
  private readonly predicted: number[] = [];

  add(truth: Float64Array, values: Float32Array): void {
    this.truth.push(...truth);
    this.predicted.push(...values);
  }

  metrics(): Record<string, number> {
    const { rmse, mae, r2 } = reportRegression(this.truth, this.predicted);
    return { rmse, mae, r2 };
  }
}
