/** `parley stubs`: a contract as ready packages of generated code, by the user's Thrift compiler. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, posix, sep } from 'node:path';
import { Option } from 'commander';
import type { Contract } from '../contract/contract.js';
import { snakeCase } from '../contract/identifiers.js';
import { didYouMean } from '../contract/nearest.js';
import { examplesOf } from '../contract/page-examples.js';
import { parseContract } from '../contract/parse.js';
import { readIdl } from '../contract/read-idl.js';
import { invalidInput } from '../errors.js';
import { readContractSource } from '../training/contract-file.js';
import type { CommandDefinition } from './context.js';
import { contractFile } from './contract-source.js';
import { type Compiler, compile, findCompiler, TESTED } from './stubs/compiler.js';
import type { Making, StubLanguage } from './stubs/language.js';
import { ALIASES, STUB_LANGUAGES } from './stubs/languages.js';
import { checkFolder, type Files, writeFolder } from './stubs/package-folder.js';

const NAMES = Object.keys(STUB_LANGUAGES);

interface Options {
  readonly lang: string;
  readonly out: string;
  readonly thrift?: string;
  readonly name?: string;
  readonly json?: boolean;
}

export const stubs: CommandDefinition = (program, context) => {
  program
    .command('stubs')
    .summary('make client packages from a contract')
    .description(
      `Makes a ready package for each language from a contract: generated code, what builds it, and a README with a call. It runs your Thrift compiler (${TESTED} is what Parley is tested with), which is found on the PATH. Packages go to OUT/LANGUAGE; a folder that was not made here, or has been changed since, is left alone.`,
    )
    .argument('<project or file>', 'the folder of parley.yaml, or a Thrift file')
    .addOption(
      new Option(
        '--lang <languages>',
        `some of ${NAMES.join(', ')}, with commas between, or all`,
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--out <folder>', 'where the packages go').makeOptionMandatory())
    .option('--thrift <path>', 'the Thrift compiler')
    .option('--name <name>', "what the packages are called, before -stubs (default: the model's name)")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  parley stubs examples/penguins --lang python,go --out clients\n  parley stubs penguins.thrift --lang all --out clients\n  parley stubs penguins.thrift --lang cpp --thrift /usr/bin/thrift --out clients',
    )
    .action(async (place: string, options: Options) => {
      const languages = languagesOf(options.lang);
      const file = await contractFile(place);
      const contract = parseContract(readContractSource(file, 'the contract'));
      const compiler = findCompiler(options.thrift);
      if (compiler.warning !== undefined) context.output.note(`warning: ${compiler.warning}`);
      const made = makeAll(file, contract, compiler, languages, options);
      if (options.json)
        context.output.json({
          model: contract.model,
          fingerprint: contract.fingerprint,
          thrift: compiler.version,
          packages: made,
        });
      else
        for (const { language, folder, files } of made) context.output.line(`${language}: ${folder} (${files} files)`);
    });
};

/** @throws ParleyError INVALID_INPUT with what there is */
function languagesOf(text: string): string[] {
  const given = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const names = given.includes('all') ? NAMES : given.map((name) => ALIASES[name] ?? name);
  for (const name of names)
    if (!Object.hasOwn(STUB_LANGUAGES, name))
      throw invalidInput(
        `there are no packages for "${name}"${didYouMean(name, NAMES)}; there are ${NAMES.join(', ')}. For other languages: thrift -r -I idl --gen LANGUAGE FILE`,
      );
  if (names.length === 0) throw invalidInput(`--lang names no language; there are ${NAMES.join(', ')}`);
  return [...new Set(names)];
}

interface Made {
  readonly language: string;
  readonly folder: string;
  readonly files: number;
}

/** All of them, or none: nothing is written before every language has been compiled. */
function makeAll(
  file: string,
  contract: Contract,
  compiler: Compiler,
  languages: readonly string[],
  options: Options,
): readonly Made[] {
  const making = makingOf(contract, compiler, options.name ?? contract.model);
  const folders = languages.map((language) => join(options.out, language));
  for (const folder of folders) checkFolder(folder);
  const packages = languages.map((language) => packageFiles(file, STUB_LANGUAGES[language]!, making));
  return packages.map((files, index) => {
    const language = languages[index]!,
      folder = folders[index]!;
    writeFolder(folder, files, { language, contract: contract.fingerprint, thrift: compiler.version });
    return { language, folder, files: files.size };
  });
}

function makingOf(contract: Contract, compiler: Compiler, name: string): Making {
  const snake = snakeCase(name, 'model'),
    { namespaces } = readIdl(contract),
    examples = examplesOf(contract);
  return {
    contract,
    compiler,
    snake,
    dashed: snake.replaceAll('_', '-'),
    namespace: (language) =>
      namespaces.get(language)?.text ?? namespaces.get('*')?.text ?? basename(contract.file, '.thrift'),
    example: (language) => examples.find((example) => example.language === language)?.code ?? '',
  };
}

/** What the compiler writes, and what makes a package of it. */
function packageFiles(file: string, language: StubLanguage, making: Making): Files {
  const work = mkdtempSync(join(tmpdir(), 'parley-stubs-'));
  try {
    compile(making.compiler, language.generator(making), file, work);
    const paths = readdirSync(work, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(work, path)).isFile() && !language.leavesOut?.test(path))
      .map((path) => path.split(sep).join('/'))
      .sort();
    const generated = paths.map(
      (path) => [posix.join(language.sources(making), path), readFileSync(join(work, path), 'utf8')] as const,
    );
    return new Map([...language.files(making, paths), ...generated]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
