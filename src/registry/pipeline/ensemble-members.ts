/** Pipeline step: an ensemble is exactly what its members make of it. */
import { invalidInput } from '../../errors.js';
import type { ModelStore } from '../../model/store-port.js';
import type { Artifact } from '../../model/trained.js';
import type { Version } from '../../model/version.js';
import { composeEnsemble } from '../../model-types/ensemble/compose.js';
import { ENSEMBLE } from '../../model-types/ensemble/runtime.js';
import type { EnsembleMetadata } from '../../model-types/ensemble/schema.js';
import { deserialize, modelTypeOf } from '../../model-types/table.js';
import type { Members } from '../isolated.js';

/** The versions that an artifact names; none where it is no ensemble. */
export const membersOf = ({ modelType, metadata }: Pick<Artifact, 'modelType' | 'metadata'>): readonly Version[] =>
  modelType === ENSEMBLE ? (metadata as EnsembleMetadata).members : [];

/**
 * The members' envelopes, verified against their digests.
 *
 * @throws ParleyError NOT_FOUND where one is not a version of the model, or is retired
 */
export async function readMembers(
  store: Pick<ModelStore, 'readVersion'>,
  model: string,
  artifact: Pick<Artifact, 'modelType' | 'metadata'>,
): Promise<Members> {
  const read = new Map<Version, Uint8Array>();
  for (const version of membersOf(artifact)) read.set(version, await store.readVersion(model, version));
  return read;
}

/**
 * Makes the ensemble again from its members: what its envelope says of itself must be what they say.
 *
 * @throws ParleyError INVALID_INPUT where members do not fit together, or the envelope says something else
 */
export function checkEnsemble(artifact: Artifact, envelopes: Members): void {
  const { weights, combine } = artifact.metadata as EnsembleMetadata;
  const members = [...envelopes].map(([version, envelope], index) => ({
    ...deserialize(envelope),
    version,
    weight: weights[index]!,
  }));
  const { serialize } = modelTypeOf(ENSEMBLE);
  if (Buffer.compare(serialize(composeEnsemble(members, combine)), serialize(artifact)) !== 0)
    throw invalidInput(
      'the ensemble says of its inputs, outputs or classes what its members do not; make it with "parley ensemble"',
    );
}
