/** Services and methods, own and inherited. */
import type { ChangeKind } from './change-rules.js';
import { compareAcceptance } from './compare-acceptance.js';
import { compareTypes } from './compare-types.js';
import type { Comparison } from './comparison.js';
import { allMethods, type IdlField, type IdlMethod, type IdlService, namesIn, typeText } from './idl.js';
import { matchFields } from './match-fields.js';

export function compareServices(comparison: Comparison): void {
  const { before, after } = comparison;
  const taken = new Set<string>();
  for (const service of before.services) {
    const twin = after.services.find(({ name }) => name === service.name) ?? renamed(comparison, service, taken);
    if (twin === undefined) {
      comparison.report('service-removed', service.name, 'the service is gone', service.position);
      continue;
    }
    taken.add(twin.name);
    compareService(comparison, service, twin);
  }
  for (const service of after.services) if (!taken.has(service.name)) serviceAdded(comparison, service);
}

/** A new service with the same methods as one that is gone. */
function renamed(comparison: Comparison, service: IdlService, taken: ReadonlySet<string>): IdlService | undefined {
  const names = namesOf(service);
  if (names === '') return undefined;
  const { before, after } = comparison;
  const wasThere = (name: string) => before.services.some((other) => other.name === name);
  return after.services.find((other) => !wasThere(other.name) && !taken.has(other.name) && namesOf(other) === names);
}

const namesOf = (service: IdlService) =>
  service.methods
    .map(({ name }) => name)
    .sort()
    .join(' ');

function serviceAdded(comparison: Comparison, service: IdlService): void {
  comparison.report('service-added', service.name, 'the service is new', service.position);
  for (const method of service.methods) methodAdded(comparison, service.name, method);
}

function compareService(comparison: Comparison, old: IdlService, service: IdlService): void {
  if (old.name !== service.name) {
    comparison.report('service-renamed', old.name, `is called ${service.name} now`, service.position);
  }
  if (old.extends !== service.extends) {
    const message = `extended ${old.extends ?? 'nothing'}, extends ${service.extends ?? 'nothing'}`;
    comparison.report('inheritance-changed', old.name, message, service.position);
  }
  // What is inherited from the same service is told of that one, where it is compared.
  const isOwn = (owner: IdlService, method: IdlMethod) => owner.methods.includes(method);
  const olds = allMethods(comparison.before.idl, old);
  const methods = allMethods(comparison.after.idl, service);
  for (const method of olds) {
    const twin = methods.find(({ name }) => name === method.name);
    const isTold = !comparison.ofContracts && old.extends === service.extends;
    if (isTold && !isOwn(old, method) && (twin === undefined || !isOwn(service, twin))) continue;
    const path = `${old.name}.${method.name}`;
    if (twin === undefined) comparison.report('method-removed', path, 'the method is gone', method.position);
    else compareMethods(comparison, path, method, twin);
  }
  for (const method of comparison.ofContracts ? methods : service.methods) {
    if (!olds.some(({ name }) => name === method.name)) methodAdded(comparison, old.name, method);
  }
  compareAcceptance(comparison, old.name, service.name);
}

function methodAdded(comparison: Comparison, owner: string, method: IdlMethod): void {
  const names = [method.returns, ...method.arguments.map((argument) => argument.type)].flatMap(namesIn);
  const isKnown = names.every((name) => comparison.before.ways(name).size > 0 || !comparison.after.has(name));
  const kind = isKnown ? 'method-added' : 'question-added';
  comparison.report(kind, `${owner}.${method.name}`, 'the method is new', method.position);
}

function compareMethods(comparison: Comparison, path: string, old: IdlMethod, method: IdlMethod): void {
  if (old.oneway !== method.oneway) {
    const message = method.oneway ? 'became oneway' : 'is no longer oneway';
    comparison.report('oneway-changed', path, message, method.position);
  }
  const place = { path, position: method.position, kind: 'return-changed', isRead: false } as const;
  compareTypes(comparison, old.returns, method.returns, place);
  compareLists(comparison, path, old.arguments, method.arguments, ARGUMENTS);
  compareLists(comparison, path, old.throws, method.throws, EXCEPTIONS);
}

interface ListKinds {
  readonly what: string;
  readonly removed: ChangeKind;
  readonly added: ChangeKind;
  readonly id: ChangeKind;
  readonly type: ChangeKind;
  readonly renamed: ChangeKind;
}

const ARGUMENTS: ListKinds = {
  what: 'argument',
  removed: 'argument-removed',
  added: 'argument-added',
  id: 'argument-id-changed',
  type: 'argument-type-changed',
  renamed: 'argument-renamed',
};

const EXCEPTIONS: ListKinds = {
  what: 'exception',
  removed: 'exception-removed',
  added: 'exception-added',
  id: 'exception-changed',
  type: 'exception-changed',
  renamed: 'exception-renamed',
};

function compareLists(
  comparison: Comparison,
  path: string,
  olds: readonly IdlField[],
  fields: readonly IdlField[],
  kinds: ListKinds,
): void {
  const { pairs, removed, added } = matchFields(olds, fields);
  const tell = (kind: ChangeKind, field: IdlField, message: string, at = field) =>
    comparison.report(kind, `${path}.${field.name}`, message, at.position);
  const declared = ({ id, type, name }: IdlField) => `the ${kinds.what} ${id}: ${typeText(type)} ${name}`;
  for (const field of removed) tell(kinds.removed, field, `${declared(field)} is gone`);
  for (const [old, field] of pairs) {
    if (old.id !== field.id) tell(kinds.id, old, `had the id ${old.id}, has ${field.id}`, field);
    if (old.name !== field.name) tell(kinds.renamed, old, `is called ${field.name} now`, field);
    // An exception is caught by its type, whatever its bytes.
    const place = {
      path: `${path}.${old.name}`,
      position: field.position,
      kind: kinds.type,
      isRead: kinds === EXCEPTIONS,
    };
    compareTypes(comparison, old.type, field.type, place);
  }
  for (const field of added) tell(kinds.added, field, `${declared(field)} is new`);
}
