import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from './skip.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const MADE = 'clients/python/parley/_gen';

function run(script: string, args: string[] = []) {
  const { status, stdout, stderr } = spawnSync(script, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Of the folder; what Python makes beside them is not the compiler's. */
const filesOf = (folder: string): string[] => readdirSync(folder).filter((name) => name !== '__pycache__');

describe("the Python client's stubs", () => {
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'parley-generated-'));
    for (const part of ['idl', MADE, 'scripts/generate-python'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
  });

  afterEach(() => rmSync(copy, { recursive: true }));

  const generate = (...args: string[]) => run(join(copy, 'scripts/generate-python'), args);

  it('are what idl/parley.thrift makes', () => {
    expect(run(join(root, 'scripts/generate-python'), ['--check'])).to.include({ status: 0, stderr: '' });
  });

  for (const [change, path, text] of [
    ['the IDL has changed since', 'idl/parley.thrift', '\n// another line\n'],
    ['one was edited by hand', `${MADE}/ttypes.py`, '\n'],
    ['their copy of the IDL is another one', `${MADE}/parley.thrift`, '\n'],
  ] as const)
    it(`are refused when ${change}`, () => {
      appendFileSync(join(copy, path), text);
      const { status, stderr } = generate('--check');
      expect(status).to.equal(1);
      expect(stderr).to.include(path).and.to.include('run scripts/generate-python');
      expect(stderr).not.to.include('Operations.py');
    });

  it('are refused when a file was added that the compiler did not make, or one is missing', () => {
    writeFileSync(join(copy, MADE, 'Extra.py'), '');
    rmSync(join(copy, MADE, 'Feedback.py'));
    const { status, stderr } = generate('--check');
    expect(status).to.equal(1);
    expect(stderr).to.include(`${MADE}/Extra.py`).and.to.include(`${MADE}/Feedback.py`);
  });

  it('come out byte for byte the same when they are made again', function () {
    const version = run(process.env.THRIFT ?? 'thrift', ['--version']);
    if (version.stdout?.trim() !== 'Thrift version 0.24.0') skip(this, 'no Thrift 0.24.0 compiler on PATH');
    expect(generate()).to.include({ status: 0 });
    const names = filesOf(join(root, MADE)).sort();
    expect(filesOf(join(copy, MADE)).sort()).to.deep.equal(names);
    for (const name of names) {
      const fresh = readFileSync(join(copy, MADE, name), 'utf8');
      expect(fresh, name).to.equal(readFileSync(join(root, MADE, name), 'utf8'));
    }
  });
});
