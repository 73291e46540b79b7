/** What a type's name means where it stands: typedefs and includes followed to what they name. */
import {
  type Annotations,
  type ConstDefinition,
  type EnumDefinition,
  type FunctionType,
  type Identifier,
  type StructDefinition,
  SyntaxType,
  type TypedefDefinition,
  type UnionDefinition,
} from '@creditkarma/thrift-parser';
import type { FieldType } from './contract.js';
import { didYouMean } from './nearest.js';
import type { Problems } from './problems.js';
import { type Declaration, lookUp, PARLEY_TYPES, type ParleyType, type Scope, typeNames } from './scope.js';
import type { SourceText } from './syntax.js';

/** What stands behind a typedef's name: a field of that type has it too, where it says nothing else. */
export interface InheritedAnnotations {
  readonly source: SourceText;
  readonly annotations: Annotations;
}

/** A type; `inherited` is of the typedefs that led to it, the nearest first. */
export type Resolved = Kind & { readonly inherited?: readonly InheritedAnnotations[] };

type Kind =
  | { readonly kind: 'scalar'; readonly type: Exclude<FieldType, 'enum'> }
  | { readonly kind: 'enum'; readonly declaration: EnumDefinition; readonly scope: Scope }
  | { readonly kind: 'struct'; readonly declaration: StructDefinition; readonly scope: Scope }
  | { readonly kind: 'union'; readonly declaration: UnionDefinition; readonly scope: Scope }
  | { readonly kind: 'binary' }
  | { readonly kind: 'list'; readonly element: Resolved }
  | { readonly kind: 'map'; readonly key: Resolved; readonly value: Resolved }
  | { readonly kind: 'parley'; readonly name: ParleyType }
  | { readonly kind: 'unsupported'; readonly what: string }
  /** Already reported. */
  | { readonly kind: 'unknown' };

const UNKNOWN: Resolved = { kind: 'unknown' };

/** From one typedef to the next. */
const MOST_TYPEDEFS = 100;

/** Each is followed once: typedefs of maps of typedefs would multiply. */
const typedefs = new WeakMap<TypedefDefinition, Resolved>();

const SCALARS = new Map<SyntaxType, Exclude<FieldType, 'enum'>>([
  [SyntaxType.BoolKeyword, 'bool'],
  [SyntaxType.ByteKeyword, 'byte'],
  [SyntaxType.I8Keyword, 'byte'],
  [SyntaxType.I16Keyword, 'i16'],
  [SyntaxType.I32Keyword, 'i32'],
  [SyntaxType.I64Keyword, 'i64'],
  [SyntaxType.DoubleKeyword, 'double'],
  [SyntaxType.StringKeyword, 'string'],
]);

/**
 * What a type means in `scope`; unknown names are reported here.
 *
 * @param seen typedefs that led here
 */
export function resolveType(
  scope: Scope,
  type: FunctionType,
  problems: Problems,
  seen: ReadonlySet<Declaration> = new Set(),
): Resolved {
  if ('annotations' in type && type.annotations !== undefined) refuseTypeAnnotations(scope, type.annotations, problems);
  const scalar = SCALARS.get(type.type);
  if (scalar !== undefined) return { kind: 'scalar', type: scalar };
  switch (type.type) {
    case SyntaxType.Identifier:
      return resolveName(scope, type, problems, seen);
    case SyntaxType.ListType:
      return { kind: 'list', element: resolveType(scope, type.valueType, problems, seen) };
    case SyntaxType.MapType:
      return {
        kind: 'map',
        key: resolveType(scope, type.keyType, problems, seen),
        value: resolveType(scope, type.valueType, problems, seen),
      };
    case SyntaxType.SetType:
      return { kind: 'unsupported', what: 'a set' };
    case SyntaxType.BinaryKeyword:
      return { kind: 'binary' };
    default:
      return { kind: 'unsupported', what: 'void' };
  }
}

function refuseTypeAnnotations(scope: Scope, annotations: Annotations, problems: Problems): void {
  problems.add(scope.source.at(annotations.loc), "annotations stand after the field's name, not after its type");
}

function resolveName(scope: Scope, name: Identifier, problems: Problems, seen: ReadonlySet<Declaration>): Resolved {
  const found = lookUp(scope, name.value);
  if (found === undefined) {
    const message = `there is no type ${name.value}${didYouMean(name.value, typeNames(scope))}`;
    problems.add(scope.source.at(name.loc), message);
    return UNKNOWN;
  }
  if ('parley' in found) return resolveParley(scope, name, found.parley, problems);
  const { declaration } = found;
  switch (declaration.type) {
    case SyntaxType.EnumDefinition:
      return { kind: 'enum', declaration, scope: found.scope };
    case SyntaxType.StructDefinition:
      return { kind: 'struct', declaration, scope: found.scope };
    case SyntaxType.TypedefDefinition:
      return resolveTypedef(found.scope, declaration, problems, seen);
    case SyntaxType.UnionDefinition:
      return { kind: 'union', declaration, scope: found.scope };
    case SyntaxType.ExceptionDefinition:
      return { kind: 'unsupported', what: 'an exception' };
    default:
      problems.add(scope.source.at(name.loc), `${name.value} is not a type`);
      return UNKNOWN;
  }
}

function resolveTypedef(
  scope: Scope,
  declaration: TypedefDefinition,
  problems: Problems,
  seen: ReadonlySet<Declaration>,
): Resolved {
  const known = typedefs.get(declaration);
  if (known !== undefined) return known;
  const report = (what: string): Resolved => {
    problems.add(scope.source.at(declaration.name.loc), `the typedef ${declaration.name.value} ${what}`);
    return UNKNOWN;
  };
  if (seen.has(declaration)) return report('leads back to itself');
  if (seen.size >= MOST_TYPEDEFS) return report(`is one of more than ${MOST_TYPEDEFS} that lead to each other`);
  const resolved = resolveType(scope, declaration.definitionType, problems, new Set([...seen, declaration]));
  const { annotations } = declaration;
  const inherited =
    annotations === undefined
      ? resolved.inherited
      : [{ source: scope.source, annotations }, ...(resolved.inherited ?? [])];
  const named = inherited === undefined ? resolved : { ...resolved, inherited };
  typedefs.set(declaration, named);
  return named;
}

function resolveParley(scope: Scope, name: Identifier, type: string, problems: Problems): Resolved {
  const known = PARLEY_TYPES.find((candidate) => candidate === type);
  if (known !== undefined) return { kind: 'parley', name: known };
  const choices = PARLEY_TYPES.map((candidate) => `parley.${candidate}`);
  const message = `${name.value} cannot be used in a contract, only ${choices.join(', ')}`;
  problems.add(scope.source.at(name.loc), message + didYouMean(name.value, choices));
  return UNKNOWN;
}

/** What an identifier in place of a value names: a constant, or an enum's member by `Enum.MEMBER`. */
export function lookUpValue(
  scope: Scope,
  name: string,
):
  | { readonly constant: ConstDefinition; readonly scope: Scope }
  | { readonly enum: EnumDefinition; readonly member: string }
  | undefined {
  const found = lookUp(scope, name);
  if (found !== undefined && 'declaration' in found && found.declaration.type === SyntaxType.ConstDefinition) {
    return { constant: found.declaration, scope: found.scope };
  }
  const dot = name.lastIndexOf('.');
  const owner = dot < 0 ? undefined : lookUp(scope, name.slice(0, dot));
  if (owner === undefined || !('declaration' in owner) || owner.declaration.type !== SyntaxType.EnumDefinition) {
    return undefined;
  }
  return { enum: owner.declaration, member: name.slice(dot + 1) };
}
