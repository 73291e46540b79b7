/** One project's suite on a file, an archive, a stored version and a running server: the same criteria, the same rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SuiteReport } from '#parley/testing/report.js';
import { Place, type Server } from '../road/parley.js';
import type { ProjectFolder } from '../unit/training/projects.js';
import { acceptedProject, LOW_ROSES, MISSED, TITLES } from './flowers.js';
import { parseXml } from './xml.js';

describe('parley accept --project', function () {
  this.timeout(120_000);
  let folder: ProjectFolder;
  let place: Place;
  let version: string;
  before(async () => {
    folder = await acceptedProject();
    place = new Place();
    version = (await place.json<{ version: { version: string } }>('train', folder.path, '--promote')).version.version;
    await place.output('export', 'flowers', '--out', join(place.root, 'flowers.parley'));
    // From here on the project's own fixtures are others than those in force.
    folder.write('fixtures.csv', LOW_ROSES);
  });
  after(async () => {
    await place.leave();
    folder.remove();
  });

  async function tested(...args: readonly string[]): Promise<SuiteReport & { readonly code: number | null }> {
    const { code, stdout, stderr } = await place.run('accept', '--project', folder.path, ...args, '--json');
    if (stdout === '') throw new Error(stderr);
    return { ...(JSON.parse(stdout) as SuiteReport), code };
  }

  function expectMissed(report: SuiteReport & { readonly code: number | null }): void {
    expect(report.code).to.equal(1);
    expect(report.criteria.map(({ title }) => title)).to.deep.equal(TITLES);
    expect(report.criteria.filter(({ passed }) => !passed).map(({ title }) => title)).to.deep.equal(MISSED);
    const { wrong } = report.criteria[1];
    expect(wrong).to.include({ count: 4, of: 4 });
    expect(wrong?.rows.map(({ row }) => row)).to.have.members([21, 22, 23, 24]);
    expect(wrong?.rows[0]).to.deep.include({ truth: 'rose', answer: 'tulip' });
  }

  it('tests a plain graph, and writes the reports', async () => {
    const [junit, markdown] = [join(place.root, 'report.xml'), join(place.root, 'report.md')];
    const file = join(folder.path, 'flowers.onnx');
    const report = await tested('--file', file, '--junit', junit, '--markdown', markdown);
    expectMissed(report);
    expect(report.subject).to.equal('flowers.onnx');
    expect(parseXml(readFileSync(junit, 'utf8')).attributes).to.deep.equal({ tests: '5', failures: '3', errors: '0' });
    expect(readFileSync(markdown, 'utf8')).to.include('## flowers is not accepted');
  });

  it('tests a version in the store, and one in an archive', async () => {
    for (const subject of [
      ['--model-version', version.slice(0, 8)],
      ['--file', join(place.root, 'flowers.parley')],
    ]) {
      const report = await tested(...subject);
      expectMissed(report);
      expect(report.versions).to.deep.equal([version]);
    }
  });

  it('records nothing', async () => {
    const lines = () => place.look((registry) => registry.history({ model: 'flowers' }));
    const before = (await lines()).length;
    await tested('--model-version', version);
    expect(await lines()).to.have.length(before);
  });

  it('says what the criteria are, without a model', async () => {
    const listed = await place.output('accept', '--project', folder.path, '--list');
    expect(listed.trim().split('\n')).to.deep.equal(TITLES);
  });

  it('ends with 2 where nothing could be tested, and says why', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['--file', 'nowhere.onnx'], 'there is no file nowhere.onnx'],
      [['--file', join(folder.path, 'flowers.csv')], 'MODEL_BROKEN'],
      [['--file', join(place.root, 'flowers.parley'), '--model-version', '00000000'], 'has no version 00000000'],
      [['--served', '--server', '127.0.0.1:9'], 'no Parley server'],
      [['--served', '--file', 'x.onnx'], '--served tests what the server answers'],
      [[], '--file, --model-version or --served'],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await place.run('accept', '--project', folder.path, ...args);
      expect(stderr).to.include(message);
      expect(code, message).to.equal(2);
    }
  });

  describe('of a running server', () => {
    let server: Server;
    before(async () => {
      server = await place.serve();
    });
    after(() => server.kill('SIGTERM'));

    it('asks its typed service, and knows who answered and how large it is', async () => {
      const report = await tested('--served', '--server', server.address);
      expectMissed(report);
      expect(report.subject).to.equal(server.address);
      expect(report.versions).to.deep.equal([version]);
    });

    it('is told when the server keeps another contract', async () => {
      const idl = readFileSync(join(folder.path, 'flowers.thrift'), 'utf8');
      folder.write('flowers.thrift', idl.replace('max = "300"', 'max = "301"'));
      const { code, stderr } = await place.run(
        'accept',
        '--project',
        folder.path,
        '--served',
        '--server',
        server.address,
      );
      folder.write('flowers.thrift', idl);
      expect(stderr).to.include('the server keeps the contract');
      expect(code).to.equal(2);
    });
  });
});
