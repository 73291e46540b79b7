/** A request's struct, read: what may be fed to the model. */
import { type ConstValue, type FieldDefinition, type StructDefinition, SyntaxType } from '@creditkarma/thrift-parser';
import { INTEGER_RANGES, problemOf } from './check.js';
import type { ContractEnum, FieldType, InputField, Missing, RequestStruct } from './contract.js';
import { AnnotationSet, parseNumber, refuseAnnotations } from './read-annotations.js';
import type { Reader } from './reader.js';
import { lookUpValue, type Scope } from './scope.js';

const SUPPORTED = 'a field of a request is bool, byte, i16, i32, i64, double, string or an enum';

/** Fields are in order of their ids, so that the order of declaration means nothing. */
export function readRequest(reader: Reader, scope: Scope, declaration: StructDefinition): RequestStruct {
  const { source } = scope;
  refuseAnnotations(source, declaration.annotations, 'a struct', reader.problems);
  const fields: InputField[] = [];
  for (const syntax of reader.distinctFields(scope, declaration.fields, declaration.name.value)) {
    const field = readInputField(reader, scope, syntax);
    if (field !== undefined) fields.push(field);
  }
  const position = source.at(declaration.name.loc);
  if (declaration.fields.length === 0 || (fields.length > 0 && !fields.some((field) => field.role === 'feature'))) {
    reader.problems.add(position, `${declaration.name.value} has no field that is fed to the model`);
  }
  if (fields.filter((field) => field.role === 'id').length > 1) {
    reader.problems.add(position, `${declaration.name.value} has more than one field with role "id"; keep one`);
  }
  return { name: declaration.name.value, fields: fields.sort((a, b) => a.id - b.id) };
}

function readInputField(reader: Reader, scope: Scope, syntax: FieldDefinition): InputField | undefined {
  const position = scope.source.at(syntax.name.loc);
  const type = readType(reader, scope, syntax);
  if (type === undefined) return undefined;
  const annotations = new AnnotationSet(scope.source, syntax.annotations, 'request field', reader.problems);
  const role = annotations.choice('role', ['feature', 'id', 'ignored']) ?? 'feature';
  if (role === 'id' && (type.type === 'double' || type.type === 'bool' || type.type === 'enum')) {
    annotations.report(annotations.get('role')!, `an id is a string or an integer, not ${article(type.type)}`);
  }
  const unit = annotations.text('unit');
  const bounds = { ...readRange(annotations, type.type), ...readVocabulary(annotations, type.type) };
  const field: InputField = {
    id: syntax.fieldID?.value ?? 0,
    name: syntax.name.value,
    path: [syntax.fieldID?.value ?? 0],
    ...type,
    ...(unit === undefined ? {} : { unit }),
    ...bounds,
    missing: role === 'feature' ? { kind: 'refused' } : { kind: 'allowed' },
    sensitive: annotations.flag('sensitive'),
    role,
    position,
  };
  return { ...field, missing: readMissing(reader, scope, syntax, field, annotations) };
}

function readType(
  reader: Reader,
  scope: Scope,
  syntax: FieldDefinition,
): { readonly type: FieldType; readonly enum?: ContractEnum } | undefined {
  const resolved = reader.resolve(scope, syntax.fieldType);
  const refuse = (what: string) => {
    const position = scope.source.at(syntax.name.loc);
    reader.problems.add(position, `${what} in a request (${syntax.name.value}) is not supported yet; ${SUPPORTED}`);
    return undefined;
  };
  switch (resolved.kind) {
    case 'scalar':
      return { type: resolved.type };
    case 'enum': {
      const read = reader.enumOf(resolved);
      if (read.members.some((member) => member.value !== 0)) return { type: 'enum', enum: read };
      const message = `the enum ${read.name} has no member but 0, which is never a valid choice`;
      reader.problems.add(scope.source.at(syntax.name.loc), message);
      return undefined;
    }
    case 'struct':
      return refuse('a nested struct');
    case 'list':
    case 'map':
      return refuse(`a ${resolved.kind}`);
    case 'parley':
      return refuse(`parley.${resolved.name}`);
    case 'unsupported':
      return refuse(resolved.what);
    case 'unknown':
      return undefined;
  }
}

function readRange(annotations: AnnotationSet, type: FieldType): { min?: number; max?: number } {
  const numeric = type === 'double' || INTEGER_RANGES[type] !== undefined;
  for (const key of ['min', 'max']) {
    const annotation = annotations.get(key);
    if (annotation !== undefined && !numeric) {
      annotations.report(annotation, `${key} is for numbers, and this field is ${article(type)}`);
    }
  }
  if (!numeric) return {};
  const min = annotations.number('min');
  const max = annotations.number('max');
  if (min !== undefined && max !== undefined && min > max) {
    annotations.report(annotations.get('min')!, `min ${min} is more than max ${max}`);
  }
  const range = INTEGER_RANGES[type] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (min !== undefined && min > range[1]) {
    annotations.report(annotations.get('min')!, `min ${min} is more than any ${type} can be`);
  }
  if (max !== undefined && max < range[0]) {
    annotations.report(annotations.get('max')!, `max ${max} is less than any ${type} can be`);
  }
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function readVocabulary(
  annotations: AnnotationSet,
  type: FieldType,
): { values?: readonly string[]; maxBytes?: number } {
  if (type !== 'string') {
    for (const key of ['values', 'max_bytes']) {
      const annotation = annotations.get(key);
      if (annotation === undefined) continue;
      const instead = type === 'enum' && key === 'values' ? '; its members are its values' : '';
      annotations.report(annotation, `${key} is for strings, and this field is ${article(type)}${instead}`);
    }
    return {};
  }
  const values = annotations.list('values');
  const maxBytes = annotations.number('max_bytes');
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    annotations.report(annotations.get('max_bytes')!, 'max_bytes must be a whole number, 1 or more');
  }
  const long = values?.find((value) => maxBytes !== undefined && Buffer.byteLength(value) > maxBytes);
  if (long !== undefined) annotations.report(annotations.get('values')!, `"${long}" is longer than max_bytes allows`);
  return { ...(values === undefined ? {} : { values }), ...(maxBytes === undefined ? {} : { maxBytes }) };
}

/** `refused` unless the annotation or a value after the equals sign says otherwise; what no model sees may be absent. */
function readMissing(
  reader: Reader,
  scope: Scope,
  syntax: FieldDefinition,
  field: InputField,
  annotations: AnnotationSet,
): Missing {
  const written = annotations.choice('missing', ['refused', 'allowed', 'default']);
  const annotation = annotations.get('missing');
  if (syntax.requiredness === 'required' && written !== undefined && written !== 'refused') {
    annotations.report(annotation!, `a required field cannot have missing = "${written}"; write optional`);
  }
  if (syntax.defaultValue === null) {
    if (written === 'default') {
      annotations.report(annotation!, `missing = "default" needs a value after the name: ${field.name} = …`);
    }
    return written === 'allowed' || written === 'refused' ? { kind: written } : field.missing;
  }
  if (written === 'allowed' || written === 'refused') {
    annotations.report(annotation!, `missing = "${written}" contradicts the default value; drop one of them`);
  }
  const value = readDefault(reader, scope, syntax.defaultValue, field);
  return value === undefined ? field.missing : { kind: 'default', value };
}

function readDefault(reader: Reader, scope: Scope, syntax: ConstValue, field: InputField): number | string | undefined {
  const position = scope.source.at(syntax.loc);
  const refuse = (message: string) => {
    reader.problems.add(position, `the default of ${field.name} ${message}`);
    return undefined;
  };
  const value = evaluate(scope, syntax, field, new Set());
  if (value === undefined) return refuse(`is not ${article(field.type)}`);
  if (value === '') return refuse('is empty, which means missing; write missing = "allowed"');
  const problem = problemOf(field, value, field.name);
  return problem === undefined ? value : refuse(problem.message);
}

/** A constant expression as a value of the field's kind: booleans as 0 and 1, enum members as their labels. */
function evaluate(
  scope: Scope,
  syntax: ConstValue,
  field: InputField,
  seen: Set<ConstValue>,
): number | string | undefined {
  if (seen.has(syntax)) return undefined;
  seen.add(syntax);
  switch (syntax.type) {
    case SyntaxType.StringLiteral:
      return field.type === 'string' ? scope.source.literal(syntax.loc) : undefined;
    case SyntaxType.BooleanLiteral:
      return field.type === 'bool' ? Number(syntax.value) : undefined;
    case SyntaxType.DoubleConstant:
      return field.type === 'double' ? parseNumber(syntax.value.value) : undefined;
    case SyntaxType.IntConstant: {
      const number = Number(syntax.value.value);
      if (field.type !== 'enum') return field.type === 'string' ? undefined : number;
      return field.enum?.members.find((member) => member.value === number && number !== 0)?.label;
    }
    case SyntaxType.Identifier: {
      const found = lookUpValue(scope, syntax.value);
      if (found === undefined) return undefined;
      if ('constant' in found) return evaluate(found.scope, found.constant.initializer, field, seen);
      if (found.enum.name.value !== field.enum?.name) return undefined;
      return field.enum.members.find((member) => member.name === found.member && member.value !== 0)?.label;
    }
    default:
      return undefined;
  }
}

export function article(type: FieldType): string {
  return type.startsWith('i') || type === 'enum' ? `an ${type}` : `a ${type}`;
}
