/** Thrift text to {@link Idl}. */
import {
  type Annotations,
  type ConstValue,
  type EnumDefinition,
  type FieldDefinition,
  type FunctionDefinition,
  type FunctionType,
  type IncludeDefinition,
  SyntaxType,
  type TextLocation,
  type ThriftStatement,
} from '@creditkarma/thrift-parser';
import {
  type Idl,
  type IdlAlias,
  type IdlEnum,
  type IdlField,
  type IdlMember,
  type IdlMethod,
  type IdlService,
  type IdlStruct,
  type IdlType,
  typeText,
} from './idl.js';
import type { ContractSource } from './parse.js';
import { Problems } from './problems.js';
import { readSyntax, SourceText } from './syntax.js';

/** One file's statements, and what its names have in front of them elsewhere: '' for the file itself. */
interface Part {
  readonly source: SourceText;
  readonly prefix: string;
  readonly statements: readonly ThriftStatement[];
  /** As the file writes it -> the prefix. */
  readonly includes: ReadonlyMap<string, string>;
}

/**
 * Reads a file with those of its includes that are given; names of the others are left as they are.
 *
 * @throws INVALID_INPUT with everything that is not Thrift
 */
export function readIdl({ file, idl, includes = {} }: ContractSource): Idl {
  const problems = new Problems();
  const parts = openParts(file, idl, includes, problems);
  problems.raise();
  return new IdlReader(parts).read(file);
}

function openParts(
  file: string,
  idl: string,
  includes: Readonly<Record<string, string>>,
  problems: Problems,
): readonly Part[] {
  const parts: Part[] = [];
  const opened = new Set<string>();
  const open = (source: SourceText, prefix: string) => {
    opened.add(source.file);
    const statements = readSyntax(source, problems);
    const paths = statements.filter((statement) => statement.type === SyntaxType.IncludeDefinition).map(pathOf(source));
    parts.push({
      source,
      prefix,
      statements,
      includes: new Map(paths.map((path) => [prefixOf(path), prefixOf(path)])),
    });
    for (const path of paths) {
      const found = [path, path.slice(path.lastIndexOf('/') + 1)].find((name) => Object.hasOwn(includes, name));
      if (found !== undefined && !opened.has(found)) open(new SourceText(found, includes[found]!), prefixOf(path));
    }
  };
  open(new SourceText(file, idl), '');
  return parts;
}

const pathOf = (source: SourceText) => (statement: IncludeDefinition) => source.literal(statement.path.loc);
const prefixOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/\.thrift$/, '');

/** Names of types that the npm parser has no keyword for. */
const MORE_BASE_TYPES = new Set(['uuid', 'slist']);

class IdlReader {
  readonly #structs = new Map<string, IdlStruct>();
  readonly #enums = new Map<string, IdlEnum>();
  readonly #services = new Map<string, IdlService>();
  readonly #typedefs = new Map<string, IdlAlias>();
  readonly #constants = new Map<string, IdlAlias>();
  readonly #namespaces = new Map<string, IdlAlias>();
  /** Qualified name -> what a type of that name is. */
  readonly #kinds = new Map<string, 'enum' | 'struct' | { readonly type: FunctionType; readonly part: Part }>();

  readonly #declaredEnums = new Map<string, readonly IdlMember[]>();
  readonly #declaredConstants = new Map<string, string>();

  constructor(readonly parts: readonly Part[]) {
    for (const part of parts) for (const statement of part.statements) this.#declare(part, statement);
  }

  read(file: string): Idl {
    for (const part of this.parts) for (const statement of part.statements) this.#read(part, statement);
    return {
      file,
      structs: this.#structs,
      enums: this.#enums,
      services: this.#services,
      typedefs: this.#typedefs,
      constants: this.#constants,
      namespaces: this.#namespaces,
    };
  }

  #declare(part: Part, statement: ThriftStatement): void {
    if (!('name' in statement)) return;
    const name = qualified(part, statement.name.value);
    if (statement.type === SyntaxType.EnumDefinition) {
      this.#kinds.set(name, 'enum');
      this.#declaredEnums.set(name, membersOf(part.source, statement));
    } else if (statement.type === SyntaxType.ConstDefinition) {
      this.#declaredConstants.set(name, valueText(part, statement.initializer));
    } else if (statement.type === SyntaxType.TypedefDefinition) {
      this.#kinds.set(name, { type: statement.definitionType, part });
    } else if (statement.type in STRUCT_KINDS) this.#kinds.set(name, 'struct');
  }

  #read(part: Part, statement: ThriftStatement): void {
    if (!('name' in statement)) return;
    const { source } = part;
    const name = qualified(part, statement.name.value);
    const position = source.at(statement.name.loc);
    switch (statement.type) {
      case SyntaxType.NamespaceDefinition:
        if (part.prefix === '') {
          const language = statement.scope.value;
          this.#namespaces.set(language, { name: language, text: statement.name.value, position });
        }
        break;
      case SyntaxType.ConstDefinition:
        this.#constants.set(name, { name, text: valueText(part, statement.initializer), position });
        break;
      case SyntaxType.TypedefDefinition:
        this.#typedefs.set(name, { name, text: typeText(this.#type(part, statement.definitionType)), position });
        break;
      case SyntaxType.EnumDefinition:
        this.#enums.set(name, { name, members: this.#declaredEnums.get(name)!, position });
        break;
      case SyntaxType.ServiceDefinition: {
        const methods = statement.functions.map((method) => this.#method(part, method));
        const base = statement.extends === null ? {} : { extends: this.#name(part, statement.extends.value) };
        const hasModel = annotation(source, statement.annotations, 'model') !== undefined;
        this.#services.set(name, { name, ...base, hasModel, methods, position });
        break;
      }
      default: {
        const kind = STRUCT_KINDS[statement.type];
        this.#structs.set(name, { kind, name, fields: this.#fields(part, statement.fields), position });
      }
    }
  }

  #method(part: Part, { name, oneway, returnType, fields, throws }: FunctionDefinition): IdlMethod {
    return {
      name: name.value,
      oneway,
      returns: this.#type(part, returnType),
      arguments: this.#fields(part, fields),
      throws: this.#fields(part, throws),
      position: part.source.at(name.loc),
    };
  }

  #fields(part: Part, fields: readonly FieldDefinition[]): readonly IdlField[] {
    let automatic = 0;
    return fields.map(({ name, fieldID, fieldType, requiredness, defaultValue }) => {
      const type = this.#type(part, fieldType);
      return {
        id: fieldID?.value ?? --automatic,
        name: name.value,
        type,
        requiredness: requiredness ?? 'default',
        ...(defaultValue === null ? {} : { defaultValue: this.#default(part, defaultValue, type) }),
        position: part.source.at(name.loc),
      };
    });
  }

  /** 1 is true for a bool; a member of an enum is its number; a constant is its value. */
  #default(part: Part, value: ConstValue, type: IdlType): string {
    if (type.kind === 'base' && type.name === 'bool' && value.type === SyntaxType.IntConstant) {
      return String(Number(value.value.value) !== 0);
    }
    if (value.type !== SyntaxType.Identifier) return valueText(part, value);
    const written = value.value;
    const owner = this.#name(part, written.slice(0, Math.max(0, written.lastIndexOf('.'))));
    const members = this.#declaredEnums.get(type.kind === 'enum' ? type.name : owner);
    const member = members?.find(({ name }) => name === written.slice(written.lastIndexOf('.') + 1));
    return member === undefined
      ? (this.#declaredConstants.get(this.#name(part, written)) ?? written)
      : String(member.value);
  }

  #type(part: Part, type: FunctionType, within: readonly FunctionType[] = []): IdlType {
    switch (type.type) {
      case SyntaxType.Identifier: {
        if (MORE_BASE_TYPES.has(type.value)) return { kind: 'base', name: type.value };
        const name = this.#name(part, type.value);
        const kind = this.#kinds.get(name);
        if (kind === undefined) return { kind: 'unknown', name };
        if (typeof kind === 'string') return { kind, name };
        // A typedef that leads back to itself is no type.
        return within.includes(type) ? { kind: 'unknown', name } : this.#type(kind.part, kind.type, [...within, type]);
      }
      case SyntaxType.ListType:
      case SyntaxType.SetType: {
        const kind = type.type === SyntaxType.ListType ? 'list' : 'set';
        return { kind, element: this.#type(part, type.valueType, within) };
      }
      case SyntaxType.MapType: {
        const [key, value] = [this.#type(part, type.keyType, within), this.#type(part, type.valueType, within)];
        return { kind: 'map', key, value };
      }
      default: {
        const name = type.type.replace(/Keyword$/, '').toLowerCase();
        return { kind: 'base', name: name === 'i8' ? 'byte' : name };
      }
    }
  }

  /** A name as written in a part, as it is known everywhere. */
  #name(part: Part, written: string): string {
    const dot = written.indexOf('.');
    return dot > 0 && part.includes.has(written.slice(0, dot)) ? written : qualified(part, written);
  }
}

const qualified = (part: Part, name: string) => (part.prefix === '' ? name : `${part.prefix}.${name}`);

const STRUCT_KINDS = {
  [SyntaxType.StructDefinition]: 'struct',
  [SyntaxType.UnionDefinition]: 'union',
  [SyntaxType.ExceptionDefinition]: 'exception',
} as const;

function membersOf(source: SourceText, declaration: EnumDefinition): readonly IdlMember[] {
  let next = 0;
  return declaration.members.map(({ name, initializer, annotations }) => {
    const value = initializer === null ? next : Number(initializer.value.value);
    next = value + 1;
    return {
      name: name.value,
      value,
      label: annotation(source, annotations, 'label') ?? name.value,
      positive: (annotation(source, annotations, 'positive') ?? 'false') !== 'false',
      position: source.at(name.loc),
    };
  });
}

/** The value of an annotation; that of one without a value is '1', as in Thrift. */
function annotation(source: SourceText, annotations: Annotations | undefined, key: string): string | undefined {
  const found = annotations?.annotations.find(({ name }) => name.value === key);
  if (found === undefined) return undefined;
  return found.value === undefined ? '1' : source.literal(found.value.loc as TextLocation);
}

/** The same text for the same value: numbers by value, strings in quotes. */
function valueText(part: Part, value: ConstValue): string {
  switch (value.type) {
    case SyntaxType.StringLiteral:
      return JSON.stringify(part.source.literal(value.loc));
    case SyntaxType.IntConstant:
    case SyntaxType.DoubleConstant:
      return String(Number(value.value.value));
    case SyntaxType.BooleanLiteral:
      return String(value.value);
    case SyntaxType.ConstList:
      return `[${value.elements.map((element) => valueText(part, element)).join(', ')}]`;
    case SyntaxType.ConstMap: {
      const entry = ({ name, initializer }: (typeof value.properties)[number]) =>
        `${valueText(part, name)}: ${valueText(part, initializer)}`;
      return `{${value.properties.map(entry).join(', ')}}`;
    }
    default:
      return value.value;
  }
}
