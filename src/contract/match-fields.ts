/** Which field of one list is which of another. */
import type { IdlField } from './idl.js';

export interface MatchedFields {
  /** By name where there is one, and else by id; in the old order. */
  readonly pairs: readonly (readonly [before: IdlField, after: IdlField])[];
  readonly removed: readonly IdlField[];
  readonly added: readonly IdlField[];
}

/** A field whose id went to a new name is renamed only where its own name is gone. */
export function matchFields(before: readonly IdlField[], after: readonly IdlField[]): MatchedFields {
  const oldNames = new Set(before.map((field) => field.name));
  const isNew = (field: IdlField) => !oldNames.has(field.name);
  const twinOf = (field: IdlField) =>
    after.find((other) => other.name === field.name) ?? after.find((other) => other.id === field.id && isNew(other));
  const pairs: (readonly [IdlField, IdlField])[] = [];
  const removed: IdlField[] = [];
  for (const field of before) {
    const twin = twinOf(field);
    if (twin === undefined) removed.push(field);
    else pairs.push([field, twin]);
  }
  const taken = new Set(pairs.map(([, twin]) => twin));
  return { pairs, removed, added: after.filter((field) => !taken.has(field)) };
}
