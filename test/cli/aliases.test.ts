import { expect } from 'chai';
import { EXIT_USAGE } from '#parley/cli/program.js';
import type { LedgerEntry } from '#parley/model/version.js';
import { Registry } from '#parley/registry/registry.js';
import { sharedRedis } from '../store/redis-server.js';
import { MODEL, World } from '../store/world.js';
import { type Ran, runHere } from './command.js';

describe('the commands on aliases and versions', () => {
  const redis = sharedRedis();
  let world: World;
  let a: string;
  let b: string;
  beforeEach(async () => {
    world = new World(redis);
    a = await world.publish('a');
    b = await world.publish('b');
    await world.promote(a);
  });
  afterEach(() => world.close());

  const parley = (...argv: string[]): Promise<Ran> =>
    runHere(argv, new AbortController().signal, new Registry(world.store, 'grace'));
  const short = (version: string) => version.slice(0, 12);

  async function printed(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await parley(...argv);
    expect(code, stderr).to.equal(0);
    return stdout;
  }

  it('begin, weigh and end a canary', async () => {
    expect(await printed('promote', MODEL, b.slice(0, 8), '--canary', '0.1', '--reason', 'a try')).to.equal(
      `${MODEL}: production, canary ${short(b)} with 10 % of the calls, ledger line 4\n`,
    );
    expect(await printed('promote', MODEL, b, '--canary', '0')).to.equal(
      `${MODEL}: production, canary ${short(b)} ended, ledger line 5\n`,
    );
    await printed('promote', MODEL, b, '--canary', '0.1');
    expect(await printed('promote', MODEL, b, '--canary', '1')).to.equal(
      `${MODEL}: production → ${short(b)} (was ${short(a)}), ledger line 7\n`,
    );
  });

  for (const share of ['1.5', '-0.1', 'much', '', '10%']) {
    it(`take no canary of "${share}"`, async () => {
      const { code, stderr } = await parley('promote', MODEL, b, `--canary=${share}`);
      expect(code).to.equal(EXIT_USAGE);
      expect(stderr).to.include('from 0 to 1');
      expect(await world.epoch()).to.equal(3);
    });
  }

  it('hold an alias and release it', async () => {
    expect(await printed('hold', MODEL, '--reason', 'incident')).to.equal(
      `${MODEL}: production at ${short(a)} held, ledger line 4\n`,
    );
    const { code, stderr } = await parley('promote', MODEL, b);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^error CONFLICT: alias "production" .* held by grace since .*"incident".*parley release/);
    expect(await printed('release', MODEL)).to.equal(`${MODEL}: production at ${short(a)} released, ledger line 5\n`);
    await printed('promote', MODEL, b);
  });

  it('hold nothing without a reason', async () => {
    const { code, stderr } = await parley('hold', MODEL);
    expect(code).to.equal(EXIT_USAGE);
    expect(stderr).to.include('--reason');
  });

  it('list where the aliases lead', async () => {
    await printed('promote', MODEL, b, '--canary', '0.25');
    await printed('promote', MODEL, b, '--alias', 'candidate');
    await printed('hold', MODEL, '--alias', 'candidate', '--reason', 'compared');
    const rows = (await printed('aliases', MODEL)).trimEnd().split('\n');
    expect(rows[0]).to.match(/^alias +version +canary +held +last change$/);
    expect(rows[1]).to.match(new RegExp(`^candidate +${short(b)} +held +hold \\d{4}-.*Z by grace: compared$`));
    expect(rows[2]).to.match(
      new RegExp(`^production +${short(a)} +${short(b)} 25 % +canary \\d{4}-.*Z by grace: uncontracted$`),
    );
    expect(rows).to.have.length(3);
    const states = JSON.parse(await printed('aliases', MODEL, '--json'));
    expect(states[1]).to.deep.include({ version: a, canary: { version: b, weight: 0.25 }, held: false });
  });

  it('mark held aliases, canaries and retired versions in the list of versions', async () => {
    const c = await world.publish('c');
    await printed('promote', MODEL, b, '--canary', '0.25');
    await printed('hold', MODEL, '--reason', 'compared');
    expect(await printed('retire', MODEL, c, '--reason', 'worse')).to.equal(
      `${MODEL}: ${short(c)} retired, ledger line 7\n`,
    );
    const text = await printed('versions', MODEL);
    expect(text).to.match(new RegExp(`^${MODEL} +${short(c)} .* retired`, 'm'));
    expect(text).to.match(new RegExp(`^${MODEL} +${short(b)} .* production \\(canary\\)`, 'm'));
    expect(text).to.match(new RegExp(`^${MODEL} +${short(a)} .* production \\(held\\)`, 'm'));
  });

  it('say why a version in use is not retired', async () => {
    const { code, stderr } = await parley('retire', MODEL, a);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^error CONFLICT: .*alias "production" leads to it/);
  });

  it('prune old versions, after saying which they would be', async () => {
    const planned = await printed('prune', MODEL, '--keep', '0', '--dry-run');
    expect(planned).to.match(new RegExp(`^${short(b)} .*\n1 version would be removed, 1 bytes\n$`, 'm'));
    expect(await world.store.versions(MODEL)).to.have.length(2);
    expect(await printed('prune', MODEL, '--keep', '0', '--reason', 'space')).to.equal(
      planned.replace('would be removed', 'removed'),
    );
    expect((await world.store.versions(MODEL)).map(({ version }) => version)).to.deep.equal([a]);
    const { stdout, stderr } = await parley('prune', MODEL, '--keep', '0');
    expect(stdout).to.equal('');
    expect(stderr).to.include('nothing is to be removed');
  });

  for (const keep of ['-1', 'some', '1.5']) {
    it(`do not prune with --keep=${keep}`, async () => {
      expect((await parley('prune', MODEL, `--keep=${keep}`)).code).to.equal(EXIT_USAGE);
    });
  }

  it('do not prune without being told how many to keep', async () => {
    expect((await parley('prune', MODEL)).code).to.equal(EXIT_USAGE);
  });

  it('show canaries, holds and removals in the history, and both versions of a time at which a canary ran', async () => {
    await printed('promote', MODEL, b, '--canary', '0.125');
    const at = new Date(Math.ceil(JSON.parse(await printed('hold', MODEL, '--reason', 'w', '--json')).at / 1000));
    const text = await printed('history', MODEL);
    expect(text).to.match(new RegExp(`canary +production, canary ${short(b)} with 12\\.5 % of the calls +grace`));
    expect(text).to.match(new RegExp(`hold +production at ${short(a)} +grace +w`));
    const inForce: LedgerEntry[] = JSON.parse(await printed('history', MODEL, '--at', at.toISOString(), '--json'));
    expect(inForce.map(({ action, version }) => [action, version])).to.deep.equal([
      ['canary', b],
      ['promote', a],
    ]);
  });
});
