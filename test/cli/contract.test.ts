import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PENGUINS } from '../evolution/changes.js';
import { temporaryFolder } from '../unit/sources/reading.js';
import { type Ran, runHere } from './command.js';

describe('parley contract', () => {
  let place: ReturnType<typeof temporaryFolder>;
  let old: string;
  before(() => {
    place = temporaryFolder();
    old = file('old.thrift', PENGUINS);
  });
  after(() => place.remove());

  function file(name: string, text: string): string {
    const path = join(place.path, name);
    writeFileSync(path, text);
    return path;
  }
  const changed = (from: string, to: string) => file('new.thrift', PENGUINS.replaceAll(from, to));
  async function contract(...words: string[]): Promise<Ran> {
    try {
      return await runHere(['contract', ...words]);
    } finally {
      // Where the command left its exit code.
      process.exitCode = undefined;
    }
  }

  describe('what it is given', () => {
    const project = 'examples/penguins';
    it("is a project's folder too", async () => {
      const file = `${project}/penguins.thrift`;
      expect((await contract('check', project)).code).to.equal(0);
      expect((await contract('fingerprint', project)).stdout).to.equal((await contract('fingerprint', file)).stdout);
      expect((await contract('diff', project, file)).stderr).to.equal('no differences\n');
    });

    it('is told with what was expected where it is a folder without a project, or nothing', async () => {
      expect((await contract('check', place.path)).stderr).to.include('parley.yaml');
      const { code, stderr } = await contract('check', join(place.path, 'none'));
      expect({ code, told: stderr.includes('give the folder of parley.yaml, or a Thrift file') }).to.deep.equal({
        code: 2,
        told: true,
      });
    });

    it('is not a page that cannot be written', async () => {
      const { code, stderr } = await contract('show', old, '--html', join(place.path, 'none', 'page.html'));
      expect(code).to.equal(2);
      expect(stderr).to.match(/^error INVALID_INPUT: .*page\.html cannot be written/);
    });
  });

  it('is not mocked with a default service that it has not', async () => {
    const { code, stderr } = await runHere(['mock', old, '--default-service', 'Pengins']);
    expect(code).to.equal(1);
    expect(stderr).to.include('has no service "Pengins" (did you mean "Penguins"?); there are Penguins');
  });

  describe('diff', () => {
    it('prints whom each difference breaks and why, and ends with 1', async () => {
      const { code, stdout, stderr } = await contract('diff', old, changed('max = "80"', 'max = "70"'));
      expect(code).to.equal(1);
      expect(stdout).to.match(/^callers +Penguin\.bill_length_mm +range-narrowed +was 20 to 80, is 20 to 70$/m);
      expect(stdout).to.match(/^range-narrowed: callers are refused/m);
      expect(stderr).to.include('1 difference: 1 breaks callers');
    });

    it('counts only what --breaks names', async () => {
      const narrowed = changed('max = "80"', 'max = "70"');
      expect((await contract('diff', old, narrowed, '--breaks', 'models,source')).code).to.equal(0);
      expect((await contract('diff', old, narrowed, '--breaks', 'everything')).code).to.equal(2);
    });

    it('ends with 0 where nothing breaks', async () => {
      const { code, stderr } = await contract('diff', old, old);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: 'no differences\n' });
    });

    it('prints JSON with everything', async () => {
      const { code, stdout } = await contract('diff', old, changed('GENTOO = 3', 'GENTOO = 4'), '--json');
      expect(code).to.equal(1);
      const told = JSON.parse(stdout);
      expect(told).to.include({ contracts: true, compatible: false });
      expect(told.changes[0]).to.deep.include({
        path: 'Species.GENTOO',
        kind: 'enum-value-renumbered',
        breaks: ['callers'],
      });
    });

    it('takes any Thrift file, and says so', async () => {
      const before = file('a.thrift', 'struct S { 1: i32 a }\n');
      const { code, stdout, stderr } = await contract('diff', before, file('b.thrift', 'struct S { 1: i64 a }\n'));
      expect(code).to.equal(1);
      expect(stdout).to.match(/^callers, source +S\.a +type-changed +was i32, is i64$/m);
      expect(stderr).to.include('compared as Thrift');
    });

    it('ends with 2 where a file cannot be read', async () => {
      expect((await contract('diff', old, join(place.path, 'nowhere.thrift'))).code).to.equal(2);
      const { code, stderr } = await contract('diff', old, file('broken.thrift', 'struct {'));
      expect(code).to.equal(2);
      expect(stderr).to.match(/broken\.thrift:1:8: expected/);
    });
  });

  describe('check', () => {
    it('ends with 0 for a contract that says all', async () => {
      expect(await contract('check', old, '--strict')).to.deep.include({ code: 0, stdout: '' });
    });

    it('warns by line and column, and fails with --strict, unless the rule is allowed', async () => {
      const vague = changed('bill_length_mm', 'bill_length');
      const { code, stdout } = await contract('check', vague);
      expect({ code, stdout }).to.deep.equal({
        code: 0,
        stdout: 'new.thrift:17:22: bill_length does not say what it is measured in (no-unit)\n',
      });
      expect((await contract('check', vague, '--strict')).code).to.equal(1);
      expect((await contract('check', vague, '--strict', '--allow', 'no-unit')).code).to.equal(0);
      expect((await contract('check', vague, '--allow', 'no-units')).stderr).to.include('did you mean "no-unit"');
    });

    it('tells all that is wrong at once, and ends with 2', async () => {
      const wrong = file(
        'wrong.thrift',
        PENGUINS.replace('max = "80"', 'max = "eighty"').replace('>= 0.95', '>= 1.95'),
      );
      const { code, stdout } = await contract('check', wrong, '--json');
      expect(code).to.equal(2);
      const { problems } = JSON.parse(stdout) as { problems: { path: string }[] };
      expect(problems.map(({ path }) => path.split(':')[1])).to.deep.equal(['17', '39']);
    });

    it('warns of an id that had another name in the older file', async () => {
      const renamed = changed('4: optional double body_mass_g', '4: optional double wing_length_mm');
      expect((await contract('check', renamed, '--against', old)).stdout).to.match(/was body_mass_g.*\(id-reused\)/);
    });
  });

  describe('fingerprint', () => {
    it('is of the meaning', async () => {
      const { stdout } = await contract('fingerprint', old);
      expect(stdout).to.match(/^[0-9a-f]{64}\n$/);
      expect((await contract('fingerprint', changed('\n\n', '\n# nothing\n'))).stdout).to.equal(stdout);
      expect((await contract('fingerprint', changed('max = "80"', 'max = "81"'))).stdout).to.not.equal(stdout);
    });

    it('is of a contract', async () => {
      const { code, stderr } = await contract('fingerprint', file('a.thrift', 'struct S { 1: i32 a }\n'));
      expect({ code }).to.deep.equal({ code: 2 });
      expect(stderr).to.include('is no contract');
    });
  });

  describe('show', () => {
    it('prints fields with units, ranges and what may be missing, bounds, and a request in each language', async () => {
      const { stdout } = await contract('show', old);
      expect(stdout).to.match(/^ 1 +bill_length_mm +double +mm +20 to 80 +refused$/m);
      expect(stdout).to.match(/^recall +all rows +>= 0\.95$/m);
      for (const language of ['Command line', 'Python', 'Node', 'Go', 'Java', 'C++', 'Rust']) {
        expect(stdout).to.include(`\n${language}:\n`);
      }
    });

    it('writes a page that loads nothing and takes the contract for text', async () => {
      const html = join(place.path, 'page.html');
      await contract('show', changed('label = "Adelie"', 'label = "<b>Adelie</b>"'), '--html', html);
      const page = readFileSync(html, 'utf8');
      expect(page).to.include('&lt;b&gt;Adelie&lt;/b&gt;').and.to.include('bill_length_mm');
      expect(page).to.not.match(/<script|<link|<img|https?:\/\//);
    });
  });
});
