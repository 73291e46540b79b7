/** The declarations of a contract's files, and what a type's name means where it stands. */
import {
  type Annotations,
  type ConstDefinition,
  type EnumDefinition,
  type FunctionType,
  type Identifier,
  type IncludeDefinition,
  type ServiceDefinition,
  type StructDefinition,
  SyntaxType,
  type ThriftStatement,
  type TypedefDefinition,
} from '@creditkarma/thrift-parser';
import type { FieldType } from './contract.js';
import { didYouMean } from './nearest.js';
import type { Problems } from './problems.js';
import { readSyntax, SourceText } from './syntax.js';

/** One file, and the files that it includes, by the prefix that its names have there. */
export interface Scope {
  readonly source: SourceText;
  readonly declared: ReadonlyMap<string, Declaration>;
  readonly included: ReadonlyMap<string, Scope | typeof PARLEY>;
  readonly services: readonly ServiceDefinition[];
}

type Declaration = Exclude<ThriftStatement, { readonly type: SyntaxType.NamespaceDefinition | UnnamedSyntax }>;
type UnnamedSyntax = SyntaxType.IncludeDefinition | SyntaxType.CppIncludeDefinition;

/** parley.thrift: always there, and of its names a contract needs only these. */
export const PARLEY = 'parley';
const PARLEY_TYPES = ['RequestContext', 'Provenance', 'ParleyError'] as const;
export type ParleyType = (typeof PARLEY_TYPES)[number];

/** A type, with typedefs and includes followed to what they name. */
export type Resolved =
  | { readonly kind: 'scalar'; readonly type: Exclude<FieldType, 'enum'> }
  | { readonly kind: 'enum'; readonly declaration: EnumDefinition; readonly scope: Scope }
  | { readonly kind: 'struct'; readonly declaration: StructDefinition; readonly scope: Scope }
  | { readonly kind: 'list'; readonly element: Resolved }
  | { readonly kind: 'map'; readonly key: Resolved; readonly value: Resolved }
  | { readonly kind: 'parley'; readonly name: ParleyType }
  | { readonly kind: 'unsupported'; readonly what: string }
  /** Already reported. */
  | { readonly kind: 'unknown' };

const UNKNOWN: Resolved = { kind: 'unknown' };

/** Reads a file and all that it includes. */
export function openScope(
  file: string,
  idl: string,
  includes: Readonly<Record<string, string>>,
  problems: Problems,
): { readonly scope: Scope; readonly used: ReadonlyMap<string, string> } {
  const used = new Map<string, string>();
  const opened = new Map<string, Scope>();
  const texts = new Map(Object.entries(includes));

  const open = (name: string, text: string): Scope => {
    const source = new SourceText(name, text);
    const included = new Map<string, Scope | typeof PARLEY>();
    const statements = readSyntax(source, problems);
    const scope: Scope = {
      source,
      declared: declarationsOf(source, statements, problems),
      included,
      services: statements.filter((statement) => statement.type === SyntaxType.ServiceDefinition),
    };
    opened.set(name, scope);
    for (const statement of statements) if (statement.type === SyntaxType.IncludeDefinition) include(scope, statement);
    return scope;

    function include(from: Scope, statement: IncludeDefinition): void {
      const path = from.source.literal(statement.path.loc);
      const base = path.slice(path.lastIndexOf('/') + 1);
      const prefix = base.replace(/\.thrift$/, '');
      const found = [path, base].find((candidate) => texts.has(candidate));
      if (base === 'parley.thrift') included.set(prefix, PARLEY);
      else if (found === undefined) {
        const near = didYouMean(path, texts.keys());
        problems.add(from.source.at(statement.loc), `the included file "${path}" was not given${near}`);
      } else {
        used.set(found, texts.get(found)!);
        included.set(prefix, opened.get(found) ?? open(found, texts.get(found)!));
      }
    }
  };
  return { scope: open(file, idl), used };
}

function declarationsOf(
  source: SourceText,
  statements: readonly ThriftStatement[],
  problems: Problems,
): ReadonlyMap<string, Declaration> {
  const declared = new Map<string, Declaration>();
  for (const statement of statements) {
    if (
      statement.type === SyntaxType.NamespaceDefinition ||
      statement.type === SyntaxType.IncludeDefinition ||
      statement.type === SyntaxType.CppIncludeDefinition
    ) {
      continue;
    }
    const name = statement.name.value;
    const earlier = declared.get(name);
    if (earlier !== undefined) {
      const line = source.at(earlier.name.loc).line;
      problems.add(source.at(statement.name.loc), `${name} is declared twice, first in line ${line}; rename one`);
    } else {
      checkName(source, statement.name, problems);
      declared.set(name, statement);
    }
  }
  return declared;
}

/** Reports a name that the npm scanner takes and Thrift does not. */
export function checkName(source: SourceText, name: Identifier, problems: Problems): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name.value)) return;
  problems.add(source.at(name.loc), `${name.value} is not a name: use letters, digits and underscores`);
}

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

/** What a type means in `scope`; unknown names are reported here. */
export function resolveType(scope: Scope, type: FunctionType, problems: Problems): Resolved {
  if ('annotations' in type && type.annotations !== undefined) refuseTypeAnnotations(scope, type.annotations, problems);
  const scalar = SCALARS.get(type.type);
  if (scalar !== undefined) return { kind: 'scalar', type: scalar };
  switch (type.type) {
    case SyntaxType.Identifier:
      return resolveName(scope, type, problems, new Set());
    case SyntaxType.ListType:
      return { kind: 'list', element: resolveType(scope, type.valueType, problems) };
    case SyntaxType.MapType:
      return {
        kind: 'map',
        key: resolveType(scope, type.keyType, problems),
        value: resolveType(scope, type.valueType, problems),
      };
    case SyntaxType.SetType:
      return { kind: 'unsupported', what: 'a set' };
    case SyntaxType.BinaryKeyword:
      return { kind: 'unsupported', what: 'binary' };
    default:
      return { kind: 'unsupported', what: 'void' };
  }
}

function refuseTypeAnnotations(scope: Scope, annotations: Annotations, problems: Problems): void {
  problems.add(scope.source.at(annotations.loc), "annotations stand after the field's name, not after its type");
}

function resolveName(scope: Scope, name: Identifier, problems: Problems, seen: Set<Declaration>): Resolved {
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
      return { kind: 'unsupported', what: 'a union' };
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
  seen: Set<Declaration>,
): Resolved {
  if (seen.has(declaration)) {
    problems.add(scope.source.at(declaration.name.loc), `the typedef ${declaration.name.value} leads back to itself`);
    return UNKNOWN;
  }
  seen.add(declaration);
  const target = declaration.definitionType;
  if (target.type === SyntaxType.Identifier) return resolveName(scope, target, problems, seen);
  return resolveType(scope, target, problems);
}

function resolveParley(scope: Scope, name: Identifier, type: string, problems: Problems): Resolved {
  const known = PARLEY_TYPES.find((candidate) => candidate === type);
  if (known !== undefined) return { kind: 'parley', name: known };
  const choices = PARLEY_TYPES.map((candidate) => `parley.${candidate}`);
  const message = `${name.value} cannot be used in a contract, only ${choices.join(', ')}`;
  problems.add(scope.source.at(name.loc), message + didYouMean(name.value, choices));
  return UNKNOWN;
}

type Found = { readonly declaration: Declaration; readonly scope: Scope } | { readonly parley: string };

function lookUp(scope: Scope, name: string): Found | undefined {
  const own = scope.declared.get(name);
  if (own !== undefined) return { declaration: own, scope };
  const dot = name.indexOf('.');
  const from = scope.included.get(name.slice(0, Math.max(dot, 0)));
  if (from === undefined) return undefined;
  if (from === PARLEY) return { parley: name.slice(dot + 1) };
  const declaration = from.declared.get(name.slice(dot + 1));
  return declaration === undefined ? undefined : { declaration, scope: from };
}

function typeNames(scope: Scope): string[] {
  const names = ['string', 'double', 'bool', 'byte', 'i16', 'i32', 'i64', ...scope.declared.keys()];
  for (const [prefix, included] of scope.included) {
    const inner = included === PARLEY ? PARLEY_TYPES : included.declared.keys();
    for (const name of inner) names.push(`${prefix}.${name}`);
  }
  return names;
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
