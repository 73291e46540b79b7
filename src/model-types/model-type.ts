/** What a model type is made of; a folder has the same three files as every other. */
import type { z } from 'zod';
import { invalidInput, modelBroken, type Problem } from '../errors.js';
import type { Signature } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';

export interface Serializer {
  /**
   * The artifact as it may be serialized.
   *
   * @throws ParleyError INVALID_INPUT where it is of another type, its metadata break the type's schema, or its graph is not
   *   what they say
   */
  check(artifact: Artifact): Artifact;
  /** @throws ParleyError as `check` */
  serialize(artifact: Artifact): Uint8Array;
  /** @throws ParleyError MODEL_BROKEN where the bytes are not one whole envelope of this type */
  deserialize(bytes: Uint8Array): Artifact;
}

/** `schema.ts`: the envelope's metadata, which are the record's own fields too. Each has a description. */
export interface TypeSchema {
  readonly metadata: z.ZodObject;
}

/** `runtime.ts`: what there is to say of a graph of this type. */
export interface TypeRuntime {
  /** What a graph of this type calls its outputs, by their meaning, unless a contract says otherwise; empty where they have none. */
  readonly defaultOutputs: Readonly<Record<string, string>>;
}

export interface ModelType extends Serializer, TypeSchema, TypeRuntime {
  /** A key of the table: `tabular-classifier` … */
  readonly name: string;
}

/** What a graph of a type must be for the metadata to be true. Says of the signature alone what does not fit. */
export type GraphCheck<Metadata> = (
  signature: Signature,
  metadata: Metadata,
  graph: Uint8Array,
) => readonly Pick<Problem, 'path' | 'message'>[];

/**
 * The serializer of a type whose envelope is the common one.
 *
 * @param checkGraph none: a graph of this type may be any
 */
export function envelopeSerializer<Schema extends z.ZodObject>(
  name: string,
  metadata: Schema,
  checkGraph: GraphCheck<z.infer<Schema>> = () => [],
): Serializer {
  const checked = (artifact: Artifact, refuse: (what: string, problems: readonly Problem[]) => Error): Artifact => {
    const parsed = metadata.safeParse(artifact.metadata);
    if (!parsed.success) throw refuse(`metadata of ${article(name)}`, problemsOf(parsed.error));
    const misfits = checkGraph(artifact.signature, parsed.data, artifact.graph);
    if (misfits.length > 0) throw refuse(`graph of ${article(name)}`, misfits);
    return { ...artifact, metadata: parsed.data };
  };
  const check: Serializer['check'] = (artifact) => {
    if (artifact.modelType !== name) throw invalidInput(`${article(artifact.modelType)} is not ${article(name)}`);
    return checked(artifact, (what, problems) => invalidInput(`${what}: ${told(problems)}`, { problems }));
  };
  return {
    check,
    serialize: (artifact) => encodeEnvelope(check(artifact)),
    deserialize(bytes) {
      const artifact = decodeEnvelope(bytes);
      if (artifact.modelType !== name)
        throw modelBroken(`the envelope holds ${article(artifact.modelType)}, not ${article(name)}`);
      return checked(artifact, (what, problems) =>
        modelBroken(`the envelope's ${what}: ${told(problems)}`, { problems }),
      );
    },
  };
}

/** What a schema has against a value, by field. */
export function problemsOf({ issues }: z.ZodError): readonly Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path: path || 'metadata', message: worded(issue.message) }];
    return issue.keys.map((key) => ({
      path: [path, key].filter(Boolean).join('.'),
      message: 'is no field of the type',
    }));
  });
}

/** Zod's words for a value that is not there, and for one that does not fit, in ours. */
const worded = (message: string): string =>
  message
    .replace(/^Invalid (?:input|option): (expected \w+), received undefined$/, 'is missing; $1')
    .replace(/^Invalid (?:input|option): /, '');

/** In one line. */
export const told = (problems: readonly Pick<Problem, 'path' | 'message'>[]): string =>
  problems.map(({ path, message }) => `${path}: ${message}`).join('; ');

/** `a tensor`, `an ensemble`. */
export const article = (modelType: string): string => `${/^[aeiou]/.test(modelType) ? 'an' : 'a'} ${modelType}`;
