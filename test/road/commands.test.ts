/** What every command has in common: help, exit codes, and what goes to which stream. */
import { expect } from 'chai';
import { parseJson } from './json.js';
import { Place, placeForEach, type Ran } from './parley.js';
import { useTrained } from './trained.js';

const COMMANDS = [
  'train',
  'contract publish',
  'publish',
  'accept',
  'promote',
  'rollback',
  'history',
  'versions',
  'serve',
  'predict',
] as const;

describe('the command line', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach();

  it('shows an example of every command in its help', async () => {
    const helps = await Promise.all(COMMANDS.map((name) => place().run(...name.split(' '), '--help')));
    helps.forEach(({ code, stdout, stderr }, index) => {
      expect(code, COMMANDS[index]).to.equal(0);
      expect(stdout, COMMANDS[index]).to.match(new RegExp(`Examples:\\n  parley ${COMMANDS[index]}\\b`));
      expect(stderr, COMMANDS[index]).to.equal('');
    });
  });

  it('lists every command and the exit codes in its help', async () => {
    const { code, stdout } = await place().run('--help');
    expect(code).to.equal(0);
    for (const name of COMMANDS) expect(stdout).to.match(new RegExp(`^  ${name.split(' ')[0]}\\b`, 'm'));
    expect(stdout).to.include('Exit codes: 0 done, 1 failed, 2 wrong usage');
  });

  const wrong: [what: string, args: string[], says: RegExp][] = [
    ['an unknown command', ['trian', 'x'], /unknown command 'trian'[\s\S]*train/],
    ['an unknown subcommand', ['contract', 'publsh', 'x'], /unknown command 'publsh'/],
    ['an unknown option', ['train', 'x', '--promot'], /unknown option '--promot'[\s\S]*--promote/],
    ['a missing argument', ['promote', 'penguins'], /missing required argument 'version'/],
    ['too many arguments', ['versions', 'a', 'b'], /too many arguments/],
    ['a port that is none', ['serve', '--port', 'http'], /port from 0 to 65535/],
    ['a time that is none', ['history', 'penguins', '--at', 'yesterday'], /Write a time such as/],
    ['a limit that is none', ['history', 'penguins', '--limit', '0'], /whole number from 1 on/],
    ['a --set without a value', ['train', 'x', '--set', 'trainer'], /Write KEY=VALUE/],
  ];
  let ends: Promise<Ran>[];
  let elsewhere: Place;
  // All at once: what takes time is a process's start.
  before(() => {
    elsewhere = new Place();
    ends = wrong.map(([, args]) => elsewhere.run(...args));
  });
  after(() => elsewhere.leave());
  wrong.forEach(([what, , says], index) => {
    it(`ends with 2 for ${what}, says why on stderr and nothing on stdout`, async () => {
      const { code, stdout, stderr } = await ends[index]!;
      expect(stderr).to.match(says);
      expect(stdout).to.equal('');
      expect(code).to.equal(2);
    });
  });

  it('ends with 2 when it is called without a command, and shows its help on stderr', async () => {
    const { code, stdout, stderr } = await place().run();
    expect(stderr).to.include('Usage: parley');
    expect(stdout).to.equal('');
    expect(code).to.equal(2);
  });

  it('prints one JSON document on stdout for --json, and nothing else', async () => {
    const { dataFolder } = place();
    const { folder, good } = trained();
    const here = ['--json', '--data-dir', folder];
    for (const args of [
      ['versions'],
      ['versions', 'penguins', '--limit', '1'],
      ['history', 'penguins'],
      ['history', 'penguins', '--at', '2001-01-01T00:00:00Z'],
    ]) {
      const { code, stdout } = await place().run(...args, ...here);
      expect(code, args.join(' ')).to.equal(0);
      expect(parseJson(stdout), args.join(' ')).to.be.an('array');
    }
    const trainedAgain = await place().run('train', place().project(), '--json', '--data-dir', dataFolder);
    expect(parseJson(trainedAgain.stdout)).to.have.nested.property('version.version', good);
    expect(trainedAgain.stderr).to.match(/^read: 269 rows/);
  });

  it('prints nothing on stdout when it fails, with --json too', async () => {
    const { code, stdout, stderr } = await place().run('history', 'walruses', '--json');
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^error NOT_FOUND: there is no model "walruses"/);
    expect(code).to.equal(1);
  });
});
