/** What the trainer itself answers for every penguin there is: the truth that every client is held to. */
import { createHash } from 'node:crypto';
import { planFeatures } from '#parley/features/plan.js';
import type { ColumnBatch, ColumnSpec } from '#parley/model/row.js';
import type { Fitted, FittedFeatures } from '#parley/model/training-port.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { csv } from '#parley/sources/csv/source.js';
import { sqlite } from '#parley/sources/sqlite/source.js';
import { loadProject, type Project } from '#parley/training/project.js';
import { readRows } from '#parley/training/read-rows.js';
import { train } from '#parley/training/train.js';
import { type Read, readAll } from '../unit/sources/reading.js';
import { PROJECT } from './server.js';

/** A penguin as a client would write it: what is missing is left out. */
export type Row = Readonly<Record<string, number | string>>;

export interface Truth {
  readonly row: Row;
  /** Class -> probability. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface TrainerAnswers {
  /** SHA-256 of the envelope that this training makes. */
  readonly version: string;
  /** In the graph's order. */
  readonly classes: readonly string[];
  /** Every measured penguin of the SQLite table, answered by `Trained.expected`. */
  readonly table: readonly Truth[];
  /** Every fixture, answered by the fitted model in memory. */
  readonly fixtures: readonly Truth[];
  /** The table's penguins that were never measured, and that nobody answers. */
  readonly unmeasured: readonly Row[];
}

/** Trains as `parley train` does, from the same rows, configuration and seed. */
export async function trainerAnswers(): Promise<TrainerAnswers> {
  let fitted: Fitted | undefined;
  const project = await loadProject(PROJECT);
  const { artifact, expected } = await train(observed(project, (made) => (fitted = made)));
  const features = await fitFeatures(project);
  const classes = artifact.metadata.classes as readonly string[];
  const envelope = modelTypeOf(artifact.modelType).serialize(artifact);
  const fixtures = await fixtureRows(expected.rows);
  const truths = (rows: ColumnBatch, outputs: Float32Array) => rowsOf(rows).map((row, i) => truth(row, outputs, i));
  const truth = (row: Row, outputs: Float32Array, i: number): Truth => ({
    row,
    probabilities: Object.fromEntries(classes.map((name, k) => [name, outputs[i * classes.length + k]])),
  });
  return {
    version: createHash('sha256').update(envelope).digest('hex'),
    classes,
    table: truths(expected.rows, expected.outputs.probabilities.data as Float32Array),
    fixtures: truths(fixtures, predict(features, fitted!, fixtures)),
    unmeasured: await unmeasuredRows(expected.rows),
  };
}

/** The project, with a trainer that shows what it fitted. */
function observed(project: Project, show: (fitted: Fitted) => void): Project {
  const { trainer } = project.trainer;
  const fit: typeof trainer.fit = async (...given) => {
    const fitted = await trainer.fit(...given);
    show(fitted);
    return fitted;
  };
  return { ...project, trainer: { ...project.trainer, trainer: { ...trainer, fit } } };
}

async function fitFeatures(project: Project): Promise<FittedFeatures> {
  const rows = await readRows(project);
  try {
    const fitter = planFeatures(project.request.fields, project.features);
    for (const batch of rows.train.batches()) fitter.observe(batch);
    return fitter.finish();
  } finally {
    rows.close();
  }
}

function predict(features: FittedFeatures, fitted: Fitted, rows: ColumnBatch): Float32Array {
  const matrix = new Float32Array(rows.rows * features.width);
  features.transform(rows, matrix);
  return fitted.predict(matrix, rows.rows);
}

const fixtureRows = async ({ specs }: ColumnBatch): Promise<ColumnBatch> =>
  columnsOf(specs, await readAll(csv.kind, { path: 'fixtures.csv' }, PROJECT));

async function unmeasuredRows({ specs }: ColumnBatch): Promise<readonly Row[]> {
  const query = 'SELECT * FROM penguins WHERE bill_length_mm IS NULL';
  return rowsOf(columnsOf(specs, await readAll(sqlite.kind, { path: 'data/penguins.sqlite', query }, PROJECT)));
}

/** Those columns of what was read. */
function columnsOf(specs: readonly ColumnSpec[], { values }: Read): ColumnBatch {
  const columns = specs.map(({ name, kind }) =>
    kind === 'number' ? Float64Array.from(values[name], Number) : values[name].map(String),
  );
  return { specs, rows: columns[0].length, columns };
}

const rowsOf = ({ specs, rows, columns }: ColumnBatch): Row[] =>
  Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(
      specs
        .map(({ name }, k): [string, number | string] => [name, columns[k][i]])
        .filter(([, value]) => value !== '' && !Number.isNaN(value)),
    ),
  );
