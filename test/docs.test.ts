import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { Output } from '#parley/cli/output.js';
import { EXIT_USAGE, runCommand } from '#parley/cli/program.js';
import { parseContract } from '#parley/contract/parse.js';
import { ERROR_CODES } from '#parley/errors.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  'bench/README.md',
  'CHANGELOG.md',
].filter((path) => path.endsWith('.md') && existsSync(join(root, path)));

/** Command lines of a page: what stands behind `$ parley` or `$ node dist/main.js`. */
function commandLines(page: string): string[] {
  return [...read(page).matchAll(/^\$ (?:parley|node dist\/main\.js) (.+?)(?: &)?$/gm)].map((match) => match[1]!);
}

/** What a command line prints, and its exit code; it may do nothing. */
async function run(words: readonly string[]): Promise<{ code: number; text: string }> {
  const chunks: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const nothing = () => Promise.reject(new Error('help must not do anything'));
  const context = { openRegistry: nothing, predict: nothing, serve: nothing, diagnose: nothing };
  const code = await runCommand(words, {
    ...context,
    output: new Output(stream, stream),
    signal: new AbortController().signal,
    version: '0.0.0',
    stdin: process.stdin,
  } as never);
  return { code, text: chunks.join('') };
}

const help = (words: readonly string[]) => run([...words, '--help']);

describe('the docs', () => {
  it('name every error code with its number, as the code has them', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (.+) \|$/gm)].map(
      ([, ...cells]) => cells,
    );
    const table = Object.entries(ERROR_CODES).map(([code, row]) => [
      code,
      String(row.number),
      row.retryable ? 'yes' : 'no',
      row.meaning,
    ]);
    expect(rows).to.deep.equal(table);
  });

  it('link only to files that exist', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map((match) => join(dirname(page), match[1]!))
        .filter((path) => !existsSync(join(root, path))),
    );
    expect(broken).to.deep.equal([]);
  });

  it('name only files of src/ that exist', () => {
    const named = [...read('docs/ARCHITECTURE.md').matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(
      (match) => match[1]!,
    );
    expect(named).to.not.be.empty;
    expect(named.filter((path) => !existsSync(join(root, 'src', path)))).to.deep.equal([]);
  });

  it("show parts of the example's clients as they are", () => {
    const blocks = [...read('docs/clients.md').matchAll(/<!-- from: (.+) -->\n```\w+\n([\s\S]*?)\n```/g)];
    expect(blocks).to.have.length(8);
    const plain = (text: string) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
        .join('\n');
    for (const [, path, block] of blocks)
      for (const part of block!.split(/^(?:#|\/\/) …$/m)) expect(plain(read(path!)), path).to.include(plain(part));
  });

  it('have the tables of the contract as the code has them', async () => {
    const { page, written } = (await import(pathToFileURL(join(root, 'scripts/contract-docs.mjs')).href)) as {
      page: () => string;
      written: (text: string) => string;
    };
    expect(page().match(/<!-- table: \w+ -->\n\| /g)).to.have.length(3);
    expect(page(), 'write it anew with "node scripts/contract-docs.mjs"').to.equal(written(page()));
  });

  it('show contracts that parse', () => {
    const blocks = [...read('docs/contract.md').matchAll(/```thrift\n([\s\S]*?)```/g)].map((match) => match[1]!);
    expect(blocks).to.have.length(2);
    for (const idl of blocks) expect(parseContract({ file: 'contract.md', idl }).services).to.have.length(1);
  });

  it('show only commands and options that there are', async () => {
    const lines = pages.flatMap(commandLines);
    expect(lines).to.not.be.empty;
    for (const line of lines) {
      const [name, sub] = line.split(' ');
      const words = name === 'contract' ? [name, sub!] : [name!];
      const { code, text } = await help(words);
      expect(code, line).to.equal(0);
      for (const option of line.match(/(?<= )--[a-z-]+/g) ?? []) expect(text, `${line}: ${option}`).to.include(option);
    }
  });
});

describe('help', () => {
  it('has an example for each command', async () => {
    const { text } = await help([]);
    const names = [...text.matchAll(/^ {2}([a-z]+) .+$/gm)].map((match) => match[1]!).filter((name) => name !== 'help');
    expect(names).to.include.members([
      'train',
      'accept',
      'promote',
      'rollback',
      'history',
      'versions',
      'serve',
      'predict',
    ]);
    for (const name of names)
      expect((await help(name === 'contract' ? [name, 'publish'] : [name])).text, name).to.match(
        /Examples?:\n {2}parley /,
      );
  });

  it('is not what an unknown command gets', async () => {
    const { code, text } = await run(['trian']);
    expect(code).to.equal(EXIT_USAGE);
    expect(text).to.include('Did you mean train?');
  });
});
