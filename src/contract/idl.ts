/**
 * Any Thrift file as its compiled stubs see it: typedefs and includes followed, annotations left out.
 *
 * A contract is such a file with a meaning on top; what this part of it says is compared for files that are no contract too.
 */
import type { Position } from './contract.js';

export type IdlType =
  | { readonly kind: 'base'; readonly name: string }
  | { readonly kind: 'list' | 'set'; readonly element: IdlType }
  | { readonly kind: 'map'; readonly key: IdlType; readonly value: IdlType }
  /** Of the file's own, or of an included one (`shared.Colour`); a struct may also be a union or an exception. */
  | { readonly kind: 'enum' | 'struct'; readonly name: string }
  /** Declared where the text was not given. */
  | { readonly kind: 'unknown'; readonly name: string };

export type Requiredness = 'required' | 'optional' | 'default';

export interface IdlField {
  /** Thrift counts from -1 downwards where none is written. */
  readonly id: number;
  readonly name: string;
  readonly type: IdlType;
  readonly requiredness: Requiredness;
  /** As text that is the same for the same value. */
  readonly defaultValue?: string;
  readonly position: Position;
}

export interface IdlStruct {
  readonly kind: 'struct' | 'union' | 'exception';
  readonly name: string;
  /** In the text's order. */
  readonly fields: readonly IdlField[];
  readonly position: Position;
}

export interface IdlMember {
  readonly name: string;
  readonly value: number;
  /** The annotation `label`, or the name. */
  readonly label: string;
  readonly positive: boolean;
  readonly position: Position;
}

export interface IdlEnum {
  readonly name: string;
  readonly members: readonly IdlMember[];
  readonly position: Position;
}

export interface IdlMethod {
  readonly name: string;
  readonly oneway: boolean;
  readonly returns: IdlType;
  readonly arguments: readonly IdlField[];
  readonly throws: readonly IdlField[];
  readonly position: Position;
}

export interface IdlService {
  readonly name: string;
  readonly extends?: string;
  /** It names the model that answers it: what makes a file a contract. */
  readonly hasModel: boolean;
  /** Without inherited ones. */
  readonly methods: readonly IdlMethod[];
  readonly position: Position;
}

/** A name that stands for a type or a value. */
export interface IdlAlias {
  readonly name: string;
  readonly text: string;
  readonly position: Position;
}

export interface Idl {
  readonly file: string;
  /** By name, in the text's order; those of included files by qualified name, behind the file's own. */
  readonly structs: ReadonlyMap<string, IdlStruct>;
  readonly enums: ReadonlyMap<string, IdlEnum>;
  readonly services: ReadonlyMap<string, IdlService>;
  readonly typedefs: ReadonlyMap<string, IdlAlias>;
  readonly constants: ReadonlyMap<string, IdlAlias>;
  /** By language. */
  readonly namespaces: ReadonlyMap<string, IdlAlias>;
}

export const isContract = ({ services }: Idl): boolean => [...services.values()].some(({ hasModel }) => hasModel);

/** As Thrift writes it: `map<string, list<Point>>`. */
export function typeText(type: IdlType): string {
  switch (type.kind) {
    case 'list':
    case 'set':
      return `${type.kind}<${typeText(type.element)}>`;
    case 'map':
      return `map<${typeText(type.key)}, ${typeText(type.value)}>`;
    default:
      return type.name;
  }
}

/** The structs and enums that a type names, at any depth. */
export function namesIn(type: IdlType): readonly string[] {
  switch (type.kind) {
    case 'base':
      return [];
    case 'list':
    case 'set':
      return namesIn(type.element);
    case 'map':
      return [...namesIn(type.key), ...namesIn(type.value)];
    default:
      return [type.name];
  }
}

/** A service's own methods and those that it inherits within the text; its own hide those. */
export function allMethods(idl: Idl, service: IdlService): readonly IdlMethod[] {
  const methods = new Map<string, IdlMethod>();
  const seen = new Set<string>();
  for (let next: IdlService | undefined = service; next !== undefined && !seen.has(next.name); ) {
    seen.add(next.name);
    for (const method of next.methods) if (!methods.has(method.name)) methods.set(method.name, method);
    next = next.extends === undefined ? undefined : idl.services.get(next.extends);
  }
  return [...methods.values()];
}
