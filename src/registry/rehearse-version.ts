/** Pipeline step: run the graph once, on the trainer's rows or on blank ones. Runs in a process of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import type { Signature } from '../model/tensor.js';
import { digestOf } from '../model-types/envelope.js';
import { Batcher } from '../serving/batcher.js';
import type { ReadMember } from '../serving/ensemble-session.js';
import { Servable } from '../serving/servable.js';
import { decodeExpected } from './expected.js';
import { EXPECTED, type Rehearsed, type Task } from './isolated.js';
import { LoadedVersion, readMember } from './loaded-version.js';
import { compareOutputs } from './pipeline/compare.js';

const BLANK_ROWS = 2;

export async function rehearseVersion(task: Extract<Task, { kind: 'rehearse' }>, folder: string): Promise<Rehearsed> {
  const version = await LoadedVersion.load(folder, task);
  const checkedRows = await checkServable(version.envelope, readMember(folder));
  const bytes = await readIfThere(join(folder, EXPECTED));
  if (bytes === undefined) {
    // What has no contract has been run by its own shapes when it was checked.
    if (version.binding === undefined) return { rows: checkedRows };
    await version.run(
      blankRows(
        version.binding.inputs.map(({ field }) => field.name),
        version.session.signature,
      ),
    );
    return { rows: BLANK_ROWS };
  }
  const expected = decodeExpected(bytes);
  const actual = await version.run(expected.rows);
  return {
    rows: expected.rows.rows,
    largestDifference: compareOutputs(expected.outputs, actual, version.artifact.metadata),
  };
}

/** What a server would refuse to load must not be published. @returns blank rows that it ran @throws ParleyError MODEL_BROKEN */
async function checkServable(envelope: Uint8Array, members: ReadMember): Promise<number> {
  const servable = await Servable.load('rehearsal', digestOf(envelope), envelope, new Batcher(), members);
  try {
    await servable.rehearse();
    return servable.batchable ? BLANK_ROWS : 0;
  } finally {
    servable.release();
  }
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
