/** The pipeline, from the uploaded bytes to a version that has run. Runs in a process of its own. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseContract } from '../contract/parse.js';
import { hasErrno } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import type { Signature } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import { fieldsOf } from '../model-types/record-fields.js';
import { Session } from '../onnx/session.js';
import { Batcher } from '../serving/batcher.js';
import type { ReadMember } from '../serving/ensemble-session.js';
import { Servable } from '../serving/servable.js';
import { decodeExpected } from './expected.js';
import { EXPECTED, GRAPH, type Rehearsed, type Task, UPLOADED } from './isolated.js';
import { LoadedVersion } from './loaded-version.js';
import { compareOutputs } from './pipeline/compare.js';
import { checkEnsemble, membersIn } from './pipeline/ensemble-members.js';
import { bindAll, readUpload } from './pipeline/read-upload.js';
import { digestOfFile, readWhole } from './whole-file.js';

const BLANK_ROWS = 2;
/** Starting a thread takes longer than hashing less than this. */
const HASHED_BESIDE_BYTES = 16 << 20;

type RehearseTask = Extract<Task, { kind: 'rehearse' }>;

export async function rehearseVersion(task: RehearseTask, folder: string): Promise<Rehearsed> {
  const contract = task.contract === undefined ? undefined : parseContract(task.contract);
  const service = contract?.services.find(({ name }) => name === task.service) ?? contract?.services[0];
  const uploaded = await readWhole(join(folder, UPLOADED));
  const { artifact, header, body } = readUpload(uploaded, { ...task, service });
  const members = membersIn(folder);
  if (artifact.modelType === ENSEMBLE) await checkEnsemble(artifact, members);
  if (contract !== undefined) bindAll(contract, artifact);
  const file = body === uploaded ? UPLOADED : GRAPH;
  if (file === GRAPH) await writeFile(join(folder, GRAPH), body, { flag: 'wx', mode: 0o600 });
  const naming = nameOf(join(folder, file), header, body.length);
  naming.catch(() => {}); // awaited below, unless the rehearsal fails first
  const run = await runOnce(artifact, task, folder, members);
  return { version: await naming, modelType: artifact.modelType, typeFields: fieldsOf(artifact), header, file, ...run };
}

async function nameOf(path: string, header: Uint8Array, sizeBytes: number): Promise<string> {
  if (sizeBytes < HASHED_BESIDE_BYTES) return digestOfFile(path, header);
  const thread = new Worker(new URL('./digest-main.js', import.meta.url), { workerData: { path, header } });
  const [version] = (await once(thread, 'message')) as [string];
  return version;
}

/** What a server would refuse to load must not be published, nor what answers otherwise than its trainer. */
async function runOnce(
  artifact: Artifact,
  task: RehearseTask,
  folder: string,
  members: ReadMember,
): Promise<Pick<Rehearsed, 'rows' | 'largestDifference'>> {
  const servable = await Servable.of('rehearsal', '', artifact, new Batcher(), members);
  try {
    await servable.rehearse();
    const expected = await readIfThere(join(folder, EXPECTED));
    // What has no contract has been run by its own shapes when it was loaded.
    if (expected === undefined && task.contract === undefined) return { rows: servable.batchable ? BLANK_ROWS : 0 };
    // A caller who leaves inputs out is answered by the graph as its maker wrote it.
    const session = Object.keys(servable.defaults).length === 0 ? servable.session : await Session.load(artifact.graph);
    return await runRows(LoadedVersion.of(artifact, session, task), expected);
  } finally {
    servable.release();
  }
}

async function runRows(
  version: LoadedVersion,
  expectedBytes: Buffer | undefined,
): Promise<Pick<Rehearsed, 'rows' | 'largestDifference'>> {
  if (expectedBytes === undefined) {
    // A field with many values has no blank cell; rows of the graph's own shapes have run when it was loaded.
    if (version.binding!.inputs.some(({ field }) => field.tensor !== undefined)) return { rows: BLANK_ROWS };
    const fields = version.binding!.inputs.map(({ field }) => field.name);
    await version.run(blankRows(fields, version.session.signature));
    return { rows: BLANK_ROWS };
  }
  const expected = decodeExpected(expectedBytes);
  const actual = await version.run(expected.rows);
  return {
    rows: expected.rows.rows,
    largestDifference: compareOutputs(expected.outputs, actual, version.artifact.metadata),
  };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Zeros and empty strings: enough to see whether the graph runs at all. */
function blankRows(fields: readonly string[], { inputs }: Signature): ColumnBatch {
  const specs = fields.map((name) => {
    const isText = inputs.find((input) => input.name === name)?.dataType === 'string';
    return { name, kind: isText ? ('string' as const) : ('number' as const) };
  });
  return {
    specs,
    rows: BLANK_ROWS,
    columns: specs.map(({ kind }) =>
      kind === 'string' ? new Array<string>(BLANK_ROWS).fill('') : new Float64Array(BLANK_ROWS),
    ),
  };
}
