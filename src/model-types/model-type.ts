/** What a model type is made of; a folder has the same three files as every other. */
import { z } from 'zod';
import { invalidInput, modelBroken } from '../errors.js';
import type { Artifact } from '../model/trained.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';

export interface Serializer {
  /** @throws ParleyError INVALID_INPUT where the artifact is of another type or its metadata breaks the type's schema */
  serialize(artifact: Artifact): Uint8Array;
  /** @throws ParleyError MODEL_BROKEN where the bytes are not one whole envelope of this type */
  deserialize(bytes: Uint8Array): Artifact;
}

export interface ModelType extends Serializer {
  /** A key of the table: `tabular-classifier` … */
  readonly name: string;
  /** Of the metadata in the envelope. */
  readonly metadata: z.ZodType<Readonly<Record<string, unknown>>>;
  /** What a graph of this type calls its outputs, by their meaning, unless a contract says otherwise; empty where they have none. */
  readonly defaultOutputs: Readonly<Record<string, string>>;
}

/** An artifact as it may be serialized. @throws ParleyError as {@link Serializer.serialize} */
export function checked({ name, metadata }: Pick<ModelType, 'name' | 'metadata'>, artifact: Artifact): Artifact {
  if (artifact.modelType !== name) throw invalidInput(`a ${artifact.modelType} is not a ${name}`);
  const parsed = metadata.safeParse(artifact.metadata);
  if (!parsed.success) throw invalidInput(`metadata of a ${name}: ${z.prettifyError(parsed.error)}`);
  return { ...artifact, metadata: parsed.data };
}

/** The serializer of a type whose envelope is the common one. */
export function envelopeSerializer(name: string, metadata: ModelType['metadata']): Serializer {
  return {
    serialize: (artifact) => encodeEnvelope(checked({ name, metadata }, artifact)),
    deserialize(bytes) {
      const artifact = decodeEnvelope(bytes);
      if (artifact.modelType !== name) throw modelBroken(`the envelope holds a ${artifact.modelType}, not a ${name}`);
      const parsed = metadata.safeParse(artifact.metadata);
      if (!parsed.success) throw modelBroken(`the envelope's metadata of a ${name}: ${z.prettifyError(parsed.error)}`);
      return { ...artifact, metadata: parsed.data };
    },
  };
}
