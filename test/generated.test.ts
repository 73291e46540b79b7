import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from './skip.js';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(script: string, args: string[] = [], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(script, args, { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

describe('gen/', () => {
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'parley-generated-'));
    for (const part of ['idl', 'gen', 'scripts/generate'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
  });

  afterEach(() => rmSync(copy, { recursive: true }));

  const generate = (...args: string[]) => run(join(copy, 'scripts/generate'), args);

  /** A compiler that says it is of this version. */
  function compilerOfVersion(version: string): string {
    const path = join(copy, 'thrift');
    writeFileSync(path, `#!/bin/sh\necho 'Thrift version ${version}'\n`, { mode: 0o755 });
    return path;
  }

  it('is what idl/parley.thrift makes', () => {
    expect(run(join(root, 'scripts/generate'), ['--check'])).to.include({ status: 0, stderr: '' });
  });

  it('is refused when the IDL has changed since', () => {
    appendFileSync(join(copy, 'idl/parley.thrift'), '\n// another line\n');
    const { status, stderr } = generate('--check');
    expect(status).to.equal(1);
    expect(stderr).to.include('idl/parley.thrift');
    expect(stderr).not.to.include('gen/Prediction.js');
  });

  it('is refused when a generated file was edited by hand', () => {
    appendFileSync(join(copy, 'gen/Prediction.js'), '\n');
    const { status, stderr } = generate('--check');
    expect(status).to.equal(1);
    expect(stderr).to.include('gen/Prediction.js');
  });

  it('is refused when a generated file is missing', () => {
    rmSync(join(copy, 'gen/Feedback.d.ts'));
    const { status, stderr } = generate('--check');
    expect(status).to.equal(1);
    expect(stderr).to.include('gen/Feedback.d.ts');
  });

  it('is refused when a file was added that the compiler did not make', () => {
    writeFileSync(join(copy, 'gen/Extra.js'), '');
    const { status, stderr } = generate('--check');
    expect(status).to.equal(1);
    expect(stderr).to.include('gen/Extra.js');
  });

  it('is not made by another version of the compiler', () => {
    const before = readFileSync(join(copy, 'gen/.idl-digest'), 'utf8');
    const THRIFT = compilerOfVersion('0.17.0');
    const { status, stderr } = run(join(copy, 'scripts/generate'), [], { ...process.env, THRIFT });
    expect(status).to.equal(1);
    expect(stderr).to.include('0.24.0').and.to.include('0.17.0').and.to.include('THRIFT=');
    expect(readFileSync(join(copy, 'gen/.idl-digest'), 'utf8')).to.equal(before);
  });

  it('is CommonJS to Node, since that is what the compiler writes', () => {
    expect(JSON.parse(readFileSync(join(root, 'gen/package.json'), 'utf8'))).to.deep.equal({ type: 'commonjs' });
  });

  it('comes out byte for byte the same when it is made again', function () {
    const compiler = process.env.THRIFT ?? 'thrift';
    const version = run(compiler, ['--version']);
    if (version.stdout?.trim() !== 'Thrift version 0.24.0') skip(this, 'no Thrift 0.24.0 compiler on PATH');
    expect(generate()).to.include({ status: 0 });
    const names = readdirSync(join(root, 'gen')).sort();
    expect(readdirSync(join(copy, 'gen')).sort()).to.deep.equal(names);
    for (const name of names) {
      const fresh = readFileSync(join(copy, 'gen', name), 'utf8');
      expect(fresh, name).to.equal(readFileSync(join(root, 'gen', name), 'utf8'));
    }
  });
});
