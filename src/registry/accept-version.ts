/** The acceptance suite: a version's answers to the contract's fixtures, timed and judged. Runs in a process of its own. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ParleyError } from '../errors.js';
import { judge, type ProductionAnswers } from '../evaluation/acceptance.js';
import type { Artifact } from '../model/trained.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import { deserialize } from '../model-types/table.js';
import { type RunnableSession, Session } from '../onnx/session.js';
import { EnsembleSession, type ReadMember } from '../serving/ensemble-session.js';
import { answering } from './acceptance/answering.js';
import { answersOf } from './acceptance/answers-of.js';
import { readChecks } from './acceptance/checks-file.js';
import { measureLatency } from './acceptance/latency.js';
import { rowsIn } from './acceptance/rows.js';
import { runChecks } from './acceptance/run-checks.js';
import { type FixtureTable, readFixtures } from './fixture-table.js';
import { ENVELOPE, PRODUCTION_ENVELOPE, type Task } from './isolated.js';
import { LoadedVersion } from './loaded-version.js';
import { membersIn } from './pipeline/ensemble-members.js';
import { readWhole } from './whole-file.js';
import { type Accepted, wrongByCriterion } from './wrong-rows.js';

type AcceptTask = Extract<Task, { kind: 'accept' }>;

export async function acceptVersion(task: AcceptTask, folder: string): Promise<Accepted> {
  const { version, sizeBytes } = await load(task, folder, ENVELOPE);
  const method = version.binding!.method,
    contract = version.contract!;
  const service = contract.services.find(({ name }) => name === task.service)!;
  const checks = task.checks === undefined ? undefined : readChecks(task.checks, method);
  const fixtures = await readFixtures(folder, task.fixturesFormat, method.request, method.response);
  const answers = answersOf(version, await version.run(fixtures.rows), fixtures.truth);
  const production = task.production === undefined ? undefined : await askProduction(task, folder, fixtures);
  const verdict = judge({
    acceptance: service.accept,
    answers,
    cost: { ...(await measureLatency(version, fixtures.rows)), sizeBytes },
    contractFingerprint: contract.fingerprint,
    fixtureFingerprint: task.fixtureFingerprint,
    rowsIn: (slice) => rowsIn(fixtures.rows, method.request, slice),
    ...(production === undefined ? {} : { production }),
    ...(checks === undefined ? {} : { checks: await runChecks(checks, answering(version), fixtures.rows) }),
    ...(task.checks === undefined ? {} : { checksFingerprint: createHash('sha256').update(task.checks).digest('hex') }),
  });
  return { verdict, wrong: wrongByCriterion(service.accept, { table: fixtures, request: method.request, answers }) };
}

/** The version in production was accepted by a contract that may have been another one. */
async function askProduction(task: AcceptTask, folder: string, fixtures: FixtureTable): Promise<ProductionAnswers> {
  const version = task.production!;
  try {
    const inProduction = (await load(task, folder, PRODUCTION_ENVELOPE)).version;
    return { version, answers: answersOf(inProduction, await inProduction.run(fixtures.rows), fixtures.truth) };
  } catch (error) {
    if (!(error instanceof ParleyError) || error.code !== 'CONTRACT_MISMATCH') throw error;
    return { version, unasked: error.message };
  }
}

/** @param file of its envelope, in the assignment's folder */
async function load(task: AcceptTask, folder: string, file: string) {
  const envelope = await readWhole(join(folder, file)),
    artifact = deserialize(envelope);
  let sizeBytes = envelope.length;
  const session = await loadArtifact(artifact, async (member) => {
    const bytes = await membersIn(folder)(member);
    sizeBytes += bytes.length;
    return bytes;
  });
  return { version: LoadedVersion.of(artifact, session, task), sizeBytes };
}

/** As its maker wrote it, and an ensemble by its members. */
const loadArtifact = (artifact: Artifact, readMember: ReadMember): Promise<RunnableSession> =>
  artifact.modelType === ENSEMBLE
    ? EnsembleSession.load(artifact, readMember, (graph) => Session.load(graph))
    : Session.load(artifact.graph);
