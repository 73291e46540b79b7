/** How each language writes a call with its stubs. */
import type { Call } from './page-examples.js';
import { camel, cpp, go, goName, java, json, node, python, rust, snake, unqualified } from './page-values.js';

interface Language {
  readonly language: string;
  readonly write: (call: Call) => string;
}

const listed = (call: Call, text: string, open = '[', close = ']') => (call.many ? open + text + close : text);
/** One line a field, where a call is long. */
function wrapped(text: string, indent: string): string {
  const open = /\(?[({] ?(?=\w+[=:])/.exec(text);
  if (text.length < 90 || open === null) return text;
  const [head, body] = [text.slice(0, open.index + open[0].length).trimEnd(), text.slice(open.index + open[0].length)];
  const closing = open[0].trim().length + (text.length - text.replace(/\]$/, '').length);
  const fields = topLevel(body.slice(0, -closing).trimEnd()).join(`,\n${indent}`);
  return `${head}\n${indent}${fields}\n${body.slice(-closing)}`;
}

/** What stands between the commas that are in no bracket and in no text. */
function topLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: found, index } of text.matchAll(/"(?:\\.|[^"\\])*"|[([{<)\]}>]|, /g)) {
    if (/^[([{<]$/.test(found)) depth++;
    else if (/^[)\]}>]$/.test(found)) depth--;
    else if (found === ', ' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 2;
    }
  }
  return [...parts, text.slice(start)];
}

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
        `const answer = await client.${call.method}(${camel(call.argument)}${context});`,
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
