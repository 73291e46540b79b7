import { expect } from 'chai';
import type { ModelState } from '#parley/model/store-port.js';
import { socketAddress } from '#parley/store/address.js';
import { RedisStore } from '#parley/store/redis-store.js';
import { RedisProxy } from './redis-proxy.js';
import { TestRedis, until } from './redis-server.js';
import { BY, failure, MODEL, sha256, World } from './world.js';

const NEVER_MS = 1_000_000_000;

describe('a watcher of the store', () => {
  let redis: TestRedis;
  let world: World;
  before(async () => {
    redis = await new TestRedis().start();
  });
  after(() => redis.stop());
  beforeEach(() => {
    world = new World(redis);
  });
  afterEach(() => world.close());

  /** Watches with another store, and collects what it is told. */
  async function follow(store: RedisStore = world.another()): Promise<ModelState[]> {
    const told: ModelState[] = [];
    await store.watch({ onChange: (state) => void told.push(state) });
    return told;
  }

  const publishFor = (model: string, content: string) => {
    const bytes = Buffer.from(content);
    return world.store.publishVersion({
      ...BY,
      model,
      bytes,
      record: { version: sha256(bytes), modelType: 'tensor', metrics: {} },
    });
  };

  it('is told of every model before watch resolves', async () => {
    await publishFor('a', '1');
    await publishFor('b', '1');
    const told = await follow();
    expect(told.map((state) => `${state.model} ${state.epoch}`).sort()).to.deep.equal(['a 1', 'b 1']);
  });

  it('is told of a change by announcement', async () => {
    const version = await world.publish('a');
    const told = await follow(world.another({ pollMs: NEVER_MS }));
    await world.promote(version);
    const last = await until('the promotion', () => told.find((state) => state.epoch === 2));
    expect(last?.aliases).to.deep.equal([{ aliasName: 'production', version }]);
  });

  it('does not stay behind a change that was announced and did not happen', async () => {
    await world.publish('a');
    const told: string[] = [];
    const store = world.another({ pollMs: NEVER_MS });
    const watching = await store.watch({ onChange: ({ model }) => void told.push(model) });
    await world.raw.publish(world.keys.events, `${MODEL} 99`);
    await publishFor('later', '1');
    await until('what was announced behind it', () => told.includes('later'));
    await until('the truth', () => watching.behind.length === 0);
    expect(told).to.deep.equal([MODEL, 'later']);
  });

  it('is told of a new model by announcement', async () => {
    const told = await follow(world.another({ pollMs: NEVER_MS }));
    await publishFor('late', '1');
    await until('the model', () => told.some((state) => state.model === 'late'));
  });

  it('is told of a change that was never announced', async () => {
    await world.publish('a');
    const told = await follow();
    await world.raw.incr(world.keys.epoch(MODEL));
    await until('the change', () => told.some((state) => state.epoch === 2));
  });

  it('is told of a new model that was never announced', async () => {
    const told = await follow();
    await world.raw.multi().sadd(world.keys.models, 'quiet').set(world.keys.epoch('quiet'), 1).exec();
    await until('the model', () => told.some((state) => state.model === 'quiet'));
  });

  it('is told of a change that is announced while its connection is down', async () => {
    const version = await world.publish('a');
    const told = await follow(world.another({ pollMs: NEVER_MS }));
    await world.raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await world.promote(version);
    await until('the promotion', () => told.some((state) => state.epoch === 2));
  });

  it('is told of announcements again after its connection came back', async () => {
    const version = await world.publish('a');
    const told = await follow(world.another({ pollMs: NEVER_MS }));
    await world.raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('the new subscription', async () => {
      const [, subscribers] = (await world.raw.pubsub('NUMSUB', world.keys.events)) as [string, number];
      return subscribers === 1;
    });
    await world.promote(version);
    await until('the promotion', () => told.some((state) => state.epoch === 2));
  });

  it('is called again when the model changes during a call, and never twice at once', async () => {
    const versions = [await world.publish('a'), await world.publish('b')];
    let running = 0;
    let most = 0;
    const told: number[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await world.another().watch({
      onChange: async (state) => {
        most = Math.max(most, ++running);
        if (told.push(state.epoch) === 2) await released;
        running--;
      },
    });
    await world.promote(versions[0]!);
    await until('the second call', () => told.length === 2);
    for (let i = 0; i < 10; i++) await world.promote(versions[(i + 1) % 2]!);
    release();
    await until('the last state', () => told.at(-1) === 13);
    expect(most).to.equal(1);
    expect(told.every((epoch, i) => i === 0 || epoch > told[i - 1]!)).to.equal(true);
  });

  it('keeps telling of other models while one call takes long', async () => {
    const told: string[] = [];
    const store = world.another();
    await store.watch({
      onChange: (state) => {
        told.push(`${state.model} ${state.epoch}`);
        return state.model === 'slow' ? new Promise<void>(() => {}) : undefined;
      },
    });
    await publishFor('slow', '1');
    await until('the slow model', () => told.includes('slow 1'));
    await publishFor('quick', '1');
    await until('the quick model', () => told.includes('quick 1'));
    await world.raw.incr(world.keys.epoch('quick'));
    await until('the poll', () => told.includes('quick 2'));
  });

  it('is called again when a call fails', async () => {
    await world.publish('a');
    let calls = 0;
    await world.another().watch({
      onChange: async () => {
        if (++calls < 3) throw new Error('not now');
      },
    });
    await until('the third call', () => calls === 3);
  });

  it('is not told of the same state twice', async () => {
    const version = await world.publish('a');
    const told = await follow();
    await world.promote(version);
    await until('the promotion', () => told.length === 2);
    await world.raw.incr(world.keys.epoch(MODEL));
    await until('a comparison', () => told.length === 3);
    expect(told.map((state) => state.epoch)).to.deep.equal([1, 2, 3]);
  });

  it('is told nothing after it stopped, and leaves no connection', async () => {
    await world.publish('a');
    const store = world.another();
    const told: ModelState[] = [];
    const watching = await store.watch({ onChange: (state) => void told.push(state) });
    await watching.stop();
    await world.publish('b');
    expect(told).to.have.length(1);
    expect(await world.raw.pubsub('NUMSUB', world.keys.events)).to.deep.equal([world.keys.events, 0]);
  });

  it('may be stopped by the one it tells', async () => {
    let stop = async () => {};
    let calls = 0;
    const watching = await world.another().watch({
      onChange: async () => {
        calls++;
        await stop();
      },
    });
    stop = () => watching.stop();
    const version = await world.publish('a');
    await until('the call', () => calls === 1);
    await world.promote(version);
    expect(calls).to.equal(1);
  });

  it('ends with its store', async () => {
    const store = world.another();
    await follow(store);
    await store.close();
    expect(await world.raw.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).to.equal('');
    expect((await failure(store.models())).code).to.equal('SHUTTING_DOWN');
  });

  it('says when Redis goes and comes back, and tells what happened meanwhile', async () => {
    const version = await world.publish('a');
    const told: ModelState[] = [];
    const connections: boolean[] = [];
    await world.another().watch({
      onChange: (state) => void told.push(state),
      onConnection: (connected) => void connections.push(connected),
    });
    await redis.kill();
    await until('the loss', () => connections.length === 1);
    await redis.start();
    await world.promote(version);
    await until('the return', () => connections.length === 2);
    await until('the promotion', () => told.some((state) => state.epoch === 2));
    expect(connections).to.deep.equal([false, true]);
  });

  it('says so when Redis stops answering without closing', async () => {
    const connections: boolean[] = [];
    const store = world.another();
    await store.watch({ onChange: () => {}, onConnection: (connected) => void connections.push(connected) });
    await redis.pause();
    try {
      await until('the loss', () => connections.length === 1);
      expect(store.connected).to.equal(false);
    } finally {
      redis.signal('SIGCONT');
    }
    await until('the return', () => connections.length === 2);
    expect(connections).to.deep.equal([false, true]);
  });

  it('knows that Redis is silent before the connection is given up, and when it was heard', async () => {
    const connections: boolean[] = [];
    const watching = await world
      .another()
      .watch({ onChange: () => {}, onConnection: (connected) => void connections.push(connected) });
    expect(watching.reachable).to.equal(true);
    const pausedMs = performance.now();
    await redis.pause();
    try {
      await until('the silence', () => !watching.reachable);
      expect(connections).to.deep.equal([]);
      expect(watching.heardMs).to.be.below(performance.now() - 500);
    } finally {
      redis.signal('SIGCONT');
    }
    await until('the return', () => watching.reachable);
    expect(watching.heardMs).to.be.above(pausedMs);
  });

  it('knows which models have changed and have not been told yet', async () => {
    const version = await world.publish('a');
    let letGo: (() => void) | undefined;
    const watching = await world.another().watch({
      onChange: ({ epoch }) => {
        if (epoch === 1) return undefined;
        return new Promise<void>((resolve) => {
          letGo = resolve;
        });
      },
    });
    expect(watching.behind).to.deep.equal([]);
    await world.promote(version);
    await until('the change', () => watching.behind.length > 0);
    expect(watching.behind).to.deep.equal([MODEL]);
    (await until('the telling to begin', () => letGo))?.();
    await until('the telling', () => watching.behind.length === 0);
  });

  it('subscribes anew when its subscription has died in silence', async () => {
    const proxy = await new RedisProxy(redis).start();
    const store = new RedisStore({ connection: socketAddress(proxy.socket), keyPrefix: world.prefix });
    try {
      const version = await world.publish('a');
      const told: ModelState[] = [];
      await store.watch({ onChange: (state) => void told.push(state) });
      proxy.silenceSubscribers();
      await until('the new subscription', () => proxy.subscribed === 2);
      await world.promote(version);
      await until('the promotion', () => told.some((state) => state.epoch === 2));
    } finally {
      await store.close();
      await proxy.stop();
    }
  });

  it('fails to start where there is no Redis', async () => {
    const store = world.another();
    await redis.kill();
    try {
      expect((await failure(store.watch({ onChange: () => {} }))).code).to.equal('STORE_UNAVAILABLE');
    } finally {
      await redis.start();
    }
  });
});
