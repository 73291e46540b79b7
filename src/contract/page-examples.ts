/** One request, as code of each language that uses the Thrift compiler's stubs. */
import type { Contract, ContractEnum, ContractMethod, InputField } from './contract.js';
import { pascalCase } from './identifiers.js';
import type { Idl, IdlField, IdlType } from './idl.js';
import { LANGUAGES } from './page-languages.js';
import { readIdl } from './read-idl.js';

export interface Example {
  readonly language: string;
  readonly code: string;
}

/** A value that fits, as a tree that each language writes in its own way. */
export type Sample =
  | { readonly kind: 'number'; readonly value: number; readonly type: string }
  | { readonly kind: 'text' | 'bytes'; readonly value: string }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'member'; readonly enum: string; readonly member: string; readonly number: number }
  | { readonly kind: 'list'; readonly elements: readonly Sample[]; readonly of: IdlType }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Sample, Sample])[]; readonly of: IdlType }
  | {
      readonly kind: 'struct';
      readonly struct: string;
      readonly isUnion: boolean;
      readonly fields: readonly SampleField[];
    };

export interface SampleField {
  readonly name: string;
  readonly isPointer: boolean;
  readonly value: Sample;
}

export interface Call {
  readonly service: string;
  readonly method: string;
  readonly model: string;
  readonly argument: string;
  /** The answer's struct. */
  readonly answer: string;
  readonly hasContext: boolean;
  readonly many: boolean;
  readonly row: Extract<Sample, { readonly kind: 'struct' }>;
  /** Of the file, in each language where one is given. */
  readonly namespace: (language: string) => string;
}

/** Of the first method that takes one row, or else of the first. */
export function examplesOf(contract: Contract): readonly Example[] {
  const service = contract.services[0]!;
  const method = service.methods.find(({ many }) => !many) ?? service.methods[0];
  if (method === undefined) return [];
  const idl = readIdl(contract);
  const base = contract.file.replace(/^.*\//, '').replace(/\.thrift$/, '');
  const call: Call = {
    service: service.name,
    method: method.name,
    model: service.model,
    argument: method.argument.name,
    answer: method.response.name,
    hasContext: method.contextId !== undefined,
    many: method.many,
    row: rowOf(idl, method),
    namespace: (language) => idl.namespaces.get(language)?.text ?? idl.namespaces.get('*')?.text ?? base,
  };
  return LANGUAGES.map(({ language, write }) => ({ language, code: write(call) }));
}

function rowOf(idl: Idl, { request }: ContractMethod): Call['row'] {
  const struct = (name: string, prefix: string): Call['row'] => {
    const declared = idl.structs.get(name);
    const fields = declared?.fields ?? [];
    const isUnion = declared?.kind === 'union';
    const shown = isUnion ? fields.slice(0, 1) : fields;
    return { kind: 'struct', struct: name, isUnion, fields: shown.flatMap((field) => sampleField(field, prefix)) };
  };
  const sampleField = (field: IdlField, prefix: string): SampleField[] => {
    const meaning = request.fields.find(({ name }) => name === prefix + field.name);
    if (meaning?.role === 'ignored') return [];
    const value =
      meaning === undefined
        ? field.type.kind === 'struct'
          ? struct(field.type.name, `${prefix}${field.name}.`)
          : undefined
        : sampleOf(meaning, field.type);
    return value === undefined ? [] : [{ name: field.name, isPointer: field.requiredness === 'optional', value }];
  };
  return struct(request.name, '');
}

function sampleOf(field: InputField, type: IdlType): Sample {
  const { tensor } = field;
  if (tensor === undefined) return scalarOf(field);
  if (tensor.from === 'binary') return { kind: 'bytes', value: '…' };
  if (tensor.from === 'map') {
    const keys = (tensor.keys ?? []).slice(0, 2);
    return {
      kind: 'map',
      of: type,
      entries: keys.map((key) => [keyOf(key, tensor.keyEnum), scalarOf(field)] as const),
    };
  }
  return listOf(field, type, tensor.shape);
}

/** At most three of an extent. */
function listOf(field: InputField, type: IdlType, shape: readonly number[]): Sample {
  const element = type.kind === 'list' ? type.element : type;
  const [extent = 1, ...rest] = shape;
  const one = rest.length > 0 && element.kind === 'list' ? listOf(field, element, rest) : scalarOf(field);
  return { kind: 'list', of: element, elements: new Array<Sample>(extent < 0 ? 2 : Math.min(extent, 3)).fill(one) };
}

function keyOf(key: string, keyEnum: ContractEnum | undefined): Sample {
  const member = keyEnum?.members.find(({ label }) => label === key);
  if (keyEnum === undefined || member === undefined) return { kind: 'text', value: key };
  return { kind: 'member', enum: keyEnum.name, member: member.name, number: member.value };
}

function scalarOf({ type, enum: choices, values, min, max, missing, name }: InputField): Sample {
  if (choices !== undefined) {
    const member = choices.members.find(({ value }) => value !== 0)!;
    return { kind: 'member', enum: choices.name, member: member.name, number: member.value };
  }
  if (type === 'bool') return { kind: 'flag', value: true };
  if (type === 'string') return { kind: 'text', value: values?.[0] ?? pascalCase(name, 'Text') };
  if (missing.kind === 'default') return { kind: 'number', type, value: Number(missing.value) };
  const middle = min !== undefined && max !== undefined ? (min + max) / 2 : (min ?? max ?? 1);
  return { kind: 'number', type, value: type === 'double' ? Number(middle.toPrecision(4)) : Math.round(middle) };
}
