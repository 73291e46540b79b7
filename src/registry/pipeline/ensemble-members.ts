/** Pipeline step: an ensemble is exactly what its members make of it. */
import { join } from 'node:path';
import { invalidInput } from '../../errors.js';
import type { ByteStream } from '../../model/byte-stream.js';
import type { ModelStore, VersionRecord } from '../../model/store-port.js';
import type { Artifact } from '../../model/trained.js';
import type { Version } from '../../model/version.js';
import { composeEnsemble, type WeightedMember } from '../../model-types/ensemble/compose.js';
import { ENSEMBLE } from '../../model-types/ensemble/runtime.js';
import type { EnsembleMetadata } from '../../model-types/ensemble/schema.js';
import { isAllHead, readHead } from '../../model-types/envelope.js';
import { metadataOf } from '../../model-types/record-fields.js';
import { deserialize, modelTypeOf } from '../../model-types/table.js';
import type { ReadMember } from '../../serving/ensemble-session.js';
import { type Members, memberFile } from '../isolated.js';
import { readWhole } from '../whole-file.js';
import { isEnvelope } from './read-upload.js';

/**
 * Of an ensemble's envelope, which is read in this process before anything of it is known: a head may take a hundred times
 * its bytes in memory. No names of classes come near this.
 */
const MOST_BYTES = 4 * 1024 * 1024;

/** The versions that a record says it is made of; none where it is no ensemble's. @throws ParleyError INVALID_INPUT */
export function recordedMembers({
  version,
  modelType,
  typeFields = {},
}: Pick<VersionRecord, 'version' | 'modelType' | 'typeFields'>): readonly Version[] {
  if (modelType !== ENSEMBLE) return [];
  try {
    return (metadataOf(modelType, typeFields) as Partial<EnsembleMetadata>).members ?? [];
  } catch (cause) {
    throw invalidInput(`version ${version}: ${(cause as Error).message}`, { cause });
  }
}

/** The versions that an upload names, which is not checked yet; none where it is no ensemble's envelope. */
export async function uploadedMembers(uploaded: ByteStream): Promise<readonly Version[]> {
  for await (const part of uploaded.parts()) {
    if (!isEnvelope(part) || !isAllHead(part, uploaded.sizeBytes)) return [];
    break;
  }
  if (uploaded.sizeBytes > MOST_BYTES)
    throw invalidInput(`an ensemble's envelope has at most ${MOST_BYTES} bytes; this one has ${uploaded.sizeBytes}`);
  const { modelType, metadata } = await readHead(uploaded);
  const parsed = modelTypeOf(ENSEMBLE).metadata.safeParse(metadata);
  return modelType === ENSEMBLE && parsed.success ? (parsed.data as EnsembleMetadata).members : [];
}

/** @throws ParleyError NOT_FOUND where one is not a version of the model, or is retired */
export async function openMembers(
  store: Pick<ModelStore, 'openVersion'>,
  model: string,
  versions: readonly Version[],
): Promise<Members> {
  const opened = new Map<Version, ByteStream>();
  for (const version of versions) opened.set(version, await store.openVersion(model, version));
  return opened;
}

/** Reads members from the folder of an assignment. */
export const membersIn =
  (folder: string): ReadMember =>
  (version) =>
    readWhole(join(folder, memberFile(version)));

/**
 * Makes the ensemble again from its members: what its envelope says of itself must be what they say.
 *
 * @throws ParleyError INVALID_INPUT where members do not fit together, or the envelope says something else
 */
export async function checkEnsemble(artifact: Artifact, read: ReadMember): Promise<void> {
  const { members: names, weights, combine } = artifact.metadata as EnsembleMetadata;
  const members: WeightedMember[] = [];
  for (const [index, version] of names.entries()) {
    const { graph: _, ...head } = deserialize(await read(version));
    members.push({ ...head, version, weight: weights[index]! });
  }
  const { serialize } = modelTypeOf(ENSEMBLE);
  if (Buffer.compare(serialize(composeEnsemble(members, combine)), serialize(artifact)) !== 0)
    throw invalidInput(
      'the ensemble says of its inputs, outputs or classes what its members do not; make it with "parley ensemble"',
    );
}
