import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ParleyError } from '#parley/errors.js';
import { ACL_RULES } from '#parley/store/redis-errors.js';
import { TestRedis, until } from './redis-server.js';
import { askNode, freePorts, infoOf } from './shapes.js';
import { BY, failure, MODEL, verdictFor, World } from './world.js';

describe('a change that Redis cannot keep', () => {
  let redis: TestRedis;
  let world: World;
  let version: string;
  let other: string;

  async function start(settings: readonly string[] = []): Promise<void> {
    redis = await new TestRedis(settings).start();
    world = new World(redis);
    version = await world.publish('a');
    other = await world.publish('b');
    await world.promote(version);
  }
  afterEach(async () => {
    await world.close();
    await redis.stop();
  });

  /** What every way to change something fails with; each is to leave everything as it was. */
  async function refusals(): Promise<Record<string, ParleyError>> {
    const before = await contents();
    const contract = { fingerprint: 'c1', idl: 'service S {}', includes: {}, services: ['S'] };
    const changes: Record<string, () => Promise<unknown>> = {
      publish: () => world.publish('new'),
      contract: () => world.store.publishContract({ ...BY, model: MODEL, contract }),
      verdict: () => {
        const verdict = verdictFor({ ...contract, fixtureFingerprint: 'f' }, true);
        return world.store.recordVerdict({ ...BY, model: MODEL, version, verdict });
      },
      promote: () => world.promote(other),
      canary: () => world.canary(other, 0.5),
      hold: () => world.hold('hold'),
      retire: () => world.retire(other),
      prune: () => world.prune(other, 0),
    };
    const errors: Record<string, ParleyError> = {};
    for (const [name, change] of Object.entries(changes)) {
      errors[name] = await failure(change()).catch((error) => expect.fail(`${name}: ${error}`));
    }
    expect(await contents()).to.deep.equal(before);
    return errors;
  }

  /** Every key of Redis with its value. */
  async function contents(): Promise<Record<string, Buffer | null>> {
    const keys = (await world.raw.keys('*')).sort();
    return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await world.raw.dumpBuffer(key)])));
  }

  it('is refused where keys may vanish, until that is mended', async () => {
    await start(['--maxmemory-policy', 'allkeys-lru']).then(
      () => expect.fail('published'),
      (error: ParleyError) => expect(error.message).to.include('allkeys-lru'),
    );
    await world.raw.config('SET', 'maxmemory-policy', 'noeviction');
    version = await world.publish('a');
    other = await world.publish('b');
    for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
      await world.raw.config('SET', 'maxmemory-policy', policy);
      for (const [name, error] of Object.entries(await refusals())) {
        expect(error.code, name).to.equal('STORE_UNAVAILABLE');
        expect(error.message, name).to.include(policy).and.include('CONFIG SET maxmemory-policy noeviction');
      }
    }
    for (const policy of ['volatile-lru', 'noeviction']) {
      await world.raw.config('SET', 'maxmemory-policy', policy);
      await world.publish(policy);
    }
    expect((await world.store.readVersion(MODEL, version)).toString()).to.equal('a');
  });

  it('is refused as a whole when Redis has no memory left', async () => {
    await start();
    await world.raw.config('SET', 'maxmemory', '1');
    for (const [name, error] of Object.entries(await refusals())) {
      expect(error.code, name).to.equal('STORE_UNAVAILABLE');
      expect(error.message, name).to.include('raise its maxmemory');
    }
    const upload = await failure(world.store.beginUpload(MODEL, 10));
    expect(upload.code).to.equal('STORE_UNAVAILABLE');
    expect(upload.message).to.include('raise its maxmemory');
  });

  it('is refused as a whole when Redis cannot write to its disk', async () => {
    await start(['--save', '3600 1', '--dbfilename', 'taken']);
    mkdirSync(join(redis.folder, 'taken'));
    await world.raw.call('BGSAVE');
    await until('the failure', async () => /rdb_last_bgsave_status:err/.test(await world.raw.info('persistence')));
    for (const [name, error] of Object.entries(await refusals())) {
      expect(error.code, name).to.equal('STORE_UNAVAILABLE');
      expect(error.message, name).to.include('free disk space');
    }
  });

  it('is refused as a whole on a replica', async () => {
    await start();
    await world.raw.replicaof('127.0.0.1', 1);
    for (const [name, error] of Object.entries(await refusals())) {
      expect(error.code, name).to.equal('STORE_UNAVAILABLE');
      expect(error.message, name).to.include('redis+sentinel://');
    }
  });

  it('is refused as a whole where another program has written to one of its keys', async () => {
    await start();
    await world.raw.rename(world.keys.ledger(MODEL), world.keys.ledger('aside'));
    await world.raw.set(world.keys.ledger(MODEL), 'mine');
    for (const [name, error] of Object.entries(await refusals())) {
      expect(error.code, name).to.equal('CONFLICT');
      expect(error.message, name).to.include(world.keys.ledger(MODEL)).and.include('another program');
    }
  });

  it('is refused as a whole to a user who may not, who is told the rules that let him', async () => {
    await start();
    for (const rules of ['-publish', '+publish resetchannels']) {
      await world.raw.call('ACL', 'SETUSER', 'default', ...rules.split(' '));
      for (const [name, error] of Object.entries(await refusals())) {
        expect(error.code, name).to.equal('STORE_UNAVAILABLE');
        expect(error.message, name).to.include(ACL_RULES);
      }
    }
  });
});

describe('the rights that Parley needs', () => {
  it('stand in the docs as the errors tell them', () => {
    expect(readFileSync('docs/redis.md', 'utf8')).to.include(`ACL SETUSER parley on >PASSWORD ${ACL_RULES}\n`);
  });
});

describe('a change on a Redis with a replica', () => {
  let primary: TestRedis;
  let replica: TestRedis;
  let world: World;
  let version: string;
  let other: string;
  beforeEach(async () => {
    const [port] = await freePorts(1);
    const tcp = ['--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'];
    primary = await new TestRedis([...tcp, '--port', `${port}`]).start();
    replica = await new TestRedis([...tcp, '--replicaof', '127.0.0.1', `${port}`]).start();
    await until('the replica', async () => /online/.test((await infoOf(primary)).get('slave0') ?? ''));
    world = new World(primary);
    version = await world.publish('a');
    other = await world.publish('b');
  });
  afterEach(async () => {
    await world.close();
    await Promise.all([primary.stop(), replica.stop()]);
  });

  const unconfirmed = async (change: Promise<unknown>) => {
    const error = await failure(change);
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include('written on the primary').and.include('repeat the call');
  };

  it('is done when the replica has it, and completed by repeating the call', async () => {
    await replica.pause();
    await unconfirmed(world.promote(version));
    // Nothing is left to write now, and yet nothing is certain.
    await unconfirmed(world.promote(version));
    replica.signal('SIGCONT');
    expect(await world.promote(version)).to.deep.include({ sequence: 3, action: 'promote', version });
    const onReplica = await askNode(replica, (redis) => redis.hget(world.keys.aliases(MODEL), 'production'));
    expect(onReplica).to.equal(version);
  });

  it('is done at once when the replica is gone, which is told once', async () => {
    const warnings: string[] = [];
    const store = world.another({ warn: (message) => void warnings.push(message) });
    const promote = (to: string) =>
      store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version: to, action: 'promote' });
    await promote(version);
    await replica.kill();
    await until('the loss', async () => (await infoOf(primary)).get('connected_slaves') === '0');
    expect((await promote(other)).sequence).to.equal(4);
    await promote(version);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('no replica connected');
  });

  it('keeps nobody from reading while it waits', async () => {
    await replica.pause();
    const promoted = unconfirmed(world.promote(other));
    const states = [];
    for (let i = 0; i < 20; i++) states.push((await world.store.state(MODEL)).epoch);
    replica.signal('SIGCONT');
    await promoted.catch(() => {});
    expect(states.at(-1)).to.be.within(2, 3);
  });

  it('waits once for a version of many parts', async () => {
    const calls = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await world.raw.info('commandstats'))?.[1] ?? 0);
    const before = await calls();
    await world.publish(Buffer.alloc(9 * 1024 * 1024, 1));
    // For the model's name and for the version itself.
    expect((await calls()) - before).to.equal(2);
  });
});
