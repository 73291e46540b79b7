/** The declarations of a contract's files, and what a name stands for in them. */
import {
  type Identifier,
  type IncludeDefinition,
  type ServiceDefinition,
  SyntaxType,
  type ThriftStatement,
} from '@creditkarma/thrift-parser';
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

export type Declaration = Exclude<ThriftStatement, { readonly type: SyntaxType.NamespaceDefinition | UnnamedSyntax }>;
type UnnamedSyntax = SyntaxType.IncludeDefinition | SyntaxType.CppIncludeDefinition;

/** parley.thrift: always there, and of its names a contract needs only these. */
export const PARLEY = 'parley';
export const PARLEY_TYPES = ['RequestContext', 'Provenance', 'ParleyError'] as const;
export type ParleyType = (typeof PARLEY_TYPES)[number];

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

  const open = (name: string, text: string, within: readonly string[]): Scope => {
    const chain = [...within, name];
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
      const base = fileName(path);
      const prefix = base.replace(/\.thrift$/, '');
      const found = [path, base].find((candidate) => texts.has(candidate));
      const circle = chain.findIndex((outer) => outer === found || (found === undefined && fileName(outer) === base));
      if (base === 'parley.thrift') included.set(prefix, PARLEY);
      else if (circle >= 0) {
        const way = [...chain.slice(circle), chain[circle]].join(' includes ');
        const message = `the included file "${path}" leads back to itself: ${way}; move what they share into a file of its own`;
        problems.add(from.source.at(statement.loc), message);
      } else if (found === undefined) {
        const near = didYouMean(path, texts.keys());
        problems.add(from.source.at(statement.loc), `the included file "${path}" was not given${near}`);
      } else {
        used.set(found, texts.get(found)!);
        included.set(prefix, opened.get(found) ?? open(found, texts.get(found)!, chain));
      }
    }
  };
  return { scope: open(file, idl, []), used };
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
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

export type Found = { readonly declaration: Declaration; readonly scope: Scope } | { readonly parley: string };

/** What a name stands for in `scope`, with the prefix of an included file before a dot. */
export function lookUp(scope: Scope, name: string): Found | undefined {
  const own = scope.declared.get(name);
  if (own !== undefined) return { declaration: own, scope };
  const dot = name.indexOf('.');
  const from = scope.included.get(name.slice(0, Math.max(dot, 0)));
  if (from === undefined) return undefined;
  if (from === PARLEY) return { parley: name.slice(dot + 1) };
  const declaration = from.declared.get(name.slice(dot + 1));
  return declaration === undefined ? undefined : { declaration, scope: from };
}

/** For "did you mean". */
export function typeNames(scope: Scope): string[] {
  const names = ['string', 'double', 'bool', 'byte', 'i16', 'i32', 'i64', ...scope.declared.keys()];
  for (const [prefix, included] of scope.included) {
    const inner = included === PARLEY ? PARLEY_TYPES : included.declared.keys();
    for (const name of inner) names.push(`${prefix}.${name}`);
  }
  return names;
}
