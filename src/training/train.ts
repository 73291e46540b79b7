/**
 * One run of a project's training: rows → features → fit → evaluate → one graph that contains the features.
 *
 * The graph depends on the rows, the configuration and the seed, and on nothing else. Memory is bounded: rows and examples
 * are spooled. A signal ends the run with its reason, and temporary files go in any case.
 */

import { invalidInput } from '../errors.js';
import { planFeatures } from '../features/plan.js';
import type { Artifact, Expected } from '../model/trained.js';
import type { Fitted, FittedFeatures } from '../model/training-port.js';
import { GraphBuilder } from '../onnx/graph.js';
import { inspectGraph } from '../onnx/reader.js';
import { fedFields } from './contract-rows.js';
import { type Baseline, evaluate, MOST_EVALUATED_ROWS } from './evaluate.js';
import { ExampleSpool } from './example-spool.js';
import { expectedOf } from './expected.js';
import type { Progress, Stage } from './progress.js';
import type { Project } from './project.js';
import { gitState, versions, withoutCredentials } from './provenance.js';
import { readRows, type TrainingRows } from './read-rows.js';
import { findClasses, Targets, unseenClasses } from './targets.js';
import { Turns } from './turns.js';

export interface TrainOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Bytes of rows, and of examples, that are held in memory before they go to a temporary file; 64 MiB. */
  readonly spoolLimitBytes?: number;
}

export interface Trained {
  readonly artifact: Artifact;
  /** Up to 1,000 rows, held-out ones first, and the trainer's own answers. */
  readonly expected: Expected;
  /** `test.<metric>` on the held-out rows, `baseline.<metric>` of always answering the commonest class or the mean. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Everything that made it, as plain JSON. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** For people: what went well enough and may still surprise. */
  readonly warnings: readonly string[];
}

/** @throws INVALID_INPUT for rows that cannot be learned from; the signal's reason when it was aborted */
export async function train(project: Project, options: TrainOptions = {}): Promise<Trained> {
  return new Run(project, options).run();
}

class Run {
  private readonly turns: Turns;
  private readonly timings: Record<string, number> = {};

  constructor(
    private readonly project: Project,
    private readonly options: TrainOptions,
  ) {
    this.turns = new Turns(options.signal);
  }

  async run(): Promise<Trained> {
    this.options.signal?.throwIfAborted();
    refuseManyValues(this.project);
    const rows = await this.stage('read', () => this.read());
    try {
      return await this.learn(rows);
    } finally {
      rows.close();
    }
  }

  private async learn(rows: TrainingRows): Promise<Trained> {
    const classes = findClasses(this.project, rows);
    const features = await this.stage('features', () => this.fitFeatures(rows));
    const examples = new ExampleSpool(features.width, this.options.spoolLimitBytes);
    try {
      await this.stage('features', () => this.fillExamples(examples, rows, features, classes));
      const fitted = await this.stage('fit', () => this.fit(examples, classes));
      const baseline = await this.baseline(examples, classes);
      const metrics = await this.stage('evaluate', () =>
        evaluate(this.project, { rows: rows.test, features, fitted, classes, baseline, turns: this.turns }),
      );
      this.report('evaluate', 1, headline(this.project, metrics));
      const artifact = this.artifact(features, fitted, classes);
      const expected = expectedOf([rows.test, rows.train], { features, fitted, classes });
      const warnings = this.warnings(rows, fitted);
      const configuration = { ...(await this.configuration(rows, features, fitted)), warnings };
      return { artifact, expected, metrics, configuration, warnings };
    } finally {
      examples.close();
    }
  }

  private async read(): Promise<TrainingRows> {
    const { signal, spoolLimitBytes } = this.options;
    const rows = await readRows(this.project, {
      ...(signal === undefined ? {} : { signal }),
      ...(spoolLimitBytes === undefined ? {} : { spoolLimitBytes }),
      onRows: (read) => this.report('read', 0, `${read} rows`),
    });
    const left = rows.fixtures === 0 ? '' : `, ${rows.fixtures} left out as fixtures`;
    this.report('read', 1, `${rows.read} rows: ${rows.train.rows} to learn from, ${rows.test.rows} held out${left}`);
    return rows;
  }

  private async fitFeatures({ train }: TrainingRows): Promise<FittedFeatures> {
    const fitter = planFeatures(this.project.request.fields, this.project.features);
    let seen = 0;
    for (const batch of train.batches()) {
      fitter.observe(batch);
      seen += batch.rows;
      this.report('features', seen / train.rows / 2, `${seen} rows`);
      await this.turns.give();
    }
    return fitter.finish();
  }

  private async fillExamples(
    examples: ExampleSpool,
    { train }: TrainingRows,
    features: FittedFeatures,
    classes: readonly string[],
  ): Promise<void> {
    const targets = new Targets(classes);
    for (const batch of train.batches()) {
      const matrix = new Float32Array(batch.rows * features.width);
      features.transform(batch, matrix);
      examples.append(matrix, targets.of(batch));
      this.report('features', 0.5 + examples.rows / train.rows / 2, `${features.width} columns`);
      await this.turns.give();
    }
  }

  private fit(examples: ExampleSpool, classes: readonly string[]): Promise<Fitted> {
    const { trainer, parameters } = this.project.trainer;
    const { signal } = this.options;
    return trainer.fit(examples, {
      parameters,
      classes,
      seed: this.project.seed,
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ fraction, message }) => this.report('fit', fraction, message),
    });
  }

  private async baseline(examples: ExampleSpool, classes: readonly string[]): Promise<Baseline> {
    const counts = new Float64Array(classes.length);
    let sum = 0;
    for (const { targets } of examples.batches()) {
      for (const target of targets) {
        sum += target;
        if (classes.length > 0) counts[target] += 1;
      }
      await this.turns.give();
    }
    return { shares: Float32Array.from(counts, (count) => count / examples.rows), mean: sum / examples.rows };
  }

  private artifact(features: FittedFeatures, fitted: Fitted, classes: readonly string[]): Artifact {
    const builder = new GraphBuilder();
    fitted.write(builder, features.write(builder));
    const metadata = metadataOf(this.project, classes);
    const graph = builder.serialize(
      Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)])),
    );
    const { modelType } = this.project.trainer.trainer;
    return { modelType, graph, signature: inspectGraph(graph).signature, metadata };
  }

  private async configuration(rows: TrainingRows, features: FittedFeatures, fitted: Fitted) {
    const { resolved, contract, folder } = this.project;
    const git = await gitState(folder);
    return {
      ...resolved,
      source: withoutCredentials(resolved.source),
      contract_fingerprint: contract.fingerprint,
      rows: {
        read: rows.read,
        train: rows.train.rows,
        test: rows.test.rows,
        evaluated: Math.min(rows.test.rows, MOST_EVALUATED_ROWS),
        fixtures: rows.fixtures,
        digest: rows.digest,
      },
      fitted: { features: features.state(), names: features.names, summary: fitted.summary },
      versions: versions(),
      ...(git === undefined ? {} : { git }),
      timings_ms: this.timings,
    };
  }

  private warnings(rows: TrainingRows, fitted: Fitted): readonly string[] {
    const unseen = unseenClasses(this.project, rows);
    const warnings: string[] = [];
    if (rows.fixtures > 0)
      warnings.push(
        `${rows.fixtures} of ${rows.read} rows of the source are fixtures too; they were left out of the training and its test`,
      );
    if (unseen.length > 0) warnings.push(`no row to learn from is ${unseen.join(', ')}; the model cannot know it`);
    if (fitted.summary.converged === 0)
      warnings.push('the fit did not converge; give trainer.max_iterations a higher value');
    return warnings;
  }

  /** Runs a stage and takes its time. */
  private async stage<T>(stage: Stage, run: () => Promise<T>): Promise<T> {
    this.options.signal?.throwIfAborted();
    const from = performance.now();
    if (this.timings[stage] === undefined) this.report(stage, 0, '');
    const done = await run();
    this.timings[stage] = (this.timings[stage] ?? 0) + Math.round(performance.now() - from);
    return done;
  }

  private report(stage: Stage, fraction: number, message: string): void {
    this.options.onProgress?.({ stage, fraction, message });
  }
}

/** @throws INVALID_INPUT where the model would be fed a list, a map, raw bytes or a picture */
function refuseManyValues(project: Project): void {
  const field = fedFields(project).find(({ tensor }) => tensor !== undefined);
  if (field === undefined) return;
  const { request, trainer, contract } = project;
  throw invalidInput(
    `${request.name}.${field.name} (${contract.file}:${field.position.line}) holds many values, and the trainer ${trainer.trainer.name} learns from fields of one value; leave it out with features.drop: [${field.name}], or train elsewhere and publish the graph with "parley publish"`,
  );
}

/** Classes in the order of the probabilities; of a value what it is, and its unit, where the contract says one. */
function metadataOf({ task, answer }: Project, classes: readonly string[]): Record<string, unknown> {
  if (task === 'classification') return { classes };
  return { target: answer.name, ...(answer.unit === undefined ? {} : { unit: answer.unit }) };
}

function headline({ task }: Project, metrics: Readonly<Record<string, number>>): string {
  const name = task === 'classification' ? 'accuracy' : 'rmse';
  return `${name} ${metrics[`test.${name}`].toPrecision(4)}, baseline ${metrics[`baseline.${name}`].toPrecision(4)}`;
}
