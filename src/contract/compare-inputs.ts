/** What two contracts say of the same field of a request. */
import { isDeepStrictEqual } from 'node:util';
import type { ChangeKind } from './change-rules.js';
import type { Comparison } from './comparison.js';
import type { FieldTensor, InputField, Missing, UnionGroup } from './contract.js';
import { unitOf } from './unit.js';

type Tell = (kind: ChangeKind, message: string) => void;

export function compareInputs(comparison: Comparison, path: string, before: InputField, after: InputField): void {
  const tell: Tell = (kind, message) => comparison.report(kind, path, message, after.position);
  // Of another type, the value is another thing.
  if (before.type === after.type && before.tensor?.from === after.tensor?.from) {
    compareRanges(before, after, tell);
    compareTexts(before, after, tell);
  }
  if (before.role !== after.role) tell('role-changed', `was ${before.role}, is ${after.role}`);
  if (before.role === after.role || after.missing.kind === 'refused')
    compareMissing(before.missing, after.missing, tell);
  compareUnits(before, after, tell);
  if (before.tensor !== undefined && after.tensor !== undefined) compareTensors(before.tensor, after.tensor, tell);
  if (before.sensitive !== after.sensitive) {
    tell('sensitive-changed', after.sensitive ? 'became sensitive' : 'is no longer sensitive');
  }
}

function compareRanges(before: InputField, after: InputField, tell: Tell): void {
  const [low, high] = [before.min ?? Number.NEGATIVE_INFINITY, before.max ?? Number.POSITIVE_INFINITY];
  const [newLow, newHigh] = [after.min ?? Number.NEGATIVE_INFINITY, after.max ?? Number.POSITIVE_INFINITY];
  const message = `was ${range(before)}, is ${range(after)}`;
  if (newLow > low || newHigh < high) tell('range-narrowed', message);
  if (newLow < low || newHigh > high) tell('range-widened', message);
}

function range({ min, max }: InputField): string {
  if (min === undefined && max === undefined) return 'any number';
  if (max === undefined) return `at least ${min}`;
  return min === undefined ? `at most ${max}` : `${min} to ${max}`;
}

function compareTexts(before: InputField, after: InputField, tell: Tell): void {
  if (before.tensor?.from !== 'map' && after.tensor?.from !== 'map') compareValues(before.values, after.values, tell);
  if (before.pattern !== after.pattern) {
    const message = `was ${before.pattern ?? 'none'}, is ${after.pattern ?? 'none'}`;
    if (before.pattern === undefined) tell('pattern-added', message);
    else tell(after.pattern === undefined ? 'pattern-removed' : 'pattern-changed', message);
  }
  const [most, mostNow] = [longest(before), longest(after)];
  const message = `was ${before.maxBytes ?? 'unlimited'}, is ${after.maxBytes ?? 'unlimited'} bytes`;
  if (mostNow < most && after.values === undefined) tell('max-bytes-lowered', message);
  if (mostNow > most && before.values === undefined) tell('max-bytes-raised', message);
}

/** In bytes, of what a text may be; a vocabulary has a longest word. */
function longest({ maxBytes = Number.POSITIVE_INFINITY, values }: InputField): number {
  return values === undefined ? maxBytes : Math.max(...values.map((value) => Buffer.byteLength(value)));
}

function compareValues(before: InputField['values'], after: InputField['values'], tell: Tell): void {
  if (isDeepStrictEqual(before, after)) return;
  if (before === undefined || after === undefined) {
    const text = (values: InputField['values']) => (values === undefined ? 'any text' : `one of ${values.join(', ')}`);
    tell(before === undefined ? 'values-removed' : 'values-added', `was ${text(before)}, is ${text(after)}`);
    return;
  }
  const gone = before.filter((value) => !after.includes(value));
  const fresh = after.filter((value) => !before.includes(value));
  if (gone.length > 0) tell('values-removed', `${gone.join(', ')} no longer taken`);
  if (fresh.length > 0) tell('values-added', `${fresh.join(', ')} taken too`);
  if (gone.length === 0 && fresh.length === 0) tell('values-reordered', `was ${before.join()}, is ${after.join()}`);
}

function compareMissing(before: Missing, after: Missing, tell: Tell): void {
  if (isDeepStrictEqual(before, after)) return;
  const message = `a missing value was ${meaning(before)}, is ${meaning(after)}`;
  if (after.kind === 'refused') tell('missing-refused', message);
  else if (before.kind === 'refused') tell('missing-allowed', message);
  else tell(before.kind === after.kind ? 'default-changed' : 'missing-changed', message);
}

const meaning = (missing: Missing) =>
  missing.kind === 'default' ? `taken as ${JSON.stringify(missing.value)}` : missing.kind;

/** Also of answers' fields. */
export function compareUnits(
  before: { readonly name: string; readonly unit?: string },
  after: { readonly name: string; readonly unit?: string },
  tell: Tell,
): void {
  const [unit, unitNow] = [unitOf(before), unitOf(after)];
  if (unit === unitNow) return;
  if (unit === undefined) tell('unit-added', `is in ${unitNow}`);
  else if (unitNow === undefined) tell('unit-removed', `was in ${unit}`);
  else tell('unit-changed', `was in ${unit}, is in ${unitNow}`);
}

function compareTensors(before: FieldTensor, after: FieldTensor, tell: Tell): void {
  if (!isDeepStrictEqual(before.keys, after.keys)) {
    tell('keys-changed', `was ${before.keys?.join(', ') ?? 'none'}, is ${after.keys?.join(', ') ?? 'none'}`);
  } else compareShapes(before.shape, after.shape, tell);
  if (before.dataType !== after.dataType) {
    tell('data-type-changed', `was ${before.dataType ?? 'none'}, is ${after.dataType ?? 'none'}`);
  }
  const gone = before.encodings?.filter((encoding) => !after.encodings?.includes(encoding)) ?? [];
  const fresh = after.encodings?.filter((encoding) => !before.encodings?.includes(encoding)) ?? [];
  if (gone.length > 0) tell('encoding-removed', `${gone.join(', ')} no longer taken`);
  if (fresh.length > 0) tell('encoding-added', `${fresh.join(', ')} taken too`);
}

/** Also of answers' fields, where any other shape is a change. */
export function compareShapes(before: readonly number[], after: readonly number[], tell: Tell): void {
  if (isDeepStrictEqual(before, after)) return;
  const isLooser = after.length === 1 && after[0] === -1 && before.length === 1;
  tell(isLooser ? 'shape-loosened' : 'shape-changed', `was ${shapeText(before)}, is ${shapeText(after)}`);
}

export const shapeText = (shape: readonly number[]) =>
  `(${shape.map((extent) => (extent < 0 ? 'any' : extent)).join(', ')})`;

/** A union of a request, as a whole. */
export function compareUnions(
  comparison: Comparison,
  before: readonly UnionGroup[],
  after: readonly UnionGroup[],
  at: { readonly struct: string; readonly position: InputField['position'] },
): void {
  for (const union of before) {
    const twin = after.find(({ name }) => name === union.name);
    if (twin === undefined || twin.missing === union.missing) continue;
    const kind = twin.missing === 'refused' ? 'missing-refused' : 'missing-allowed';
    const message = `all of its members missing was ${union.missing}, is ${twin.missing}`;
    comparison.report(kind, `${at.struct}.${union.name}`, message, at.position);
  }
}
