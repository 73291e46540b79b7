/** What an operator gives `parley serve` and its commands: limits, rules, and the port that is watched. */
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { openStore } from '#parley/store/connect.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { heavy } from '../serving/models.js';
import { failure } from '../store/world.js';
import { placeForEach } from './parley.js';
import { MODEL, metricsOf, point, publish, Scorer, scoreOf } from './scores.js';

describe('an operator', function () {
  this.timeout(120_000);
  let store: RedisStore;
  // Before the place is left with all its files.
  afterEach(() => store.close());
  const place = placeForEach();
  beforeEach(async () => {
    store = await openStore({ dataFolder: place().dataFolder });
  });

  it('who requires contracts has none without put in production, by a server or on the store', async () => {
    const version = await publish(store, 0);
    const server = await place().serve('--require-contract');
    const client = await ParleyClient.connect(server);
    const refused = await failure(client.promote({ model: MODEL, version }));
    client.close();
    expect(refused.code).to.equal('NOT_ACCEPTED');
    const promote = ['promote', MODEL, version];
    const direct = await place().start(promote, { env: { PARLEY_REQUIRE_CONTRACT: 'true' } }).ended;
    expect(direct.code).to.equal(1);
    expect(direct.stderr).to.contain('has no contract').and.to.contain('PARLEY_REQUIRE_CONTRACT');
    expect((await store.state(MODEL)).aliases).to.deep.equal([]);
    expect((await place().run(...promote)).code).to.equal(0);
  });

  it('who limits the memory has all versions answered, one after the other', async () => {
    const versions: string[] = [];
    for (const bias of [0, 1, 2]) versions.push(await publish(store, bias, heavy(bias)));
    await point(store, versions[0]!);
    const server = await place().serve('--memory-limit', '7MB', '--http-port', '0');
    expect((await fetch(`http://${server.http!.host}:${server.http!.port}/ready`)).status).to.equal(200);
    const scorer = await Scorer.open(server);
    for (let round = 0; round < 2; round++) {
      for (const [bias, version] of versions.entries())
        expect(await scorer.score(version)).to.deep.equal({ version, value: scoreOf(bias) });
    }
    expect((await scorer.score()).version).to.equal(versions[0]);
    scorer.close();
    const metrics = await metricsOf(server);
    expect(metrics.get('parley_memory_limit_bytes')).to.equal(7e6);
    expect(metrics.get('parley_memory_taken_bytes')).to.be.within(1, 7e6);
    expect(metrics.get('parley_evictions_total')).to.be.above(0);
    expect(metrics.get(`parley_model_requests_total{model="${MODEL}",outcome="OK"}`)).to.equal(7);
  });

  it('who gives a limit that no version keeps is told so by the answer', async () => {
    await point(store, await publish(store, 0, heavy(0)));
    const server = await place().serve('--memory-limit', '1MB');
    const scorer = await Scorer.open(server);
    const error = await failure(scorer.score());
    scorer.close();
    expect(error.code).to.equal('UNSUPPORTED');
    expect(error.message).to.contain('larger --memory-limit');
    await server.says('a version that is called does not load');
  });
});
