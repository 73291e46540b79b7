/** One version out of an archive, without a store. */
import { createReadStream } from 'node:fs';
import { invalidInput, modelBroken, notFound } from '../../errors.js';
import type { PlacedVersion } from '../../model/archive-port.js';
import { type ByteStream, digestOf, streamOf } from '../../model/byte-stream.js';
import { PRODUCTION, type Version } from '../../model/version.js';
import type { Members } from '../isolated.js';
import { recordedMembers } from '../pipeline/ensemble-members.js';
import { type Frame, MAGIC, readFrames } from './frames.js';
import { expectFrame, type ValueOf } from './snapshot-schema.js';

export interface ArchivedVersion {
  readonly version: Version;
  readonly envelope: ByteStream;
  /** Of an ensemble. */
  readonly members: Members;
}

type Snapshot = ValueOf<'model'>;

/** @param beginning the first bytes of a file */
export const isArchive = (beginning: Uint8Array): boolean => MAGIC.equals(beginning.subarray(0, MAGIC.length));

/**
 * @param reference a version or the beginning of one; what is in production when absent, or the only one
 * @throws ParleyError NOT_FOUND for a model or version that is not in it, INVALID_INPUT for a damaged archive
 */
export async function readArchived(file: string, model: string, reference?: string): Promise<ArchivedVersion> {
  const frames = readFrames(createReadStream(file))[Symbol.asyncIterator]();
  try {
    const record = chosenIn(file, await snapshotOf(file, model, frames), reference);
    const members = recordedMembers(record as PlacedVersion);
    const bytes = await bytesOf(new Set([record.version, ...members]), frames);
    return {
      version: record.version,
      envelope: streamOf(bytes.get(record.version)!),
      members: new Map(members.map((member) => [member, streamOf(bytes.get(member)!)])),
    };
  } finally {
    await frames.return?.(undefined);
  }
}

type Frames = AsyncIterator<Frame>;

async function snapshotOf(file: string, model: string, frames: Frames): Promise<Snapshot> {
  const others: string[] = [];
  for (let next = await frames.next(); !next.done; next = await frames.next()) {
    if (next.value.kind !== 'model') continue;
    const snapshot = expectFrame(next.value, 'model');
    if (snapshot.model === model) return snapshot;
    others.push(snapshot.model);
  }
  throw notFound(`${file} has no model "${model}"; it has ${others.join(', ')}`);
}

function chosenIn(file: string, { model, versions, aliases }: Snapshot, reference: string | undefined) {
  const production = aliases.find(({ aliasName }) => aliasName === PRODUCTION)?.version;
  const wanted = reference ?? production ?? (versions.length === 1 ? versions[0]!.version : undefined);
  const all = versions.map(({ version }) => version.slice(0, 12)).join(', ');
  if (wanted === undefined)
    throw notFound(`${file}: no version of "${model}" is in production there; name one of ${all}`);
  const found = versions.filter(({ version }) => version.startsWith(wanted));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw invalidInput(`${file}: several versions of "${model}" begin with ${wanted}; write more of it`);
  throw notFound(`${file} has no version ${wanted} of "${model}"; it has ${all}`);
}

/** The bytes of versions, up to the model's end. @throws MODEL_BROKEN for such as are not those that were exported */
async function bytesOf(wanted: ReadonlySet<Version>, frames: Frames): Promise<ReadonlyMap<Version, Buffer>> {
  const pieces = new Map<Version, Uint8Array[]>();
  let taken: Uint8Array[] | undefined;
  for (let next = await frames.next(); !next.done && next.value.kind !== 'model end'; next = await frames.next()) {
    const frame = next.value;
    if (frame.kind === 'bytes') taken?.push(expectFrame(frame, 'bytes'));
    else taken = undefined;
    if (frame.kind !== 'version') continue;
    const { digest } = expectFrame(frame, 'version');
    if (wanted.has(digest)) pieces.set(digest, (taken = []));
  }
  return new Map([...wanted].map((version) => [version, checked(version, Buffer.concat(pieces.get(version) ?? []))]));
}

function checked(version: Version, bytes: Buffer): Buffer {
  if (digestOf(bytes) === version) return bytes;
  throw modelBroken(`the archive's bytes of version ${version} are not that version's; export it again`);
}
