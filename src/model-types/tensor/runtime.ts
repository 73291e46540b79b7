/** How a tensor model is run: by the names, types and shapes of its graph's own inputs and outputs. */
import { metadata } from './schema.js';

/** The name that an envelope gives the type. */
export const TENSOR = 'tensor';

/** None: its outputs mean what its makers say. */
export const defaultOutputs = {} as const;

/** @param of an artifact's metadata, of any type */
export function optionalInputs(of: Readonly<Record<string, unknown>>): readonly string[] {
  const parsed = metadata.safeParse(of);
  return parsed.success ? (parsed.data.optional_inputs ?? []) : [];
}
