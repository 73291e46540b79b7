/** The acceptance suite: a version's answers to the contract's fixtures, timed and judged. Runs in a process of its own. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { labelClasses } from '../contract/contract.js';
import { contractMismatch } from '../errors.js';
import { type FixtureAnswers, judge } from '../evaluation/acceptance.js';
import { quantile } from '../evaluation/quantile.js';
import type { Column, ColumnBatch } from '../model/row.js';
import type { Tensor } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import { deserialize, modelTypeOf } from '../model-types/table.js';
import { type RunnableSession, Session } from '../onnx/session.js';
import { EnsembleSession, type ReadMember } from '../serving/ensemble-session.js';
import { type FixtureTable, readFixtures } from './fixture-table.js';
import { ENVELOPE, type Task } from './isolated.js';
import { LoadedVersion } from './loaded-version.js';
import { membersIn } from './pipeline/ensemble-members.js';
import { readWhole } from './whole-file.js';
import { type Accepted, rowsOf, wrongByCriterion } from './wrong-rows.js';

/** Latency is the best of so many rounds: what the machine did beside it is not the model's fault. */
const ROUNDS = 3;
const CALLS_PER_ROUND = 1_000;
/** Calls come in small bursts, as in service: a process that never waits is the one that a busy machine interrupts. */
const CALLS_PER_PAUSE = 5;
const PAUSE_MS = 1;
/** A heavy model makes fewer calls, so that the suite ends long before the child's time does. */
const ROUND_MS = 5_000;

export async function acceptVersion(task: Extract<Task, { kind: 'accept' }>, folder: string): Promise<Accepted> {
  const envelope = await readWhole(join(folder, ENVELOPE)),
    artifact = deserialize(envelope);
  let sizeBytes = envelope.length;
  const session = await loadArtifact(artifact, async (member) => {
    const bytes = await membersIn(folder)(member);
    sizeBytes += bytes.length;
    return bytes;
  });
  const version = LoadedVersion.of(artifact, session, task);
  const method = version.binding!.method,
    contract = version.contract!;
  const service = contract.services.find(({ name }) => name === task.service)!;
  const fixtures = await readFixtures(folder, task.fixturesFormat, method.request, method.response);
  const outputs = await version.run(fixtures.rows);
  const answers =
    fixtures.answer.role === 'label'
      ? classAnswers(version, fixtures, outputs, labelClasses(method.response))
      : valueAnswers(version, fixtures, outputs);
  const verdict = judge({
    acceptance: service.accept,
    answers,
    cost: { ...(await measureLatency(version, fixtures.rows)), sizeBytes },
    contractFingerprint: contract.fingerprint,
    fixtureFingerprint: task.fixtureFingerprint,
    rowsIn: (slice) => rowsOf(fixtures, method.request, slice),
  });
  return { verdict, wrong: wrongByCriterion(service.accept, { table: fixtures, request: method.request, answers }) };
}

/** As its maker wrote it, and an ensemble by its members. */
const loadArtifact = (artifact: Artifact, readMember: ReadMember): Promise<RunnableSession> =>
  artifact.modelType === ENSEMBLE
    ? EnsembleSession.load(artifact, readMember, (graph) => Session.load(graph))
    : Session.load(artifact.graph);

/** The classes are counted in the contract's order; the graph may have them in another. */
function classAnswers(
  version: LoadedVersion,
  { rows, truth }: FixtureTable,
  outputs: Readonly<Record<string, Tensor>>,
  declared: readonly string[],
): FixtureAnswers {
  const ofGraph = version.artifact.metadata.classes as readonly string[];
  const classes = declared.length > 0 ? declared : ofGraph;
  const index = new Map(classes.map((name, at) => [name, at]));
  const label = outputOf(version, outputs, 'label');
  const truthIndices = Array.from(truth as string[], (name) => index.get(name) ?? -1);
  const predicted = Array.from({ length: rows.rows }, (_, row) => {
    const value = label.data[row]!;
    return index.get(typeof value === 'string' ? value : (ofGraph[Number(value)] ?? '')) ?? -1;
  });
  const positive = version
    .binding!.method.response.fields.find((field) => field.role === 'label')
    ?.enum?.members.find((member) => member.positive)?.label;
  return {
    task: 'classification',
    classes: classes.length,
    classNames: classes,
    truth: truthIndices,
    predicted,
    ...probabilitiesOf(version, outputs, classes, ofGraph, rows.rows),
    ...(positive === undefined ? {} : { positive: index.get(positive)! }),
    baseline: new Array<number>(rows.rows).fill(commonest(truthIndices, classes.length)),
  };
}

function probabilitiesOf(
  version: LoadedVersion,
  outputs: Readonly<Record<string, Tensor>>,
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
function probabilityOutput(version: LoadedVersion, outputs: Readonly<Record<string, Tensor>>): Tensor | undefined {
  const roles = ['probability', 'confidence', 'probability_of_positive'];
  const bound = version.binding!.outputs.find(({ field }) => roles.includes(field.role))?.output;
  const name = bound === undefined ? undefined : version.session.signature.outputs[bound]?.name;
  return outputs[name ?? modelTypeOf(version.artifact.modelType).defaultOutputs.probabilities ?? ''];
}

/** What always answering the fixtures' commonest class says: the strongest constant there is. */
function commonest(truth: readonly number[], classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const index of truth) counts[index]!++;
  return counts.indexOf(Math.max(...counts));
}

function valueAnswers(
  version: LoadedVersion,
  { rows, truth }: FixtureTable,
  outputs: Readonly<Record<string, Tensor>>,
): FixtureAnswers {
  const mean = (truth as Float64Array).reduce((a, b) => a + b, 0) / rows.rows;
  return {
    task: 'regression',
    truth: truth as Float64Array,
    predicted: Array.from(outputOf(version, outputs, 'value').data as Float32Array, Number),
    baseline: new Float64Array(rows.rows).fill(mean),
  };
}

function outputOf(version: LoadedVersion, outputs: Readonly<Record<string, Tensor>>, role: 'label' | 'value'): Tensor {
  const bound = version.binding!.outputs.find((output) => output.field.role === role);
  const name = bound?.output === undefined ? undefined : version.session.signature.outputs[bound.output]?.name;
  if (name === undefined) throw contractMismatch(`the graph answers no ${role}`);
  return outputs[name]!;
}

/** Milliseconds of one-row runs in this process: the model's own time, without the wire. */
async function measureLatency(
  version: LoadedVersion,
  rows: ColumnBatch,
): Promise<{ latencyP50Ms: number; latencyP99Ms: number }> {
  const singles = Array.from({ length: Math.min(rows.rows, 64) }, (_, row) => rowAt(rows, row));
  let best = { latencyP50Ms: Number.POSITIVE_INFINITY, latencyP99Ms: Number.POSITIVE_INFINITY };
  for (const single of singles) await version.run(single);
  for (let round = 0; round < ROUNDS; round++) {
    const times: number[] = [],
      end = performance.now() + ROUND_MS;
    for (let call = 0; call < CALLS_PER_ROUND; call++) {
      if (call % CALLS_PER_PAUSE === 0) await setTimeout(PAUSE_MS);
      const begin = performance.now();
      if (begin > end) break;
      await version.run(singles[call % singles.length]!);
      times.push(performance.now() - begin);
    }
    const latencyP99Ms = quantile(times, 0.99);
    if (latencyP99Ms < best.latencyP99Ms) best = { latencyP50Ms: quantile(times, 0.5), latencyP99Ms };
  }
  return best;
}

const rowAt = (rows: ColumnBatch, row: number): ColumnBatch => ({
  specs: rows.specs,
  rows: 1,
  columns: rows.columns.map((column) => column.slice(row, row + 1) as Column),
});
