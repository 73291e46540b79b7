/** A request's struct, read: what may be fed to the model, with what nested structs and unions hold. */
import type { FieldDefinition, StructDefinition, UnionDefinition } from '@creditkarma/thrift-parser';
import { comparePaths, type InputField, type RequestStruct, type UnionGroup } from './contract.js';
import { AnnotationSet, refuseAnnotations } from './read-annotations.js';
import { readInputField } from './read-field.js';
import type { Reader } from './reader.js';
import type { Resolved } from './resolve.js';
import type { Scope } from './scope.js';

/** Structs within structs multiply; more than this is a mistake, and would be slow to check. */
const MOST_FIELDS = 10_000;
const MOST_DEPTH = 32;

/** Where a field stands, and what the structs and unions around it say of all that they hold. */
export interface Place {
  /** Of the struct that the fields are in. */
  readonly path: readonly number[];
  /** `bill.`, or nothing. */
  readonly prefix: string;
  readonly around: readonly (StructDefinition | UnionDefinition)[];
  readonly inUnion: boolean;
  readonly sensitive: boolean;
  readonly ignored: boolean;
}

type Nested = Extract<Resolved, { readonly kind: 'struct' | 'union' }>;

/** Fields are in order of their paths, so that the order of declaration means nothing. */
export function readRequest(reader: Reader, scope: Scope, declaration: StructDefinition): RequestStruct {
  const name = declaration.name.value;
  const before = reader.problems.count;
  const walk = new Walk(reader);
  walk.into(scope, declaration, {
    path: [],
    prefix: '',
    around: [],
    inUnion: false,
    sensitive: false,
    ignored: false,
  });
  const fields = walk.fields.sort((a, b) => comparePaths(a.path, b.path));
  const report = (message: string) => reader.problems.add(scope.source.at(declaration.name.loc), `${name} ${message}`);
  const isEmpty = declaration.fields.length === 0;
  const isRead = reader.problems.count === before;
  if (isEmpty || ((isRead || fields.length > 0) && !fields.some((field) => field.role === 'feature'))) {
    report('has no field that is fed to the model');
  }
  for (const role of ['id', 'time', 'weight'] as const) {
    const having = fields.filter((field) => field.role === role);
    if (having.length > 1) report(`has more than one field with role "${role}"; keep one`);
  }
  const unions = walk.unions.sort((a, b) => comparePaths(a.path, b.path));
  return { name, fields, ...(unions.length === 0 ? {} : { unions }) };
}

class Walk {
  readonly fields: InputField[] = [];
  readonly unions: UnionGroup[] = [];

  constructor(readonly reader: Reader) {}

  into(scope: Scope, declaration: StructDefinition | UnionDefinition, place: Place): void {
    const { problems } = this.reader;
    const isUnion = place.inUnion && place.path.length > 0;
    refuseAnnotations(scope.source, declaration.annotations, isUnion ? 'a union' : 'a struct', problems);
    const inside = { ...place, around: [...place.around, declaration] };
    for (const syntax of this.reader.distinctFields(scope, declaration.fields, declaration.name.value)) {
      if (this.fields.length > MOST_FIELDS) return;
      this.#field(scope, syntax, inside);
    }
    if (this.fields.length > MOST_FIELDS) {
      const message = `has more than ${MOST_FIELDS} fields, with those of the structs within it; send many values as a list`;
      problems.add(scope.source.at(declaration.name.loc), `${declaration.name.value} ${message}`);
    }
  }

  #field(scope: Scope, syntax: FieldDefinition, place: Place): void {
    const resolved = this.reader.resolve(scope, syntax.fieldType);
    if (resolved.kind === 'struct' || resolved.kind === 'union') this.#nested(scope, syntax, resolved, place);
    else {
      const field = readInputField(this.reader, scope, syntax, resolved, place);
      if (field !== undefined) this.fields.push(field);
    }
  }

  /** Structs vanish in their fields: one that is not there is one whose fields are all missing. */
  #nested(scope: Scope, syntax: FieldDefinition, resolved: Nested, place: Place): void {
    const { problems } = this.reader;
    const { kind, declaration } = resolved;
    const name = syntax.name.value;
    const report = (message: string) => problems.add(scope.source.at(syntax.name.loc), message);
    if (place.around.some((outer) => outer === declaration)) {
      const way = [...place.around, declaration].map((each) => each.name.value).join(' > ');
      report(`${name} holds its own kind (${way}), so that a row would have no end; a request has no recursion`);
      return;
    }
    if (place.around.length >= MOST_DEPTH) {
      report(`${name} is a ${kind} within more than ${MOST_DEPTH - 1} others; nest less`);
      return;
    }
    const annotations = new AnnotationSet(
      scope.source,
      syntax.annotations,
      'request field',
      problems,
      resolved.inherited,
    );
    const allowed = kind === 'union' ? ['missing', 'role', 'sensitive'] : ['role', 'sensitive'];
    annotations.refuseOthers(
      allowed,
      (key) => `${key} is not for a ${kind}; write it behind the fields of ${declaration.name.value}`,
    );
    if (syntax.defaultValue !== null) {
      report(`a ${kind} cannot have a default value; give one to the fields of ${declaration.name.value}`);
    }
    const ignored = annotations.choice('role', ['ignored']) === 'ignored' || place.ignored;
    const path = [...place.path, syntax.fieldID?.value ?? 0];
    const inside: Place = {
      path,
      prefix: `${place.prefix}${name}.`,
      around: place.around,
      inUnion: kind === 'union',
      sensitive: annotations.flag('sensitive') || place.sensitive,
      ignored,
    };
    if (kind === 'union') {
      if (place.inUnion || this.unions.some((union) => union.path.every((id, depth) => path[depth] === id))) {
        report(`${name} is a union within a union, which cannot be fed to a graph; put the members of both into one`);
        return;
      }
      const missing = annotations.choice('missing', ['refused', 'allowed']) ?? 'refused';
      const members = declaration.fields.map((member) => ({
        id: member.fieldID?.value ?? 0,
        name: member.name.value,
      }));
      if (members.length === 0) report(`the union ${declaration.name.value} has no member`);
      if (!ignored) {
        members.sort((a, b) => a.id - b.id);
        this.unions.push({ name: place.prefix + name, path, members, missing });
      }
    }
    this.into(resolved.scope, declaration, inside);
  }
}
