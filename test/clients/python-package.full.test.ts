/** The Python package as its users have it: built, installed into a virtual environment, tested against real servers. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { skip } from '../skip.js';
import { ROOT } from './server.js';
import { found, must, run } from './toolchain.js';

const PACKAGE = join(ROOT, 'clients/python');

describe('the Python package', function () {
  this.timeout(600_000);
  let folder: string, python: string;

  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'parley-python-'));
    const system = found(['python3', 'python'], ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
    if (system === undefined) skip(this, 'Python 3.9 or newer is not installed');
    const made = run(system, ['-m', 'venv', join(folder, 'venv')]);
    if (made.status !== 0) skip(this, 'python3 -m venv failed; is python3-venv installed?');
    python = join(folder, 'venv/bin/python');
    if (run(python, ['-m', 'pip', 'install', '--quiet', 'build', 'ruff==0.17.6']).status !== 0)
      skip(this, 'pip cannot install packages');
    cpSync(PACKAGE, join(folder, 'package'), { recursive: true });
    must(python, ['-m', 'build', '--outdir', join(folder, 'dist'), join(folder, 'package')]);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is built as a wheel and from its source distribution, with all that it needs', () => {
    const [sdist, wheel] = ['.tar.gz', '.whl'].map((end) =>
      readdirSync(join(folder, 'dist')).find((name) => name.endsWith(end)),
    );
    expect([sdist, wheel]).to.deep.equal(['parley-0.1.0.tar.gz', 'parley-0.1.0-py3-none-any.whl']);
    // What the wheel is built of is the source distribution, so both have it.
    const names = must(python, ['-m', 'zipfile', '-l', join(folder, 'dist', wheel!)]);
    for (const name of [
      'parley/py.typed',
      'parley/ttypes.py',
      'parley/_gen/Prediction.py',
      'parley/_gen/parley.thrift',
    ])
      expect(names).to.include(name);
    expect(names).not.to.match(/tests|pycache/);
  });

  it('is written as ruff wants it', () => {
    const ruff = join(folder, 'venv/bin/ruff');
    expect(run(ruff, ['check', '--no-cache', PACKAGE])).to.include({ status: 0 });
    expect(run(ruff, ['format', '--no-cache', '--check', PACKAGE])).to.include({ status: 0 });
  });

  it('passes its tests once it is installed', () => {
    const wheel = join(folder, 'dist/parley-0.1.0-py3-none-any.whl');
    must(python, ['-m', 'pip', 'install', '--quiet', `${wheel}[test]`]);
    // The plug-in that the package announces; pytest does not start where it is not there.
    const plugIn = existsSync(join(PACKAGE, 'parley/pytest_plugin.py')) ? [] : ['-p', 'no:parley'];
    const options = ['-q', '-p', 'no:cacheprovider', ...plugIn, '--rootdir', PACKAGE];
    const env = { ...process.env, PARLEY_INSTALLED: folder };
    const { status, output } = run(python, ['-B', '-m', 'pytest', ...options, join(PACKAGE, 'tests')], {
      cwd: folder,
      env,
    });
    expect(status, output).to.equal(0);
  });
});
