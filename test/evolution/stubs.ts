/** Stubs of many contracts, made by the Thrift compiler into one folder, for one generic client a language. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT, ROOT } from '../clients/server.js';
import { found, must, run } from '../clients/toolchain.js';
import { skip } from '../skip.js';

export type Language = 'node' | 'python' | 'go';

/** One call of the generic client. */
export interface Job {
  /** Number of the contract whose stubs are used. */
  readonly contract: number;
  readonly service: string;
  readonly served: string;
  readonly method: string;
  readonly many: boolean;
  readonly row: Readonly<Record<string, number | string>>;
}

/** What a client sees: one of the three. */
export interface Seen {
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly name: string;
    readonly code: number | null;
    readonly message: string;
    readonly problems: readonly { readonly path: string }[];
  };
  readonly source?: string;
}

export type Caller = (
  address: { readonly host: string; readonly port: number },
  jobs: readonly Job[],
) => Promise<readonly Seen[]>;

const execute = promisify(execFile);
const CLIENTS = join(ROOT, 'test/evolution/clients');
const COMPILER = process.env.THRIFT ?? 'thrift';

/** Makes the stubs of all texts, or skips where the language's tools are not there. */
export function callerOf(context: Mocha.Context, language: Language, folder: string, texts: readonly string[]): Caller {
  if (run(COMPILER, ['--version']).status !== 0) skip(context, 'there is no Thrift compiler');
  const place = join(folder, language);
  mkdirSync(place, { recursive: true });
  return MAKERS[language](context, place, texts);
}

/** Each contract's text under its number, in the namespaces that are its own. */
function write(folder: string, text: string, number: number): string {
  const place = join(folder, 'idl', String(number));
  mkdirSync(place, { recursive: true });
  const file = join(place, 'penguins.thrift');
  writeFileSync(file, text.replace('namespace py penguins', `namespace py c${number}\nnamespace go c${number}`));
  return file;
}

const generate = (file: string, generator: string, to: string, ...more: string[]) => {
  mkdirSync(to, { recursive: true });
  must(COMPILER, [...more, '-I', join(ROOT, 'idl'), '--gen', generator, '-out', to, file]);
};

const MAKERS: Readonly<Record<Language, (context: Mocha.Context, folder: string, texts: readonly string[]) => Caller>> =
  {
    node: (_context, folder, texts) => {
      const stubs = texts.map((text, number) => {
        const to = join(folder, `c${number}`);
        generate(write(folder, text, number), 'js:node,es6', to, '-r');
        return to;
      });
      // Stubs find the library from where they stand.
      writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      return (address, jobs) =>
        call([process.execPath, join(CLIENTS, 'client.mjs')], folder, { ...address, jobs: named(jobs, stubs) });
    },

    python: (context, folder, texts) => {
      const python = found(['python3', 'python'], ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
      if (python === undefined) skip(context, 'Python 3.9 or newer is not installed');
      const venv = join(folder, 'venv');
      if (run(python, ['-m', 'venv', venv]).status !== 0)
        skip(context, 'python3 -m venv failed; is python3-venv installed?');
      const interpreter = join(venv, 'bin/python');
      const requirements = join(PROJECT, 'clients/python/requirements.txt');
      const installed = run(interpreter, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
      if (installed.status !== 0)
        skip(context, `pip cannot install the thrift package: ${installed.output.trim().split('\n').at(-1)}`);
      const path = join(folder, 'gen');
      generate(join(ROOT, 'idl/parley.thrift'), 'py', path);
      for (const [number, text] of texts.entries()) generate(write(folder, text, number), 'py', path);
      const stubs = texts.map((_, number) => `c${number}`);
      return (address, jobs) =>
        call([interpreter, '-B', join(CLIENTS, 'client.py')], folder, { ...address, path, jobs: named(jobs, stubs) });
    },

    go: (context, folder, texts) => {
      const go = found(['go', '/usr/local/go/bin/go'], ['version']);
      if (go === undefined) skip(context, 'Go is not installed');
      const gen = join(folder, 'gen');
      const prefix = 'go:skip_remote,package_prefix=evolution/gen/';
      generate(join(ROOT, 'idl/parley.thrift'), prefix, gen);
      for (const [number, text] of texts.entries()) generate(write(folder, text, number), prefix, gen);
      for (const name of ['go.mod', 'go.sum']) cpSync(join(PROJECT, 'clients/go', name), join(folder, name));
      must(go, ['mod', 'edit', '-module', 'evolution'], { cwd: folder });
      cpSync(join(CLIENTS, 'go/main.go'), join(folder, 'main.go'));
      writeFileSync(join(folder, 'registry.go'), registryOf(texts));
      const downloaded = run(go, ['mod', 'download'], { cwd: folder });
      if (downloaded.status !== 0) skip(context, `Go cannot get the thrift module: ${downloaded.output.trim()}`);
      must(go, ['build', '-buildvcs=false', '-o', 'client', '.'], { cwd: folder });
      const stubs = texts.map((_, number) => `c${number}`);
      return (address, jobs) => call([join(folder, 'client')], folder, { ...address, jobs: named(jobs, stubs) });
    },
  };

/** Go has no imports at run time. */
function registryOf(texts: readonly string[]): string {
  const service = (text: string) => /service (\w+)/.exec(text)![1];
  return [
    'package main',
    '',
    'import (',
    '\t"github.com/apache/thrift/lib/go/thrift"',
    ...texts.map((_, number) => `\t"evolution/gen/c${number}"`),
    ')',
    '',
    'var clients = map[string]func(thrift.TClient) any{',
    ...texts.map(
      (text, number) =>
        `\t"c${number}": func(c thrift.TClient) any { return c${number}.New${service(text)}Client(c) },`,
    ),
    '}',
    '',
  ].join('\n');
}

const named = (jobs: readonly Job[], stubs: readonly string[]) =>
  jobs.map(({ contract, ...job }) => ({ ...job, stubs: stubs[contract]! }));

/** In another process, while this one serves. */
async function call(program: readonly string[], folder: string, asked: unknown): Promise<readonly Seen[]> {
  const file = join(folder, 'jobs.json');
  writeFileSync(file, JSON.stringify(asked));
  const [command, ...args] = program;
  const { stdout } = await execute(command!, [...args, file], { maxBuffer: 2 ** 26, timeout: 120_000 });
  return JSON.parse(stdout) as Seen[];
}
