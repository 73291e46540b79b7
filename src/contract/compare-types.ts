/** Two types of the same thing. */
import type { ChangeKind } from './change-rules.js';
import type { Comparison } from './comparison.js';
import type { Position } from './contract.js';
import { type IdlType, typeText } from './idl.js';

/** `respelled`: of the same bytes. */
type Relation = 'same' | 'respelled' | 'changed';

export interface TypePlace {
  readonly path: string;
  readonly position: Position;
  /** What it is called where the bytes differ. */
  readonly kind: ChangeKind;
  /** The contract reads a value here, so that the same bytes mean something else in another type. */
  readonly isRead: boolean;
}

/** Reports the difference, and has the structs and enums in both compared with each other. */
export function compareTypes(comparison: Comparison, before: IdlType, after: IdlType, place: TypePlace): void {
  const relation = relate(comparison, before, after);
  if (relation === 'same') return;
  const kind = relation === 'changed' || place.isRead ? place.kind : 'type-respelled';
  comparison.report(kind, place.path, `was ${typeText(before)}, is ${typeText(after)}`, place.position);
}

function relate(comparison: Comparison, before: IdlType, after: IdlType): Relation {
  if (before.kind === 'map' && after.kind === 'map') {
    const [key, value] = [relate(comparison, before.key, after.key), relate(comparison, before.value, after.value)];
    return worse(key, value);
  }
  if ((before.kind === 'list' || before.kind === 'set') && before.kind === after.kind) {
    return relate(comparison, before.element, after.element);
  }
  if (isNamed(before) && isNamed(after)) {
    if (before.kind !== after.kind) return 'changed';
    comparison.pair(before.name, after.name);
    return before.name === after.name || comparison.isRenaming([before.name, after.name]) ? 'same' : 'respelled';
  }
  if (typeText(before) === typeText(after)) return 'same';
  return wireName(before) !== undefined && wireName(before) === wireName(after) ? 'respelled' : 'changed';
}

const isNamed = (type: IdlType): type is Extract<IdlType, { readonly kind: 'enum' | 'struct' }> =>
  type.kind === 'enum' || type.kind === 'struct';

const worse = (a: Relation, b: Relation): Relation =>
  a === 'changed' || b === 'changed' ? 'changed' : a === 'respelled' ? a : b;

/** Types of the same bytes have the same; undefined where nothing but itself has its bytes. */
function wireName(type: IdlType): string | undefined {
  if (type.kind === 'enum') return 'i32';
  if (type.kind !== 'base') return undefined;
  return type.name === 'binary' ? 'string' : type.name;
}
