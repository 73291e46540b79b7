/** How each language writes a request with its stubs. */

import { typeText } from './idl.js';
import type { Call, Sample, SampleField } from './page-examples.js';

interface Language {
  readonly language: string;
  readonly write: (call: Call) => string;
}

const quote = (text: string): string => JSON.stringify(text);
const camel = (name: string): string => name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const decimal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
const unqualified = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

function python(value: Sample): string {
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

function node(value: Sample): string {
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
const goName = (name: string): string =>
  capital(camel(name)).replace(/(Id|Url|Ip|Api|Http)(?=$|[A-Z])/g, (word) => word.toUpperCase());

function goType(text: string, own: string): string {
  const inner = /^list<(.*)>$/.exec(text)?.[1];
  if (inner !== undefined) return `[]${goType(inner, own)}`;
  const map = /^map<([^,]+), (.*)>$/.exec(text);
  if (map !== null) return `map[${goType(map[1]!, own)}]${goType(map[2]!, own)}`;
  return text === 'string' ? 'string' : (GO_TYPES[text] ?? `${own}.${unqualified(text)}`);
}

function go(value: Sample, own: string, isPointer = false): string {
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

function java(value: Sample): string {
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
function cpp(value: Sample, name: string, before: string[]): string {
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

function rust(value: Sample): string {
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
      const field = ({ name, isPointer, value: each }: SampleField) =>
        `${snake(name)}: ${isPointer ? `Some(${rust(each)})` : rust(each)}`;
      return `${unqualified(value.struct)} { ${value.fields.map(field).join(', ')}, ..Default::default() }`;
    }
    default:
      return String(value.value);
  }
}

function json(value: Sample): unknown {
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

const listed = (call: Call, text: string, open = '[', close = ']') => (call.many ? open + text + close : text);
/** One line a field, where a call is long. */
const wrapped = (text: string, indent: string): string =>
  text.length < 90
    ? text
    : text
        .replace(/([({]) ?(?=[\w.]+[=:])/, `$1\n${indent}`)
        .replace(/, (?=(?:[\w]+[=:]|\.\.) ?)/g, `,\n${indent}`)
        .replace(/ ?([)}]+\]?)$/, '\n$1');

export const LANGUAGES: readonly Language[] = [
  {
    language: 'Command line',
    write: (call) => `parley predict ${call.model} '${JSON.stringify(json(call.row))}' --server localhost:9090`,
  },
  {
    language: 'Python',
    write: (call) => {
      const own = call.namespace('py');
      const context = call.hasContext ? ', RequestContext(timeout_ms=1000)' : '';
      return [
        ...(call.hasContext ? ['from parley.ttypes import RequestContext'] : []),
        `from ${own} import ${call.service}`,
        `from ${own}.ttypes import *`,
        'from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory',
        'from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol',
        'from thrift.transport import TSocket, TTransport',
        '',
        'transport = TTransport.TFramedTransport(TSocket.TSocket("localhost", 9090))',
        'protocol = TBinaryProtocolAcceleratedFactory().getProtocol(transport)',
        `client = ${call.service}.Client(TMultiplexedProtocol(protocol, "${call.service}"))`,
        'transport.open()',
        `${call.argument} = ${wrapped(listed(call, python(call.row)), '    ')}`,
        `print(client.${call.method}(${call.argument}${context}))`,
      ].join('\n');
    },
  },
  {
    language: 'Node',
    write: (call) => {
      const context = call.hasContext ? ', new parley.RequestContext({ timeout_ms: 1000 })' : '';
      return [
        "import thrift from 'thrift';",
        `import ${call.service} from './gen-nodejs/${call.service}.js';`,
        `import types from './gen-nodejs/${call.namespace('js')}_types.js';`,
        ...(call.hasContext ? ["import parley from './gen-nodejs/parley_types.js';"] : []),
        '',
        "const connection = thrift.createConnection('localhost', 9090, {",
        '  transport: thrift.TFramedTransport,',
        '  protocol: thrift.TBinaryProtocol,',
        '});',
        `const client = new thrift.Multiplexer().createClient('${call.service}', ${call.service}, connection);`,
        `const ${camel(call.argument)} = ${wrapped(listed(call, node(call.row)), '  ')};`,
        `console.log(await client.${call.method}(${camel(call.argument)}${context}));`,
      ].join('\n');
    },
  },
  {
    language: 'Go',
    write: (call) => {
      const own = call.namespace('go');
      const context = call.hasContext ? ', &parley.RequestContext{TimeoutMs: thrift.Int32Ptr(1000)}' : '';
      const list = listed(call, go(call.row, own), `[]*${own}.${unqualified(call.row.struct)}{`, '}');
      return [
        'transport := thrift.NewTFramedTransportConf(thrift.NewTSocketConf("localhost:9090", nil), nil)',
        'protocol := thrift.NewTBinaryProtocolConf(transport, nil)',
        `multiplexed := thrift.NewTMultiplexedProtocol(protocol, "${call.service}")`,
        `client := ${own}.New${call.service}Client(thrift.NewTStandardClient(protocol, multiplexed))`,
        'if err := transport.Open(); err != nil {',
        '\treturn err',
        '}',
        `${camel(call.argument)} := ${wrapped(list, '\t').replace(/\n}$/, ',\n}')}`,
        `answer, err := client.${goName(call.method)}(context.Background(), ${camel(call.argument)}${context})`,
      ].join('\n');
    },
  },
  {
    language: 'Java',
    write: (call) => {
      const context = call.hasContext ? ', new RequestContext().setTimeout_ms(1000)' : '';
      const type = listed(call, unqualified(call.row.struct), 'List<', '>');
      return [
        'TTransport transport = new TFramedTransport(new TSocket("localhost", 9090));',
        `TProtocol protocol = new TMultiplexedProtocol(new TBinaryProtocol(transport), "${call.service}");`,
        `${call.service}.Client client = new ${call.service}.Client(protocol);`,
        'transport.open();',
        `${type} ${camel(call.argument)} = ${listed(call, java(call.row).replaceAll(/\.set/g, '\n    .set'), 'List.of(', ')')};`,
        `System.out.println(client.${call.method}(${camel(call.argument)}${context}));`,
      ].join('\n');
    },
  },
  {
    language: 'C++',
    write: (call) => {
      const before: string[] = [];
      const row = cpp(call.row, call.many ? 'row' : call.argument, before);
      const many = call.many ? [`std::vector<${unqualified(call.row.struct)}> ${call.argument}{${row}};`] : [];
      const answer = `${listed(call, call.answer, 'std::vector<', '>')} answer;`;
      return [
        'auto transport = std::make_shared<TFramedTransport>(std::make_shared<TSocket>("localhost", 9090));',
        `auto protocol = std::make_shared<TMultiplexedProtocol>(std::make_shared<TBinaryProtocol>(transport), "${call.service}");`,
        `${call.service}Client client(protocol);`,
        'transport->open();',
        ...before,
        ...many,
        ...(call.hasContext ? ['parley::RequestContext context;', 'context.__set_timeout_ms(1000);'] : []),
        answer,
        `client.${call.method}(answer, ${call.argument}${call.hasContext ? ', context' : ''});`,
      ].join('\n');
    },
  },
  {
    language: 'Rust',
    write: (call) => {
      const context = call.hasContext ? ', RequestContext { timeout_ms: Some(1000), ..Default::default() }' : '';
      return [
        'let mut channel = TTcpChannel::new();',
        'channel.open("localhost:9090")?;',
        'let (reading, writing) = channel.split()?;',
        'let input = TBinaryInputProtocol::new(TFramedReadTransport::new(reading), true);',
        'let output = TBinaryOutputProtocol::new(TFramedWriteTransport::new(writing), true);',
        `let output = TMultiplexedOutputProtocol::new("${call.service}", output);`,
        `let mut client = ${call.service}SyncClient::new(input, output);`,
        `let ${snake(call.argument)} = ${wrapped(listed(call, rust(call.row), 'vec![', ']'), '    ')};`,
        `println!("{:?}", client.${snake(call.method)}(${snake(call.argument)}${context})?);`,
      ].join('\n');
    },
  },
];
