/** Every package of `parley stubs` is built by its language's own tools, with what they fetch. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CARGO, DEBIAN_COMPILER, found, must, run } from '../clients/toolchain.js';
import { skip } from '../skip.js';
import { CONTRACT, needCompiler, stubs, stubsFolder } from './stubs-place.js';

describe('a package of parley stubs', function () {
  this.timeout(600_000);
  let folder: string;
  before(function () {
    needCompiler(this);
    folder = stubsFolder();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns the package's folder */
  function make(language: string, ...more: string[]): string {
    const { status, output } = stubs(CONTRACT, '--lang', language, '--out', folder, ...more);
    expect(status, output).to.equal(0);
    return join(folder, language);
  }
  /** Or skips, where what the tools fetch cannot be had. */
  function fetched(context: Mocha.Context, program: string, args: readonly string[], cwd: string): void {
    const { status, output } = run(program, args, { cwd });
    if (status !== 0)
      skip(context, `${program} ${args[0]} cannot get what it needs: ${output.trim().split('\n').at(-1)}`);
  }

  it('is installed by pip for Python', function () {
    const python = found(['python3'], ['-m', 'venv', '--help']);
    if (python === undefined) skip(this, 'python3-venv is not installed');
    const made = make('python'),
      venv = join(folder, 'venv');
    must(python, ['-m', 'venv', venv]);
    const interpreter = join(venv, 'bin/python');
    fetched(this, interpreter, ['-m', 'pip', 'install', '--quiet', 'thrift==0.24.0'], folder);
    must(interpreter, ['-m', 'pip', 'install', '--quiet', made]);
    const code = 'from penguins_stubs.penguins.ttypes import Penguin; print(Penguin(bill_length_mm=39.1))';
    expect(must(interpreter, ['-c', code], { cwd: folder })).to.include('39.1');
  });

  it('is installed by npm for Node', () => {
    const made = make('node'),
      consumer = join(folder, 'consumer');
    mkdirSync(consumer);
    must('npm', ['install', '--no-audit', '--no-fund', '--install-links', made], { cwd: consumer });
    const code = "console.log(typeof require('penguins-stubs').Penguins.Client)";
    expect(must(process.execPath, ['-e', code], { cwd: consumer }).trim()).to.equal('function');
  });

  it('is built by Go', function () {
    const go = found(['go', '/usr/local/go/bin/go'], ['version']);
    if (go === undefined) skip(this, 'Go is not installed');
    const made = make('go');
    fetched(this, go, ['mod', 'tidy'], made);
    must(go, ['vet', './...'], { cwd: made });
  });

  it('is built by Cargo', function () {
    const cargo = found(CARGO, ['--version']);
    if (cargo === undefined) skip(this, 'Cargo is not installed');
    const made = make('rust');
    fetched(this, cargo, ['fetch'], made);
    must(cargo, ['build', '--quiet'], { cwd: made });
  });

  it('is built by Maven', function () {
    if (found(['mvn'], ['--version']) === undefined) skip(this, 'Maven is not installed');
    const made = make('java');
    fetched(this, 'mvn', ['-q', '-B', 'dependency:resolve'], made);
    must('mvn', ['-q', '-B', 'package'], { cwd: made });
  });

  it("is built by CMake with the library's own compiler, and not with another", function () {
    for (const tool of ['cmake', 'g++'])
      if (found([tool], ['--version']) === undefined) skip(this, `${tool} is not installed`);
    if (found([DEBIAN_COMPILER], ['--version']) === undefined) skip(this, 'thrift-compiler of Debian is not installed');
    const made = make('cpp', '--thrift', DEBIAN_COMPILER),
      build = join(folder, 'build');
    const configured = run('cmake', ['-S', made, '-B', build]);
    if (/THRIFT_(INCLUDE_DIR|LIBRARY)/.test(configured.output)) skip(this, 'libthrift-dev is not installed');
    expect(configured.status, configured.output).to.equal(0);
    must('cmake', ['--build', build, '-j2']);
    const library = run(DEBIAN_COMPILER, ['--version']).output,
      other = run('thrift', ['--version']).output;
    if (library === other) return;
    make('cpp');
    expect(run('cmake', ['-S', made, '-B', join(folder, 'other')]).output.replace(/\s+/g, ' ')).to.include(
      'make them again with that release',
    );
  });
});
