/** A response's struct, read: which part of the model's answer goes where. */
import type { FieldDefinition, StructDefinition } from '@creditkarma/thrift-parser';
import { type ContractEnum, ESTIMATES, type OutputField, type OutputRole, type ResponseStruct } from './contract.js';
import { AnnotationSet, refuseAnnotations } from './read-annotations.js';
import { article, readShape } from './read-type.js';
import type { Reader } from './reader.js';
import type { Resolved } from './resolve.js';
import type { Scope } from './scope.js';

export const OUTPUT_ROLES: readonly OutputRole[] = [
  'label',
  'probability',
  'probability_of_positive',
  'confidence',
  'value',
  'interval_low',
  'interval_high',
  'provenance',
];

/** Roles that only a classifier's answer has. */
const CLASSIFICATION: readonly OutputRole[] = ['label', 'probability', 'probability_of_positive', 'confidence'];

/** Fields are in order of their ids. */
export function readResponse(reader: Reader, scope: Scope, declaration: StructDefinition): ResponseStruct {
  refuseAnnotations(scope.source, declaration.annotations, 'a struct', reader.problems);
  const before = reader.problems.count;
  const fields: OutputField[] = [];
  for (const syntax of reader.distinctFields(scope, declaration.fields, declaration.name.value)) {
    const field = readOutputField(reader, scope, syntax);
    if (field !== undefined) fields.push(field);
  }
  const response = { name: declaration.name.value, fields: fields.sort((a, b) => a.id - b.id) };
  if (reader.problems.count === before) checkRoles(reader, scope, declaration, response);
  return response;
}

/** What the field is for; the same for all services of a contract. */
export function taskOf(response: ResponseStruct): 'classification' | 'regression' {
  return response.fields.some((field) => field.role === 'value') ? 'regression' : 'classification';
}

function readOutputField(reader: Reader, scope: Scope, syntax: FieldDefinition): OutputField | undefined {
  const position = scope.source.at(syntax.name.loc);
  const name = syntax.name.value;
  const resolved = reader.resolve(scope, syntax.fieldType);
  if (resolved.kind === 'unknown') return undefined;
  const annotations = new AnnotationSet(
    scope.source,
    syntax.annotations,
    'response field',
    reader.problems,
    resolved.inherited,
  );
  const isProvenance = resolved.kind === 'parley' && resolved.name === 'Provenance';
  const before = reader.problems.count;
  const role = annotations.choice('role', OUTPUT_ROLES) ?? (isProvenance ? 'provenance' : undefined);
  if (role === undefined) {
    if (reader.problems.count > before) return undefined;
    const message = `${name} has no role, so nothing can fill it; give it one of ${OUTPUT_ROLES.slice(0, -1).join(', ')}`;
    reader.problems.add(position, message);
    return undefined;
  }
  if (syntax.defaultValue !== null) {
    reader.problems.add(position, `${name} is filled by the model and cannot have a default value`);
  }
  const type = outputType(reader, resolved, role);
  if (typeof type === 'string') {
    reader.problems.add(position, `${name} has role "${role}", so its type must be ${type}, not ${nameOf(resolved)}`);
    return undefined;
  }
  const shape = readAnswerShape(resolved, annotations, (message) =>
    reader.problems.add(position, `${name} ${message}`),
  );
  const unit = annotations.text('unit');
  return {
    id: syntax.fieldID?.value ?? 0,
    name,
    role,
    ...(shape === undefined ? {} : { shape }),
    ...type,
    ...(unit === undefined ? {} : { unit }),
    position,
  };
}

/** A list's, which must be fixed: the answer is as long as the graph makes it. */
function readAnswerShape(
  resolved: Resolved,
  annotations: AnnotationSet,
  report: (message: string) => void,
): readonly number[] | undefined {
  const written = annotations.get('shape');
  if (resolved.kind !== 'list') {
    return written && annotations.report(written, 'shape is for lists, and this field is one value');
  }
  if (written === undefined) report('is a list, and nothing says of how many values; write (shape = "3")');
  const shape = readShape(annotations);
  if (shape?.[0] !== -1) return shape;
  return annotations.report(written!, 'shape of an answer must be whole numbers from 1 on');
}

/** The field's type, or the types that its role takes. */
function outputType(
  reader: Reader,
  resolved: Resolved,
  role: OutputRole,
): { readonly type: OutputField['type']; readonly enum?: ContractEnum } | string {
  switch (role) {
    case 'provenance':
      return resolved.kind === 'parley' && resolved.name === 'Provenance'
        ? { type: 'provenance' }
        : 'parley.Provenance';
    case 'label':
      if (resolved.kind === 'enum') return { type: 'enum', enum: reader.enumOf(resolved) };
      if (resolved.kind !== 'scalar' || resolved.type === 'double' || resolved.type === 'bool') {
        return 'an enum, string or an integer';
      }
      return { type: resolved.type };
    case 'probability': {
      if (resolved.kind !== 'map' || !isScalar(resolved.value, 'double'))
        return 'map<enum, double> or map<string, double>';
      if (resolved.key.kind === 'enum') return { type: 'map', enum: reader.enumOf(resolved.key) };
      return isScalar(resolved.key, 'string') ? { type: 'map' } : 'map<enum, double> or map<string, double>';
    }
    default: {
      if (isScalar(resolved, 'double')) return { type: 'double' };
      if (!ESTIMATES.includes(role)) return 'double';
      const isList = resolved.kind === 'list' && isScalar(resolved.element, 'double');
      return isList ? { type: 'double' } : 'double or list<double>';
    }
  }
}

function isScalar(resolved: Resolved, type: string): boolean {
  return resolved.kind === 'scalar' && resolved.type === type;
}

function nameOf(resolved: Resolved): string {
  if (resolved.kind === 'scalar') return article(resolved.type);
  if (resolved.kind === 'parley') return `parley.${resolved.name}`;
  if (resolved.kind === 'unsupported') return resolved.what;
  if (resolved.kind === 'binary') return 'binary';
  return resolved.kind === 'enum' ? 'an enum' : `a ${resolved.kind}`;
}

function checkRoles(
  reader: Reader,
  scope: Scope,
  declaration: StructDefinition,
  { name, fields }: ResponseStruct,
): void {
  const report = (message: string) => reader.problems.add(scope.source.at(declaration.name.loc), `${name} ${message}`);
  const find = (role: OutputRole) => fields.find((field) => field.role === role);
  for (const field of fields) {
    if (find(field.role) === field) continue;
    reader.problems.add(
      field.position,
      `${find(field.role)!.name} has the role "${field.role}" already; keep one of them`,
    );
  }
  const classification = fields.filter((field) => CLASSIFICATION.includes(field.role));
  const value = find('value');
  if (value !== undefined && classification.length > 0) {
    report(`has the role "value" of a regression and "${classification[0]!.role}" of a classification; keep one kind`);
  }
  const isEstimate = fields.some((field) => ESTIMATES.includes(field.role));
  if (!isEstimate && !classification.some((field) => field.role !== 'confidence')) {
    report('has no field that answers: give one the role "label" or "value"');
  }
  for (const field of fields.filter(({ role }) => role === 'interval_low' || role === 'interval_high')) {
    if (value === undefined) report(`has the role "${field.role}" and no field with the role "value" that it is about`);
    else if (String(field.shape) !== String(value.shape)) {
      reader.problems.add(
        field.position,
        `${field.name} must have the type and shape of ${value.name}, whose end it is`,
      );
    }
  }
  checkClasses(reader, report, fields);
}

function checkClasses(reader: Reader, report: (message: string) => void, fields: readonly OutputField[]): void {
  const label = fields.find((field) => field.role === 'label');
  const map = fields.find((field) => field.role === 'probability');
  if (label?.enum !== undefined && map?.enum !== undefined && label.enum !== map.enum) {
    const message = `${map.name} is keyed by ${map.enum.name}, and the label ${label.name} is a ${label.enum.name}; use one enum`;
    reader.problems.add(map.position, message);
  }
  const classes = (label?.enum ?? map?.enum)?.members.filter((member) => member.value !== 0);
  if (classes !== undefined && classes.length < 2) {
    report('answers with an enum that has fewer than two members beside 0; a label needs two classes or more');
  }
  const positive = fields.find((field) => field.role === 'probability_of_positive');
  if (positive === undefined) return;
  if (classes?.length !== 2 || !classes.some((member) => member.positive)) {
    const message =
      'the role "probability_of_positive" needs a label whose enum has two members beside 0, one of them with positive = "true"';
    reader.problems.add(positive.position, message);
  }
}
