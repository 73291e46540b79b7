/** Processes that die or are told to stop: what was stored stays, what was accepted is answered, nothing is left over. */
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { bitsOf, Caller, type Identified, Loop, serviceOf } from './client.js';
import { placeForEach, until } from './parley.js';
import { PENGUIN, useTrained } from './trained.js';

const ROWS = [
  PENGUIN,
  { ...PENGUIN, bill_length_mm: 39.1, sex: undefined },
  { ...PENGUIN, island: 'Biscoe', body_mass_g: 5700, flipper_length_mm: 230 },
];

describe('a death', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  const answersOf = async (caller: Caller): Promise<string[]> => {
    const answers: Identified[] = [];
    for (const row of ROWS) answers.push(await caller.identify(row));
    return answers.map((answer) => `${answer.provenance.version} ${bitsOf(answer)}`);
  };

  it('of the server and then of its Redis loses nothing, and the answers are the same to the bit', async () => {
    const server = await place().serve();
    const caller = await Caller.open(server);
    const before = await answersOf(caller);
    const history = await place().history();
    await place().output('promote', 'penguins', trained().other, '--reason', 'just before');
    await place().output('rollback', 'penguins');
    await server.kill('SIGKILL');
    expect(place().redisPid()).not.to.equal(undefined);
    await place().killRedis();
    const again = await place().serve();
    const another = await Caller.open(again);
    expect(await answersOf(another)).to.deep.equal(before);
    another.close();
    const after = await place().history();
    expect(after.slice(2)).to.deep.equal(history);
    expect(after[1]).to.deep.include({ action: 'promote', reason: 'just before' });
    expect(after[0]).to.deep.include({ action: 'rollback', version: trained().good });
  });

  it("of the server ends its callers' calls with an error that may be retried, and a restart serves again", async () => {
    const server = await place().serve();
    const loop = new Loop(await Caller.open(server));
    await until('answers', () => loop.answers.length > 10);
    await server.kill('SIGKILL');
    await until('an error', () => loop.errors.length > 0);
    await loop.stop();
    expect(loop.errors[0]).to.deep.include({ code: 'STORE_UNAVAILABLE', retryable: true });
    const again = await place().serve();
    const caller = await Caller.open(again);
    expect((await caller.identify()).provenance.version).to.equal(trained().good);
    caller.close();
  });

  it('of Redis costs no caller an answer, and a promotion works again after it', async () => {
    const server = await place().serve();
    const loop = new Loop(await Caller.open(server));
    await until('answers', () => loop.answers.length > 10);
    const dead = place().redisPid()!;
    await place().killRedis();
    const registry = await ParleyClient.connect(server);
    const move = await registry.promote({ model: 'penguins', version: trained().other }).then(
      () => 'OK',
      (error: { code: string }) => error.code,
    );
    expect(move).to.be.oneOf(['OK', 'STORE_UNAVAILABLE']);
    await until('a Redis again', () => place().redisPid() !== undefined && place().redisPid() !== dead);
    await until('a promotion', () =>
      registry.promote({ model: 'penguins', version: trained().other }).then(
        () => true,
        () => false,
      ),
    );
    await until('the promoted version', () => loop.answers.at(-1)!.version === trained().other);
    registry.close();
    await loop.stop();
    expect(loop.errors).to.deep.equal([]);
    expect(await place().history({ aliasName: 'production', limit: 1 })).to.have.deep.nested.property(
      '[0].version',
      trained().other,
    );
  });

  it('of Redis in the middle of a training does not end the training', async () => {
    const training = place().start(['train', place().project(), '--set', 'trainer.l2=3', '--json']);
    await training.says('evaluate: ');
    await place().killRedis();
    const { code, stdout, stderr } = await training.ended;
    // The data folder's own Redis is started again; only what was on its way then may fail, and says so.
    if (code !== 0) expect(stderr).to.match(/^error STORE_UNAVAILABLE: /m);
    else expect(JSON.parse(stdout)).to.have.property('published', true);
    const versions = await place().versions();
    expect(versions).to.have.length(code === 0 ? 4 : 3);
  });
});

describe('a request to stop', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('is obeyed under load after accepted calls were answered, with exit code 0', async () => {
    const server = await place().serve();
    const service = await serviceOf(server);
    const loops = await Promise.all(
      Array.from({ length: 8 }, async () => new Loop(await Caller.open(server, service))),
    );
    await until('answers', () => loops.every((loop) => loop.answers.length > 20));
    const { code, stderr } = await server.kill('SIGTERM');
    await Promise.all(loops.map((loop) => loop.stop()));
    expect(code, stderr).to.equal(0);
    for (const { errors } of loops) {
      // A call is answered, if only by SHUTTING_DOWN; what is sent after that finds the connection ended.
      expect(errors[0]).to.deep.include({ code: 'SHUTTING_DOWN', retryable: true });
    }
    expect(place().redisPid()).to.equal(undefined);
  });

  it('is obeyed at once by an idle server', async () => {
    const server = await place().serve();
    const caller = await Caller.open(server);
    await caller.identify();
    const begun = performance.now();
    const { code } = await server.kill('SIGINT');
    expect(code).to.equal(0);
    expect(performance.now() - begun).to.be.below(5_000);
    caller.close();
  });

  it('leaves another server of the same data folder its Redis', async () => {
    const [one, two] = await Promise.all([place().serve(), place().serve()]);
    await one.kill('SIGTERM');
    const caller = await Caller.open(two);
    expect((await caller.identify()).provenance.version).to.equal(trained().good);
    await place().output('promote', 'penguins', trained().other);
    await until('the promotion', async () => (await caller.identify()).provenance.version === trained().other);
    caller.close();
    expect((await two.kill('SIGTERM')).code).to.equal(0);
    expect(place().redisPid()).to.equal(undefined);
  });
});
