/** From published versions to an ensemble of them, through any registry. */
import { invalidInput } from '../errors.js';
import type { RegistryPort } from '../model/registry-port.js';
import type { ModelVersion, Version } from '../model/version.js';
import { composeEnsemble, type WeightedMember } from '../model-types/ensemble/compose.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import type { EnsembleMetadata } from '../model-types/ensemble/schema.js';
import { metadataOf } from '../model-types/record-fields.js';
import { modelTypeOf } from '../model-types/table.js';
import { sendUpload, sourceOf } from './send-upload.js';

export interface PublishEnsemble {
  readonly model: string;
  /** Versions, or unique prefixes of them, with what each counts. */
  readonly members: readonly { readonly version: Version; readonly weight: number }[];
  readonly combine: EnsembleMetadata['combine'];
  readonly contractService?: string;
  readonly description?: string;
}

/** @throws ParleyError INVALID_INPUT where the versions cannot answer together, and what publishing throws */
export async function publishEnsemble(registry: RegistryPort, request: PublishEnsemble): Promise<ModelVersion> {
  const { model, members: named, combine, ...more } = request;
  const members: WeightedMember[] = [];
  for (const { version: prefix, weight } of named) {
    const { typeFields, ...described } = await registry.describe(model, prefix);
    if (members.some(({ version }) => version === described.version))
      throw invalidInput(`version ${described.version} is named twice; give it the weight that it is to have`);
    members.push({ ...described, metadata: metadataOf(described.modelType, typeFields), weight });
  }
  const envelope = modelTypeOf(ENSEMBLE).serialize(composeEnsemble(members, combine));
  const uploadId = await sendUpload(registry, model, sourceOf(envelope));
  return registry.publish({ model, uploadId, ...more });
}
