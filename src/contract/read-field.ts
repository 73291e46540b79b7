/** One field of a request that has a value, read. */
import type { FieldDefinition } from '@creditkarma/thrift-parser';
import type { InputField, InputRole } from './contract.js';
import { AnnotationSet } from './read-annotations.js';
import { readBounds } from './read-bounds.js';
import { readMissing } from './read-missing.js';
import type { Place } from './read-request.js';
import { article, described, readValueType, type ValueType } from './read-type.js';
import type { Reader } from './reader.js';
import type { Resolved } from './resolve.js';
import type { Scope } from './scope.js';

const ROLES: readonly InputRole[] = ['feature', 'id', 'time', 'weight', 'ignored'];

/** Undefined when it cannot be read; why is reported. */
export function readInputField(
  reader: Reader,
  scope: Scope,
  syntax: FieldDefinition,
  resolved: Resolved,
  place: Place,
): InputField | undefined {
  const { problems } = reader;
  const annotations = new AnnotationSet(scope.source, syntax.annotations, 'request field', problems, [
    ...(resolved.inherited ?? []),
    ...inheritedOfElements(resolved),
  ]);
  const type = readValueType(reader, scope, syntax, resolved, annotations);
  if (type === undefined) return undefined;
  const role = place.ignored ? 'ignored' : (annotations.choice('role', ROLES) ?? 'feature');
  const wrong = wrongRole(role, type);
  if (wrong !== undefined && annotations.get('role') !== undefined) annotations.report(annotations.get('role')!, wrong);
  const unit = annotations.text('unit');
  const id = syntax.fieldID?.value ?? 0;
  const field: InputField = {
    id,
    name: place.prefix + syntax.name.value,
    path: [...place.path, id],
    ...type,
    ...(unit === undefined ? {} : { unit }),
    ...readBounds(annotations, type),
    missing: role === 'feature' ? { kind: 'refused' } : { kind: 'allowed' },
    sensitive: annotations.flag('sensitive') || place.sensitive,
    role,
    position: scope.source.at(syntax.name.loc),
  };
  if (place.inUnion && syntax.defaultValue !== null) {
    const message = `${syntax.name.value} is a member of a union, where a default value would choose it; drop the value`;
    problems.add(scope.source.at(syntax.defaultValue.loc), message);
  }
  return { ...field, missing: readMissing(reader, scope, syntax, field, annotations) };
}

/** `list<Millimetres>`: what the typedef says of one value holds for each. */
function inheritedOfElements(resolved: Resolved): NonNullable<Resolved['inherited']> {
  if (resolved.kind === 'list') return resolved.element.inherited ?? [];
  return resolved.kind === 'map' ? (resolved.value.inherited ?? []) : [];
}

/** What a role asks of its field's type; undefined when that is so. */
function wrongRole(role: InputRole, type: ValueType): string | undefined {
  const { type: scalar, tensor } = type;
  const isText = scalar === 'string';
  const isInteger = !isText && scalar !== 'double' && scalar !== 'bool' && scalar !== 'enum';
  const found = tensor === undefined ? article(scalar) : described(type);
  if (role === 'id' && (tensor !== undefined || !(isText || isInteger))) {
    return `an id is a string or an integer, not ${found}`;
  }
  if (role === 'time' && (tensor !== undefined || !(isText || scalar === 'i64'))) {
    return `a time is an i64 (milliseconds since 1970) or a string (ISO 8601), not ${found}`;
  }
  if (role === 'weight' && (tensor !== undefined || !(isInteger || scalar === 'double'))) {
    return `a weight is a number, not ${found}`;
  }
  return undefined;
}
