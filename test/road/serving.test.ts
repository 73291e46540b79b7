/** A server follows the store: what is published, promoted and rolled back elsewhere, without a restart. */
import { expect } from 'chai';
import type { LedgerEntry, Verdict } from '#parley/model/version.js';
import { Caller, Loop } from './client.js';
import { placeForEach, until } from './parley.js';
import { expectRefusal } from './refusals.js';
import { predictGenerically } from './tensors.js';
import { PENGUIN, shuffled, useTrained } from './trained.js';

/** Published under another name, so that it stands beside the first. */
const renamed = {
  'penguins.thrift': (text: string) => text.replace(/\bPenguins\b/g, 'Birds').replace('"penguins"', '"birds"'),
};

describe('parley serve', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('prints one line of JSON once it can answer, and is silent on stdout from then on', async () => {
    const server = await place().serve();
    const caller = await Caller.open(server);
    expect((await caller.identify()).species).to.equal('Chinstrap');
    caller.close();
    const { code, stdout } = await server.kill('SIGTERM');
    expect(stdout.trimEnd().split('\n')).to.have.length(1);
    expect(JSON.parse(stdout)).to.deep.equal({
      event: 'listening',
      pid: server.child.pid,
      thrift: { host: '127.0.0.1', port: server.port },
    });
    expect(code).to.equal(0);
  });

  it('answers `predict` as it answers a client', async () => {
    const server = await place().serve();
    const row = JSON.stringify(PENGUIN);
    const at = ['--server', server.address];
    const [one, many, text] = await Promise.all([
      place().json<{ species: string; provenance: { version: string } }>('predict', 'penguins', row, ...at),
      place().json<{ species: string }[]>('predict', 'penguins', `[${row},${row}]`, ...at),
      place().output('predict', 'penguins', row, ...at),
    ]);
    expect(one).to.deep.include({ species: 'Chinstrap' });
    expect(one.provenance).to.deep.include({ model: 'penguins', version: trained().good, alias_name: 'production' });
    expect(many.map(({ species }) => species)).to.deep.equal(['Chinstrap', 'Chinstrap']);
    expect(text).to.match(/^species +Chinstrap$/m);
  });

  it('sees a promotion in another process without a restart', async () => {
    const server = await place().serve();
    const caller = await Caller.open(server);
    expect((await caller.identify()).provenance.version).to.equal(trained().good);
    await place().output('promote', 'penguins', trained().other);
    await until('the other version', async () => (await caller.identify()).provenance.version === trained().other);
    await place().output('rollback', 'penguins');
    await until('the first version', async () => (await caller.identify()).provenance.version === trained().good);
    caller.close();
  });

  it('answers a contract that was published while it ran, and says how to promote when nothing is', async () => {
    const server = await place().serve();
    const project = place().project(renamed);
    await place().output('contract', 'publish', project);
    const ask = () => place().run('predict', 'birds', JSON.stringify(PENGUIN), '--server', server.address);
    expectRefusal(
      await ask(),
      'NOT_FOUND',
      'model "birds" has no version in production',
      'parley accept birds VERSION',
      'parley promote birds VERSION',
    );
    await place().output('train', project, '--promote');
    const { code, stdout } = await ask();
    expect(stdout).to.match(/^species +Chinstrap$/m);
    expect(code).to.equal(0);
  });

  it('answers for a version by the first characters of its digest', async () => {
    const server = await place().serve();
    const { good, other, bad } = trained();
    for (const version of [good, other, bad]) {
      const answer = await predictGenerically(server, { reference: version.slice(0, 10) });
      expect(answer.provenance?.version).to.equal(version);
      expect(answer.provenance?.alias_name ?? undefined).to.equal(undefined);
    }
    expect((await predictGenerically(server, {})).provenance).to.deep.include({
      version: good,
      alias_name: 'production',
    });
    const unknown = await predictGenerically(server, { reference: '0123456789' }).catch((error: unknown) => error);
    expect(unknown).to.deep.include({ code: 'NOT_FOUND' });
  });
});

describe('a worse model', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('cannot be promoted on any way, while callers see the old one only and no error', async () => {
    const server = await place().serve();
    const loop = new Loop(await Caller.open(server));
    const { bad, good } = trained();
    const project = place().project({ 'parley.yaml': shuffled });

    const straight = await place().run('promote', 'penguins', bad);
    expectRefusal(straight, 'NOT_ACCEPTED', bad.slice(0, 12), '"production" is guarded', 'parley accept penguins');

    const training = await place().run('train', project, '--promote', '--json');
    expect(training.code, training.stderr).to.equal(1);
    const outcome = JSON.parse(training.stdout) as { verdict: Verdict; promotion?: LedgerEntry };
    expect(outcome.verdict.accepted).to.equal(false);
    expect(outcome.verdict.criteria.filter(({ passed }) => !passed).map(({ name }) => name)).to.include.members([
      'precision',
      'recall',
      'baseline',
    ]);
    expect(outcome).not.to.have.property('promotion');

    const accepting = await place().run('accept', 'penguins', bad);
    expect(accepting.stdout).to.match(/^precision .*FAILED$/m);
    expect(accepting.code).to.equal(1);

    const judged = await place().run('promote', 'penguins', bad);
    expectRefusal(
      judged,
      'NOT_ACCEPTED',
      "has not passed its contract's acceptance suite",
      /precision >= 0\.95, measured/,
    );
    const remote = await place().run('promote', 'penguins', bad, '--server', server.address);
    expectRefusal(remote, 'NOT_ACCEPTED', "has not passed its contract's acceptance suite");
    const rolled = await place().run('rollback', 'penguins', '--to', bad);
    expectRefusal(rolled, 'NOT_FOUND', 'has not pointed at', 'parley promote');

    await loop.stop();
    expect(loop.errors).to.deep.equal([]);
    expect(new Set(loop.answers.map(({ version }) => version))).to.deep.equal(new Set([good]));
    expect(await place().production()).to.equal(good);
  });

  it('says with --promote that it stays unpromoted, in words and with exit code 1', async () => {
    const { code, stdout, stderr } = await place().run(
      'train',
      place().project({ 'parley.yaml': shuffled }),
      '--promote',
    );
    expect(stdout).to.match(/^not accepted: \d of 9 criteria passed on 73 fixtures/m);
    expect(stderr).to.include('it was not promoted; what is in production stays there');
    expect(code).to.equal(1);
  });

  it('can be a candidate, which nobody guards', async () => {
    const { bad } = trained();
    expect(await place().output('promote', 'penguins', bad, '--alias', 'candidate')).to.include(
      `candidate → ${bad.slice(0, 12)}`,
    );
  });
});

describe('commands through --server', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('show and change what they show and change on the store', async () => {
    const server = await place().serve();
    const { other } = trained();
    const [here, there] = await Promise.all([
      place().json('versions', 'penguins'),
      place().json('versions', 'penguins', '--server', server.address),
    ]);
    expect(there).to.deep.equal(here);
    const line = await place().json('promote', 'penguins', other, '--reason', 'why not', '--server', server.address);
    expect(line).to.deep.equal((await place().history())[0]);
    expect(await place().json('history', 'penguins', '--server', server.address)).to.deep.equal(
      await place().history(),
    );
  });

  it('refuse what the store refuses, in the same words', async () => {
    const server = await place().serve();
    const refused = [
      ['promote', 'penguins', trained().bad],
      ['promote', 'penguins', 'ffffffffff'],
      ['promote', 'penguins', trained().other, '--expect', trained().other],
      ['rollback', 'penguins', '--alias', 'nobody'],
    ];
    for (const command of refused) {
      const [here, there] = await Promise.all([
        place().run(...command),
        place().run(...command, '--server', server.address),
      ]);
      expect(there, command.join(' ')).to.deep.equal(here);
      expect(here.code, command.join(' ')).to.equal(1);
    }
  });
});

describe('the history', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('tells what was in force at a time', async () => {
    const { good, other } = trained();
    const model = 'penguins';
    await place().look(async (registry) => {
      await registry.promote({ model, version: other, reason: 'tried' });
      const { at } = await registry.promote({ model, version: good, aliasName: 'candidate' });
      // Times are asked for in milliseconds.
      await until('a later time', () => Date.now() > at / 1_000 + 2);
      await registry.rollback({ model });
    });
    const moves = [...(await place().history({ aliasName: 'production' }))].reverse();
    expect(moves.map(({ version }) => version)).to.deep.equal([other, good, other, good]);
    const timeOf = (microseconds: number) => new Date(Math.ceil(microseconds / 1_000)).toISOString();
    const at = async (microseconds: number) => {
      const lines = await place().json<LedgerEntry[]>('history', model, '--at', timeOf(microseconds));
      return Object.fromEntries(lines.map(({ aliasName, version }) => [aliasName, version]));
    };
    const [before, first, tried, last, text] = await Promise.all([
      at(moves[0]!.at - 1_000_000),
      at(moves[0]!.at),
      at(moves[2]!.at),
      at(moves[3]!.at),
      place().output('history', model, '--at', timeOf(moves[2]!.at)),
    ]);
    expect(before).to.deep.equal({});
    expect(first).to.deep.equal({ production: other });
    expect(tried).to.deep.equal({ production: other });
    expect(last).to.deep.equal({ production: good, candidate: good });
    expect(text).to.match(new RegExp(`production → ${other.slice(0, 12)}.*tried`));
  });
});
