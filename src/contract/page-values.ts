/** A sample value, as each language writes it with its stubs. */
import { typeText } from './idl.js';
import type { Sample, SampleField } from './page-examples.js';

const quote = (text: string): string => JSON.stringify(text);
export const camel = (name: string): string =>
  name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
export const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const decimal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
export const unqualified = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
export const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

export function python(value: Sample): string {
  switch (value.kind) {
    case 'text':
      return quote(value.value);
    case 'bytes':
      return 'open("picture", "rb").read()';
    case 'flag':
      return value.value ? 'True' : 'False';
    case 'member':
      return `${unqualified(value.enum)}.${value.member}`;
    case 'list':
      return `[${value.elements.map(python).join(', ')}]`;
    case 'map':
      return `{${value.entries.map(([key, each]) => `${python(key)}: ${python(each)}`).join(', ')}}`;
    case 'struct':
      return `${unqualified(value.struct)}(${value.fields.map((field) => `${field.name}=${python(field.value)}`).join(', ')})`;
    default:
      return String(value.value);
  }
}

export function node(value: Sample): string {
  switch (value.kind) {
    case 'text':
      return quote(value.value);
    case 'bytes':
      return "readFileSync('picture')";
    case 'member':
      return `types.${unqualified(value.enum)}.${value.member}`;
    case 'list':
      return `[${value.elements.map(node).join(', ')}]`;
    case 'map':
      return `{ ${value.entries.map(([key, each]) => `[${node(key)}]: ${node(each)}`).join(', ')} }`;
    case 'struct':
      return `new types.${unqualified(value.struct)}({ ${value.fields.map((field) => `${field.name}: ${node(field.value)}`).join(', ')} })`;
    default:
      return String(value.value);
  }
}

const GO_POINTERS: Readonly<Record<string, string>> = {
  double: 'Float64Ptr',
  byte: 'Int8Ptr',
  i16: 'Int16Ptr',
  i32: 'Int32Ptr',
  i64: 'Int64Ptr',
};
const GO_TYPES: Readonly<Record<string, string>> = {
  double: 'float64',
  byte: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
};
export const goName = (name: string): string =>
  capital(camel(name)).replace(/(Id|Url|Ip|Api|Http)(?=$|[A-Z])/g, (word) => word.toUpperCase());

function goType(text: string, own: string): string {
  const inner = /^list<(.*)>$/.exec(text)?.[1];
  if (inner !== undefined) return `[]${goType(inner, own)}`;
  const map = /^map<([^,]+), (.*)>$/.exec(text);
  if (map !== null) return `map[${goType(map[1]!, own)}]${goType(map[2]!, own)}`;
  return text === 'string' ? 'string' : (GO_TYPES[text] ?? `${own}.${unqualified(text)}`);
}

export function go(value: Sample, own: string, isPointer = false): string {
  switch (value.kind) {
    case 'number':
      return isPointer ? `thrift.${GO_POINTERS[value.type]}(${value.value})` : String(value.value);
    case 'flag':
      return isPointer ? `thrift.BoolPtr(${value.value})` : String(value.value);
    case 'text':
      return isPointer ? `thrift.StringPtr(${quote(value.value)})` : quote(value.value);
    case 'bytes':
      return 'picture';
    case 'member': {
      const member = `${own}.${unqualified(value.enum)}_${value.member}`;
      return isPointer ? `thrift.Pointer(${member})` : member;
    }
    case 'list':
      return `[]${goType(typeText(value.of), own)}{${value.elements.map((each) => go(each, own)).join(', ')}}`;
    case 'map': {
      const entries = value.entries.map(([key, each]) => `${go(key, own)}: ${go(each, own)}`);
      return `${goType(typeText(value.of), own)}{${entries.join(', ')}}`;
    }
    case 'struct': {
      const fields = value.fields.map((field) => `${goName(field.name)}: ${go(field.value, own, field.isPointer)}`);
      return `&${own}.${unqualified(value.struct)}{${fields.join(', ')}}`;
    }
  }
}

export function java(value: Sample): string {
  switch (value.kind) {
    case 'number':
      return value.type === 'double'
        ? decimal(value.value)
        : value.type === 'i64'
          ? `${value.value}L`
          : value.type === 'i32'
            ? String(value.value)
            : `(${value.type === 'byte' ? 'byte' : 'short'}) ${value.value}`;
    case 'text':
      return quote(value.value);
    case 'bytes':
      return 'ByteBuffer.wrap(Files.readAllBytes(Path.of("picture")))';
    case 'member':
      return `${unqualified(value.enum)}.${value.member}`;
    case 'list':
      return `List.of(${value.elements.map(java).join(', ')})`;
    case 'map':
      return `Map.of(${value.entries.flatMap(([key, each]) => [java(key), java(each)]).join(', ')})`;
    case 'struct':
      return `new ${unqualified(value.struct)}()${value.fields.map((field) => `.set${capital(field.name)}(${java(field.value)})`).join('')}`;
    default:
      return String(value.value);
  }
}

/** Structs need a variable each: their statements stand in front. */
export function cpp(value: Sample, name: string, before: string[]): string {
  switch (value.kind) {
    case 'text':
      return quote(value.value);
    case 'bytes':
      return 'picture';
    case 'number':
      return value.type === 'double' ? decimal(value.value) : String(value.value);
    case 'member':
      return `${unqualified(value.enum)}::${value.member}`;
    case 'list':
      return `{${value.elements.map((each) => cpp(each, name, before)).join(', ')}}`;
    case 'map':
      return `{${value.entries.map(([key, each]) => `{${cpp(key, name, before)}, ${cpp(each, name, before)}}`).join(', ')}}`;
    case 'struct': {
      const sets = value.fields.map(
        (field) => `${name}.__set_${field.name}(${cpp(field.value, `${name}_${field.name}`, before)});`,
      );
      before.push(`${unqualified(value.struct)} ${name};`, ...sets);
      return name;
    }
    default:
      return String(value.value);
  }
}

export function rust(value: Sample): string {
  switch (value.kind) {
    case 'number':
      return value.type === 'double' ? `OrderedFloat(${decimal(value.value)})` : String(value.value);
    case 'text':
      return `${quote(value.value)}.to_string()`;
    case 'bytes':
      return 'std::fs::read("picture")?';
    case 'member':
      return `${unqualified(value.enum)}::${value.member}`;
    case 'list':
      return `vec![${value.elements.map(rust).join(', ')}]`;
    case 'map':
      return `BTreeMap::from([${value.entries.map(([key, each]) => `(${rust(key)}, ${rust(each)})`).join(', ')}])`;
    case 'struct': {
      const type = unqualified(value.struct);
      const [only] = value.fields;
      if (value.isUnion && only !== undefined) return `${type}::${capital(camel(only.name))}(${rust(only.value)})`;
      const field = ({ name, isPointer, value: each }: SampleField) =>
        `${snake(name)}: ${isPointer ? `Some(${rust(each)})` : rust(each)}`;
      return `${type} { ${value.fields.map(field).join(', ')}, ..Default::default() }`;
    }
    default:
      return String(value.value);
  }
}

export function json(value: Sample): unknown {
  switch (value.kind) {
    case 'member':
      return value.member;
    case 'list':
      return value.elements.map(json);
    case 'map':
      return Object.fromEntries(value.entries.map(([key, each]) => [json(key), json(each)]));
    case 'struct':
      return Object.fromEntries(value.fields.map((field) => [field.name, json(field.value)]));
    default:
      return value.value;
  }
}
