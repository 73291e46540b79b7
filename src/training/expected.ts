/** Rows and the trainer's own answers to them, which the stored graph must repeat. */
import type { Column, ColumnBatch } from '../model/row.js';
import type { Tensor } from '../model/tensor.js';
import type { Expected } from '../model/trained.js';
import type { Fitted, FittedFeatures } from '../model/training-port.js';
import type { RowSpool } from './row-spool.js';

const MOST_ROWS = 1000;

export interface FittedModel {
  readonly features: FittedFeatures;
  readonly fitted: Fitted;
  /** None for regression. */
  readonly classes: readonly string[];
}

/** The first thousand rows of the spools, one after the other. */
export function expectedOf(spools: readonly RowSpool[], model: FittedModel): Expected {
  const rows = firstRows(spools);
  const matrix = new Float32Array(rows.rows * model.features.width);
  model.features.transform(rows, matrix);
  const predicted = model.fitted.predict(matrix, rows.rows);
  return { rows, outputs: outputsOf(predicted, rows.rows, model.classes) };
}

/** Index of the highest probability of a row; of equally high ones the first, as in the graph. */
export function highest(probabilities: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let index = 1; index < classes; index++)
    if (probabilities[row * classes + index] > probabilities[row * classes + best]) best = index;
  return best;
}

function outputsOf(predicted: Float32Array, rows: number, classes: readonly string[]): Record<string, Tensor> {
  if (classes.length === 0) return { value: { dataType: 'float32', shape: [rows], data: predicted } };
  const label = Array.from({ length: rows }, (_, row) => classes[highest(predicted, row, classes.length)]);
  return {
    label: { dataType: 'string', shape: [rows], data: label },
    probabilities: { dataType: 'float32', shape: [rows, classes.length], data: predicted },
  };
}

/** Without the truth, which is the spools' last column. */
function firstRows(spools: readonly RowSpool[]): ColumnBatch {
  const specs = spools[0].specs.slice(0, -1);
  const values: (number | string)[][] = specs.map(() => []);
  let rows = 0;
  for (const batch of spools.flatMap((spool) => firstBatches(spool))) {
    const taken = Math.min(batch.rows, MOST_ROWS - rows);
    for (const [index, column] of values.entries()) column.push(...batch.columns[index].slice(0, taken));
    rows += taken;
  }
  const columns = specs.map(
    (spec, index): Column =>
      spec.kind === 'number' ? Float64Array.from(values[index], Number) : values[index].map(String),
  );
  return { specs, rows, columns };
}

/** Copies, since a spool's columns last only until the next batch. */
function firstBatches(spool: RowSpool): ColumnBatch[] {
  const batches: ColumnBatch[] = [];
  let rows = 0;
  for (const batch of spool.batches()) {
    batches.push({ ...batch, columns: batch.columns.map((column) => column.slice()) });
    if ((rows += batch.rows) >= MOST_ROWS) break;
  }
  return batches;
}
