/** The pytest plug-in, installed with its package into an environment of its own. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../clients/server.js';
import { found, must, run } from '../clients/toolchain.js';
import { MAIN } from '../road/parley.js';
import { skip } from '../skip.js';
import { temporaryFolder } from '../store/redis-server.js';
import type { ProjectFolder } from '../unit/training/projects.js';
import { acceptedProject, FITTING, LOW_ROSES, MISSED, TITLES } from './flowers.js';
import { parseXml } from './xml.js';

const PYTHON = ['3.9', '3.10', '3.11', '3.12', '3.13'].map((version) => `python${version}`);

describe('the pytest plug-in', function () {
  this.timeout(300_000);
  let place: string;
  let folder: ProjectFolder;
  before(async function () {
    const python = found(['python3', ...PYTHON], ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 9))']);
    if (python === undefined) skip(this, 'Python 3.9 or newer with venv is not installed');
    place = temporaryFolder();
    must(python, ['-m', 'venv', join(place, 'venv')]);
    const installed = run(join(place, 'venv/bin/python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      'pytest',
      join(ROOT, 'clients/python'),
    ]);
    if (installed.status !== 0) skip(this, `pip cannot install pytest: ${installed.output.trim().split('\n').at(-1)}`);
    folder = await acceptedProject();
  });
  after(() => {
    folder?.remove();
    if (place !== undefined) rmSync(place, { recursive: true, force: true });
  });

  const model = () => join(folder.path, 'flowers.onnx');

  /** What pytest says, and its JUnit report as `name of the test -> text of its failure, or undefined`. */
  function pytest(args: readonly string[], parley: string | undefined = `${process.execPath} ${MAIN}`) {
    const report = join(place, 'report.xml');
    rmSync(report, { force: true });
    const { PARLEY: _, ...inherited } = process.env;
    const ran = run(
      join(place, 'venv/bin/python'),
      ['-m', 'pytest', '-p', 'no:cacheprovider', '--junitxml', report, ...args],
      { cwd: folder.path, env: { ...inherited, ...(parley === undefined ? {} : { PARLEY: parley }) } },
    );
    const tests = new Map<string, string | undefined>();
    if (ran.status === 0 || ran.status === 1)
      for (const testcase of parseXml(readFileSync(report, 'utf8').replace(/^<\?xml[^>]*\?>/, '')).children[0].children)
        tests.set(testcase.attributes.name, testcase.children.find(({ name }) => name === 'failure')?.text);
    return { ...ran, tests };
  }

  it('is one test a criterion, and all pass where the model fits', () => {
    folder.write('fixtures.csv', FITTING);
    folder.write(
      'test_flowers.py',
      `from parley.pytest_plugin import parley_acceptance\n\ntest_flowers = parley_acceptance(".", file="flowers.onnx")\n`,
    );
    const { status, tests, output } = pytest(['test_flowers.py']);
    expect(status, output).to.equal(0);
    expect([...tests.keys()]).to.deep.equal(TITLES.map((title) => `test_flowers[${title}]`));
  });

  it('fails with the rows that count against a criterion', () => {
    folder.write('fixtures.csv', LOW_ROSES);
    const { status, tests } = pytest(['test_flowers.py']);
    expect(status).to.equal(1);
    const failed = [...tests].filter(([, failure]) => failure !== undefined);
    expect(failed.map(([name]) => name)).to.deep.equal(MISSED.map((title) => `test_flowers[${title}]`));
    expect(failed[1][1]).to.match(/row 24: rose, answered tulip \(0\.\d+\); height 55, color yellow/);
    expect(failed[1][1]).not.to.include('Traceback');
  });

  it('needs no test file with --parley-project', () => {
    folder.write('fixtures.csv', LOW_ROSES);
    folder.write('empty/readme.txt', '');
    const { status, tests } = pytest(['--parley-project', folder.path, '--parley-file', model(), 'empty']);
    expect(status).to.equal(1);
    const listed = pytest(['--parley-project', folder.path, '--collect-only', '-q', 'empty']).output;
    for (const title of TITLES) expect(listed).to.include(`: ${title}\n`);
    expect(tests).to.have.length(TITLES.length);
    expect([...tests.values()].filter((failure) => failure !== undefined)).to.have.length(MISSED.length);
  });

  it('fails each test once where the suite cannot be run', () => {
    const { status, tests } = pytest(['--parley-project', folder.path, '--parley-file', 'nowhere.onnx', 'empty']);
    expect(status).to.equal(1);
    expect(new Set([...tests.values()].map((text) => text?.trim()))).to.have.length(1);
    expect([...tests.values()][0]).to.include('there is no file nowhere.onnx');
  });

  it('says so where a project cannot be read, and where there is no parley', () => {
    const wrong = pytest(['--parley-project', 'nowhere', '--parley-file', model(), 'empty']);
    expect(wrong.status).to.equal(4);
    expect(wrong.output).to.include('--parley-project nowhere: error NOT_FOUND: no file');
    const none = pytest(['--parley-project', folder.path, 'empty'], '/nowhere/parley');
    expect(none.status).to.equal(4);
    expect(none.output).to.include('/nowhere/parley').and.to.include('cannot be run');
  });
});
