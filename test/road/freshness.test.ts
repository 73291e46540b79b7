/** Any number of servers on one Redis answer what was promoted last, or say that they cannot know. */
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { openStore } from '#parley/store/connect.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { RedisProxy } from '../store/redis-proxy.js';
import { TestRedis } from '../store/redis-server.js';
import { Place, type Server, until } from './parley.js';
import { logged, MODEL, metricsOf, point, publish, Scorer, scoreOf } from './scores.js';

describe('three servers on one Redis', function () {
  this.timeout(120_000);
  let place: Place;
  let redis: TestRedis;
  let proxies: RedisProxy[];
  let servers: Server[];
  let scorers: Scorer[];
  let clients: ParleyClient[];
  let store: RedisStore;
  let versions: string[];

  before(async () => {
    place = new Place();
    redis = await new TestRedis().start();
    store = await openStore({ redisUrl: `unix://${redis.socket}`, dataFolder: place.dataFolder });
    versions = [];
    for (const bias of [0, 10, 20, 30]) versions.push(await publish(store, bias));
    await point(store, versions[0]!);
    proxies = await Promise.all([0, 1, 2].map(() => new RedisProxy(redis).start()));
    servers = await Promise.all(proxies.map(({ url }) => place.serve('--redis', url, '--http-port', '0')));
    scorers = await Promise.all(servers.map((server) => Scorer.open(server)));
    clients = await Promise.all(servers.map((server) => ParleyClient.connect(server)));
  });
  after(async () => {
    for (const open of [...scorers, ...clients]) open.close();
    await store.close();
    await place.leave();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await redis.stop();
  });

  /** Each of these servers answers with this version, and with its answer. */
  async function answering(index: number, which = [0, 1, 2]): Promise<void> {
    await Promise.all(
      which.map(async (n) => {
        const last = await until(`server ${n} to follow`, async () => {
          const score = await scorers[n]!.score();
          return score.version === versions[index] ? score : undefined;
        });
        expect(last?.value).to.equal(scoreOf(index * 10));
      }),
    );
  }

  it('all answer with what is promoted and rolled back', async () => {
    await answering(0);
    await point(store, versions[1]!);
    await answering(1);
    await point(store, versions[0]!, 'rollback');
    await answering(0);
  });

  it('load a version before it takes over, and count nothing that it does by itself', async () => {
    const metrics = () => metricsOf(servers[0]!),
      rows = `parley_model_rows_total{model="${MODEL}"}`;
    const before = await metrics();
    await point(store, versions[3]!);
    const { epoch: wanted } = await store.state(MODEL);
    await until(
      'the first to follow',
      async () => (await metrics()).get(`parley_model_epoch{model="${MODEL}"}`) === wanted,
    );
    const after = await metrics();
    expect(after.get('parley_loads_total')).to.equal(before.get('parley_loads_total')! + 1);
    expect(after.get(rows)).to.equal(before.get(rows)).and.above(0);
    await point(store, versions[0]!, 'rollback');
    await answering(0);
  });

  it('follow also when every announcement is lost', async () => {
    for (const proxy of proxies) proxy.losing = true;
    const before = proxies.map(({ lost }) => lost);
    await point(store, versions[2]!);
    await answering(2);
    proxies.forEach((proxy, i) => {
      proxy.losing = false;
      expect(proxy.lost).to.be.above(before[i]!);
    });
  });

  it('say so when they are cut off, go on answering, and catch up', async () => {
    const [near, , cut] = clients as [ParleyClient, ParleyClient, ParleyClient];
    await until('all that was promoted to be taken up', async () => (await cut.ping()).laggingModels.length === 0);
    expect((await cut.ping()).storeConnected).to.equal(true);
    proxies[2]!.silence();
    await until('the third to say so', async () => !(await cut.ping()).storeConnected);
    expect((await cut.ping()).storeHeardSecondsAgo).to.be.above(0.5);
    const metrics = await metricsOf(servers[2]!);
    expect(metrics.get('parley_store_connected')).to.equal(0);
    expect(metrics.get('parley_store_heard_seconds')).to.be.above(0.5);
    expect((await near.ping()).storeConnected).to.equal(true);
    expect((await metricsOf(servers[0]!)).get('parley_store_connected')).to.equal(1);

    await point(store, versions[3]!);
    await answering(3, [0, 1]);
    expect(await scorers[2]!.score()).to.deep.equal({ version: versions[2], value: scoreOf(20) });
    proxies[2]!.resume();
    await answering(3);
    await until('the third to be connected', async () => (await cut.ping()).storeConnected);
    const epoch = `parley_model_epoch{model="${MODEL}"}`;
    expect((await metricsOf(servers[2]!)).get(epoch)).to.equal((await store.state(MODEL)).epoch);
  });

  it('keep the version that answers when the next one is damaged, and say so once', async () => {
    const bad = await publish(store, 40);
    await redis.command('HSET', `parley:{${MODEL}}:blob:${bad}`, '0', 'other bytes');
    await point(store, bad);
    const said = 'the new version does not load';
    for (const [n, server] of servers.entries()) {
      await server.says(said);
      expect(await scorers[n]!.score()).to.deep.equal({ version: versions[3], value: scoreOf(30) });
      expect((await clients[n]!.ping()).laggingModels).to.deep.equal([MODEL]);
      const metrics = await metricsOf(server);
      expect(metrics.get('parley_load_failures_total')).to.be.above(0);
      expect(metrics.get(`parley_model_lagging{model="${MODEL}"}`)).to.equal(1);
    }
    // Changes that follow have it tried again.
    await store.holdAlias({ actor: 'ada', model: MODEL, aliasName: 'production', action: 'hold' });
    await store.holdAlias({ actor: 'ada', model: MODEL, aliasName: 'production', action: 'release' });
    await point(store, versions[3]!, 'rollback');
    for (const client of clients)
      await until('the rollback', async () => (await client.ping()).laggingModels.length === 0);
    for (const server of servers) {
      expect(logged(server, said)).to.have.length(1);
      expect(logged(server, said)[0]).to.contain('"code":"MODEL_BROKEN"').and.to.contain(bad);
    }
  });
});
