/**
 * A version's own fields as they stand in its record: those of its type's metadata, each under its name.
 *
 * Text stands as it is and everything else as JSON, so that a person can read both.
 */
import { z } from 'zod';
import type { Artifact } from '../model/trained.js';
import { problemsOf, told } from './model-type.js';
import { modelTypeOf, modelTypes } from './table.js';

export type RecordFields = Readonly<Record<string, string>>;

/** @throws ParleyError UNSUPPORTED for a type that this release does not know */
export function fieldsOf({ modelType, metadata }: Pick<Artifact, 'modelType' | 'metadata'>): RecordFields {
  modelTypeOf(modelType);
  const written = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    written.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

/**
 * The metadata that a record's fields say; empty where it has none, as one of an earlier release.
 *
 * @param fields what else is among them is left alone
 * @throws Error that names the field which is not what the type's schema allows
 */
export function metadataOf(modelType: string, fields: RecordFields): Artifact['metadata'] {
  const { metadata } = modelTypeOf(modelType);
  const known = Object.keys(metadata.shape).filter((name) => fields[name] !== undefined);
  if (known.length === 0) return {};
  const read = Object.fromEntries(known.map((name) => [name, fieldValue(metadata, name, fields[name]!)]));
  const parsed = metadata.safeParse(read);
  if (parsed.success) return parsed.data;
  throw new Error(`${modelType} fields are wrong: ${told(problemsOf(parsed.error))}`);
}

/**
 * What a store keeps of a record's further fields: those that the type's schema names, checked by it. Of a type that
 * this release does not know, none.
 */
export function checkRecordFields(modelType: string, fields: RecordFields): RecordFields {
  if (!Object.hasOwn(modelTypes, modelType)) return {};
  return fieldsOf({ modelType, metadata: metadataOf(modelType, fields) });
}

/** Whether a field is text, and stands as it is. */
export function isText(metadata: z.ZodObject, name: string): boolean {
  let field = metadata.shape[name] as z.core.$ZodType | undefined;
  while (field instanceof z.ZodOptional) field = field.unwrap();
  return field instanceof z.ZodString || field instanceof z.ZodEnum;
}

/** What is no JSON stays a text, which the schema then refuses. */
function fieldValue(metadata: z.ZodObject, name: string, written: string): unknown {
  if (isText(metadata, name)) return written;
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}
