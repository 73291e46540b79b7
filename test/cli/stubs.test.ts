/** `parley stubs`: what it makes, what it leaves alone, and what it says of compilers; Python's and Node's packages work. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import { found, must, run } from '../clients/toolchain.js';
import { skip } from '../skip.js';
import { CONTRACT, needCompiler, stubs, stubsFolder } from './stubs-place.js';

describe('parley stubs', function () {
  this.timeout(60_000);
  let folder: string;
  before(function () {
    needCompiler(this);
  });
  beforeEach(() => {
    folder = stubsFolder();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const make = (lang: string, ...more: string[]) => stubs(CONTRACT, '--lang', lang, '--out', folder, ...more);

  it('makes a package for each language, with a README that shows a call', () => {
    const { status, output } = make('all', '--json');
    expect(status, output).to.equal(0);
    const { model, packages } = JSON.parse(output) as {
      model: string;
      packages: { language: string; files: number }[];
    };
    expect(model).to.equal('penguins');
    expect(packages.map(({ language }) => language)).to.deep.equal(['python', 'node', 'go', 'java', 'cpp', 'rust']);
    for (const [language, build, code] of [
      ['python', 'pyproject.toml', 'penguins_stubs/penguins/Penguins.py'],
      ['node', 'package.json', 'gen/Penguins.js'],
      ['go', 'go.mod', 'penguins/penguins.go'],
      ['java', 'pom.xml', 'src/main/java/penguins/Penguins.java'],
      ['cpp', 'CMakeLists.txt', 'src/Penguins.cpp'],
      ['rust', 'Cargo.toml', 'src/penguins.rs'],
    ] as const) {
      for (const file of [build, code]) expect(existsSync(join(folder, language, file)), file).to.equal(true);
      const readme = readFileSync(join(folder, language, 'README.md'), 'utf8');
      expect(readme, language)
        .to.match(/identify\(|Identify\(/)
        .and.not.include('undefined');
    }
    const java = readdirSync(join(folder, 'java/src/main/java/dev/parley'));
    expect(java).to.include('ParleyError.java');
  });

  it('makes the same again, and takes away what is no more', () => {
    expect(make('python').status).to.equal(0);
    const before = readFileSync(join(folder, 'python/.parley-stubs.json'), 'utf8');
    expect(make('py').status).to.equal(0);
    expect(readFileSync(join(folder, 'python/.parley-stubs.json'), 'utf8')).to.equal(before);
    writeFileSync(join(folder, 'python/own.txt'), 'mine');
    const { status, output } = make('python', '--name', 'birds');
    expect(status, output).to.equal(0);
    expect(readdirSync(join(folder, 'python'))).to.include.members(['own.txt', 'birds_stubs']);
    expect(existsSync(join(folder, 'python/penguins_stubs/penguins/ttypes.py'))).to.equal(false);
  });

  it('leaves alone what it did not make, and what was changed since, before it writes anything', () => {
    mkdirSync(join(folder, 'go'));
    writeFileSync(join(folder, 'go/main.go'), 'package main');
    const foreign = make('python,go');
    expect(foreign.status).to.equal(1);
    expect(foreign.output).to.match(/CONFLICT: .*go is not empty and was not made by "parley stubs"/);
    expect(existsSync(join(folder, 'python'))).to.equal(false);
    expect(make('node').status).to.equal(0);
    writeFileSync(join(folder, 'node/index.js'), '// mine');
    expect(make('node').output).to.match(/CONFLICT: .*index\.js has been changed since "parley stubs" made it/);
    expect(readFileSync(join(folder, 'node/index.js'), 'utf8')).to.equal('// mine');
  });

  it('says where nothing can be written', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const [out, why] of [
      [file, /INVALID_INPUT: .*file.node cannot be written: ENOTDIR/],
      ['/proc/parley', /INVALID_INPUT: .*cannot be written/],
    ] as const)
      expect(stubs(CONTRACT, '--lang', 'node', '--out', out).output).to.match(why);
    writeFileSync(join(folder, 'node'), '');
    expect(make('node').output).to.match(/CONFLICT: .*node is a file/);
  });

  it('takes a project, and contracts with includes', () => {
    const project = join(folder, 'shop');
    mkdirSync(project);
    writeFileSync(
      join(project, 'common.thrift'),
      'namespace py shop.common\nenum Size { UNSPECIFIED = 0, SMALL = 1 }\n',
    );
    writeFileSync(
      join(project, 'shop.thrift'),
      `include "parley.thrift"
include "common.thrift"
struct Item { 1: optional common.Size size, 2: optional double weight_g (min = "0", max = "9") }
struct Price { 1: optional double euros (role = "value") }
service Shop { Price price(1: Item item) throws (1: parley.ParleyError error) } (model = "shop")
`,
    );
    const { status, output } = stubs(join(project, 'shop.thrift'), '--lang', 'python,rust', '--out', folder);
    expect(status, output).to.equal(0);
    expect(readdirSync(join(folder, 'rust/src'))).to.include.members(['common.rs', 'lib.rs', 'parley.rs', 'shop.rs']);
    expect(existsSync(join(folder, 'python/shop_stubs/shop/common/ttypes.py'))).to.equal(true);
    const made = stubs(dirname(CONTRACT), '--lang', 'rust', '--out', join(folder, 'more'));
    expect(made.status, made.output).to.equal(0);
  });

  it('says which languages there are, and what is wrong in a contract', () => {
    expect(make('phyton').output).to.match(
      /no packages for "phyton" \(did you mean "python"\?\)|no packages for "phyton".*python/,
    );
    expect(make(',').output).to.include('--lang names no language');
    const broken = join(folder, 'broken.thrift');
    writeFileSync(broken, 'struct {');
    expect(stubs(broken, '--lang', 'go', '--out', folder).output).to.match(/INVALID_INPUT: .*broken\.thrift:1:8/);
    expect(stubs('nowhere', '--lang', 'go', '--out', folder).output).to.include('there is no "nowhere"');
  });

  it('says where a compiler comes from when there is none, or what there is is none or too old', () => {
    const fake = (says: string) => {
      const path = join(folder, 'thrift');
      writeFileSync(path, `#!/bin/sh\necho "${says}"\n`);
      chmodSync(path, 0o755);
      return make('go', '--thrift', path).output;
    };
    expect(make('go', '--thrift', 'no-thrift').output).to.match(
      /NOT_FOUND: there is no Thrift compiler "no-thrift" on the PATH; install Apache Thrift 0\.24 .* or name one with --thrift PATH/,
    );
    expect(fake('hello')).to.match(/is no Thrift compiler: .* says "hello"/);
    expect(fake('Thrift version 0.13.0')).to.match(
      /UNSUPPORTED: .* is Thrift 0\.13\.0, and 0\.17 is the oldest that works/,
    );
    expect(fake('Thrift version 0.19.0')).to.include('warning: ').and.include('is Thrift 0.19.0, older than 0.24');
  });

  it("makes Node's package so that its README's imports load, with the contract to negotiate by", () => {
    expect(make('node').status).to.equal(0);
    const modules = join(folder, 'consumer/node_modules');
    mkdirSync(modules, { recursive: true });
    symlinkSync(join(folder, 'node'), join(modules, 'penguins-stubs'));
    symlinkSync(resolve('.'), join(modules, 'parley'));
    symlinkSync(resolve('node_modules'), join(folder, 'node/node_modules'));
    const code = `
      import { connect } from 'parley/client';
      import stubs from 'penguins-stubs';
      const { species } = new stubs.penguins_types.Identified({ species: stubs.penguins_types.Species.GENTOO });
      const error = await connect('127.0.0.1:1', stubs.Penguins, { contract: stubs.contract, negotiate: true }).catch((error) => error);
      console.log(species, error.code, Object.keys(stubs.contract));`;
    writeFileSync(join(folder, 'consumer/main.mjs'), code);
    expect(must(process.execPath, [join(folder, 'consumer/main.mjs')]).trim()).to.equal(
      "3 STORE_UNAVAILABLE [ 'idl', 'includes' ]",
    );
  });

  it("makes Python's package so that its modules and its README compile", function () {
    const python = found(['python3', 'python'], ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']);
    if (python === undefined) skip(this, 'Python 3.8 or newer is not installed');
    expect(make('python').status).to.equal(0);
    const readme = readFileSync(join(folder, 'python/README.md'), 'utf8');
    writeFileSync(join(folder, 'python/example.py'), /```python\n([\s\S]*?)```/.exec(readme)![1]!);
    must(python, ['-m', 'compileall', '-q', join(folder, 'python')]);
    if (run(python, ['-c', 'import thrift']).status !== 0) return;
    must(
      python,
      ['-c', 'from penguins_stubs.penguins import Penguins; from penguins_stubs.parley.ttypes import ParleyError'],
      {
        cwd: join(folder, 'python'),
      },
    );
  });
});
