/**
 * The design's import arrows as a pure function: source files in, broken rules out.
 *
 * TypeScript's compiler offers no syntax tree to JavaScript, so imports are found by pattern, after comments are removed.
 */
import { posix } from 'node:path';

/** A file by its path from the repository's root, such as `src/rpc/server.ts`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const BASE = ['errors', 'model', 'contract'];
const PURE = [...BASE, 'features', 'evaluation'];
const ADAPTERS = ['model-types', 'trainers', 'sources', 'store', 'onnx'];
const SERVICES = ['serving', 'registry', 'training', 'monitoring', 'security'];
const BELOW_EDGES = [...PURE, ...ADAPTERS, ...SERVICES, 'config'];
const EDGES = ['rpc', 'http', 'load', 'cli', 'client', 'testing', 'processes'];

/** What each part of src/ may import beside itself. A part is a folder of src/, or a file of src/ without its ending. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  model: BASE,
  contract: BASE,
  features: BASE,
  evaluation: BASE,
  config: PURE,
  // An adapter knows no other kind of adapter: what they share goes through model/'s ports.
  ...Object.fromEntries(ADAPTERS.map((part) => [part, PURE])),
  ...Object.fromEntries(SERVICES.map((part) => [part, [...PURE, ...ADAPTERS, ...SERVICES]])),
  rpc: BELOW_EDGES,
  http: BELOW_EDGES,
  // The load generator speaks rpc/'s protocols to a server, and asks it by its client what to send.
  load: [...BELOW_EDGES, 'rpc'],
  // The client speaks rpc/'s codecs; the CLI and the testing kit are users of the client.
  client: [...BELOW_EDGES, 'rpc'],
  testing: [...BELOW_EDGES, 'rpc', 'client'],
  cli: [...BELOW_EDGES, 'rpc', 'client', 'load', 'testing'],
  processes: BELOW_EDGES,
  app: [...BELOW_EDGES, ...EDGES],
  main: [...BELOW_EDGES, ...EDGES, 'app'],
  'serving-main': ['processes', 'app'],
};

/** The one part of src/ that may know a library; `gen` stands for what the Thrift compiler made. */
export const OWNERS: Readonly<Record<string, string>> = {
  thrift: 'rpc',
  gen: 'rpc',
  ioredis: 'store',
  sharp: 'model-types',
  bullmq: 'training',
  'onnxruntime-node': 'onnx',
  'onnxruntime-common': 'onnx',
  'node-sqlite3-wasm': 'sources',
  '@duckdb/node-api': 'sources',
  pg: 'sources',
  mysql2: 'sources',
  '@creditkarma/thrift-parser': 'contract',
  re2js: 'contract',
  commander: 'cli',
  'prom-client': 'http',
  '@opentelemetry/api': 'rpc',
};

const ENVIRONMENT_READERS = ['config', 'main'];
const CONSOLE_WRITERS = ['cli', 'main'];

const STRING = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
const TEMPLATE = '`(?:\\\\.|[^`\\\\])*`';
const COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const SPECIFIER = String.raw`\s*(['"\`])([^'"\`\n]+)\1`;

const IMPORTS = [
  // import x from 'y', export * from 'y', import 'y'
  String.raw`(?:^|[;}\s])(?:import|export)\s(?:[\w\s{},*$]|'[^']*'\s+as)*?\bfrom${SPECIFIER}`,
  String.raw`(?:^|[;}\s])import${SPECIFIER}`,
  // import('y'), require('y'), require.resolve('y'), and createRequire's function where it is called on the spot
  String.raw`\b(?:import|require|require\.resolve)\s*\(${SPECIFIER}`,
  String.raw`\bcreateRequire\s*\([^)]*\)\s*(?:\.resolve\s*)?\(${SPECIFIER}`,
].map((pattern) => new RegExp(pattern, 'g'));

function withoutComments(text: string): string {
  return text.replace(new RegExp(`${STRING}|${TEMPLATE}|${COMMENT}`, 'g'), (found) =>
    /^\/[/*]/.test(found) ? ' ' : found,
  );
}

function withoutStrings(code: string): string {
  return code.replace(new RegExp(`${TEMPLATE}|${STRING}`, 'g'), (found) => (found.startsWith('`') ? found : "''"));
}

/** Every module that a source file names, in any form of import. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const requires = [...code.matchAll(/([\w$]+)\s*=\s*createRequire\b/g)].map(
    (match) =>
      new RegExp(`(?<![\\w$])${(match[1] as string).replaceAll('$', '\\$')}(?:\\.resolve)?\\(${SPECIFIER}`, 'g'),
  );
  const found = [...IMPORTS, ...requires].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => match[2] as string),
  );
  return [...new Set(found)];
}

/** `src/rpc/codecs/tensor.ts` is of part `rpc`, `src/app.ts` of part `app`. */
function partOf(path: string): string {
  return (path.split('/')[1] as string).replace(/\.[cm]?[jt]s$/, '');
}

interface Target {
  readonly part?: string;
  readonly library?: string;
}

function targetOf(from: string, specifier: string): Target {
  const aliased = specifier.replace(/^#parley\//, 'src/').replace(/^#gen\//, 'gen/');
  const path = posix.normalize(/^\.{1,2}\//.test(aliased) ? posix.join(posix.dirname(from), aliased) : aliased);
  if (path.startsWith('src/')) return { part: partOf(path) };
  if (path.startsWith('gen/')) return { library: 'gen' };
  const names = specifier.split('/');
  return { library: specifier.startsWith('@') ? names.slice(0, 2).join('/') : (names[0] as string) };
}

function brokenImport(from: string, part: string, specifier: string): string | undefined {
  const target = targetOf(from, specifier);
  if (target.part !== undefined && target.part !== part && !ARROWS[part]?.includes(target.part))
    return `${from}: ${part} may not import ${target.part} (${specifier})`;
  // A library's package.json is its version, not its code: runs record it.
  const isCode = specifier !== `${target.library}/package.json`;
  const owner = target.library !== undefined && isCode ? OWNERS[target.library] : undefined;
  if (owner !== undefined && owner !== part) return `${from}: ${target.library} belongs to ${owner}/ (${specifier})`;
  return undefined;
}

function brokenUse(from: string, part: string, code: string): string[] {
  const broken: string[] = [];
  const readsEnvironment =
    /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|\{[^{}=]*\benv\b[^{}=]*\}\s*=\s*process\b/.test(withoutStrings(code)) ||
    /\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/.test(code);
  if (readsEnvironment && !ENVIRONMENT_READERS.includes(part))
    broken.push(`${from}: process.env is read by config.ts and main.ts only`);
  if (/\bconsole\s*\??[.[]/.test(withoutStrings(code)) && !CONSOLE_WRITERS.includes(part))
    broken.push(`${from}: console is for cli/ and main.ts`);
  return broken;
}

/** Every broken rule, one readable line each; empty when the arrows hold. */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const part = partOf(path);
    if (ARROWS[part] === undefined) return [`${path}: ${part} has no place in the design's layers`];
    const imports = importsOf(text).map((specifier) => brokenImport(path, part, specifier));
    return [...imports.filter((line) => line !== undefined), ...brokenUse(path, part, withoutComments(text))];
  });
}
