import { expect } from 'chai';
import type { ModelState } from '#parley/model/store-port.js';
import { parseAddress, type RedisAddress } from '#parley/store/address.js';
import { withCertificates } from '#parley/store/certificates.js';
import { openStore } from '#parley/store/connect.js';
import { ACL_RULES } from '#parley/store/redis-errors.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { behavesAsAStore } from './behaviour.js';
import { type TestRedis, until } from './redis-server.js';
import {
  askNode,
  type ClusterShape,
  cluster,
  embedded,
  infoOf,
  type Sentinels,
  type Shape,
  sentinels,
  single,
  tls,
  untilWhole,
} from './shapes.js';
import { failure, MODEL, World } from './world.js';
import { Writer } from './writer.js';

const SHAPE_MS = 120_000;
const RECOVERY_MS = 20_000;
/** Sentinels ask a server every 10 s what it is, and leave an old primary alone for another 8 s. */
const TURN_MS = 60_000;

function addressOf({ redisUrl, redisFiles }: Shape): RedisAddress {
  return withCertificates(parseAddress(redisUrl!), redisFiles ?? {});
}

/** One shape for the tests of a block, and a world of its own for each test. */
function shaped<T extends Shape>(start: () => Promise<T>): { readonly shape: T; readonly world: World } {
  const here: { shape?: T; world?: World } = {};
  before(async function () {
    this.timeout(SHAPE_MS);
    here.shape = await start();
  });
  after(() => here.shape?.stop());
  beforeEach(() => {
    here.world = new World({ address: addressOf(here.shape!), socket: '' });
  });
  afterEach(() => here.world?.close());
  return here as { shape: T; world: World };
}

/** What another process has in its memory of the model. */
async function follow(store: RedisStore): Promise<{ latest?: ModelState }> {
  const seen: { latest?: ModelState } = {};
  await store.watch({
    onChange: (state) => {
      if (state.model === MODEL) seen.latest = state;
    },
  });
  return seen;
}

/** Every change that was acknowledged is in the ledger, which has no gap; alias and watcher stand at its last move. */
async function expectNothingLost(world: World, writer: Writer, seen: { latest?: ModelState }): Promise<void> {
  const reader = world.another();
  const lines = await reader.ledger(MODEL);
  const sequences = lines.map(({ sequence }) => sequence);
  expect(sequences).to.deep.equal(sequences.map((_, i) => sequences.length - i));
  const found = new Map(lines.map((line) => [line.sequence, line]));
  for (const entry of writer.acknowledged) expect(found.get(entry.sequence)).to.deep.equal(entry);
  expect(writer.unexpected).to.deep.equal([]);
  const last = lines.find(({ action }) => action === 'promote')!;
  expect((await reader.state(MODEL)).aliases[0]?.version).to.equal(last.version);
  await until('the watcher', () => seen.latest?.epoch === lines[0]!.sequence, RECOVERY_MS);
}

describe('a store on one Redis', () => {
  const here = shaped(() => single());
  behavesAsAStore(() => here.world);

  it('keeps all that was acknowledged when Redis is killed and started again', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const writer = await Writer.on(world);
    const seen = await follow(world.another());
    await writer.until(20);
    await shape.nodes[0]!.kill();
    await until('a refusal', () => writer.unavailable > 0);
    await shape.nodes[0]!.start();
    await writer.until(writer.acknowledged.length + 10);
    await writer.stop();
    await expectNothingLost(world, writer, seen);
  });
});

describe('a store on Sentinels', () => {
  const here = shaped<Sentinels>(() => sentinels());
  behavesAsAStore(() => here.world);

  it('loses nothing that was acknowledged when the primary is killed', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const warnings: string[] = [];
    const store = world.another({ warn: (message) => void warnings.push(message) });
    const writer = await Writer.on(world, store);
    const seen = await follow(world.another());
    await writer.until(20);
    const before = await shape.primary();
    await before.kill();
    await writer.until(writer.acknowledged.length + 20, RECOVERY_MS);
    await writer.stop();
    expect(await shape.primary()).to.not.equal(before);
    await expectNothingLost(world, writer, seen);
    // The one replica has become the primary.
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('no replica connected');
    await before.start();
    const isReplica = async () =>
      /state=online/.test((await infoOf(await shape.primary(), shape.password)).get('slave0') ?? '');
    await until('the old primary to follow', isReplica, TURN_MS);
    await world.another().state(MODEL);
  });

  it('acknowledges nothing that no replica has', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const version = await world.publish('a');
    const primary = await shape.primary();
    const replica = shape.nodes.find((node) => node !== primary)!;
    await replica.pause();
    const error = await failure(world.promote(version));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include('no replica confirmed').and.include('repeat the call');
    // It is paused for less than Redis takes to give a replica up, so that it is still counted on.
    replica.signal('SIGCONT');
    expect((await world.promote(version)).version).to.equal(version);
    expect((await world.store.ledger(MODEL)).map(({ action }) => action)).to.deep.equal(['promote', 'publish']);
  });

  it('does not take an old primary for the primary that wakes up after a failover', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const [a, b] = [await world.publish('a'), await world.publish('b')];
    await world.promote(a);
    const old = await shape.primary();
    await old.pause();
    await until('the failover', async () => (await shape.primary()) !== old, RECOVERY_MS);
    old.signal('SIGCONT');
    // This store has not noticed: it still has its connection to the old primary.
    const promoted = await world.promote(b).catch(() => undefined);
    await until(
      'both to agree',
      async () => (await world.promote(b).catch(() => undefined)) !== undefined,
      RECOVERY_MS,
    );
    const isReplica = async () => (await infoOf(old, shape.password)).get('role') === 'slave';
    await until('the old primary to follow', isReplica, TURN_MS);
    const lines = await world.another().ledger(MODEL);
    if (promoted !== undefined) expect(lines).to.deep.include(promoted);
    expect(lines.map(({ sequence }) => sequence)).to.deep.equal([4, 3, 2, 1]);
    expect(await world.pointsAt()).to.equal(b);
  });

  it('says so when no Sentinel answers, or none knows the name', async () => {
    const url = here.shape.redisUrl!;
    const other = await failure(openStore({ dataFolder: '/nonexistent', redisUrl: url.replace('/main?', '/other?') }));
    expect(other.code).to.equal('STORE_UNAVAILABLE');
    expect(other.message).to.include('none has a primary of that name');
    const wrong = await failure(openStore({ dataFolder: '/nonexistent', redisUrl: url.replace(/\?.*/, '') }));
    expect(wrong.message).to.include('sentinel-password');
    const nobody = await failure(
      openStore({ dataFolder: '/nonexistent', redisUrl: 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/main' }),
    );
    expect(nobody.message).to.include('ECONNREFUSED').and.include('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main');
  });
});

describe('a store on a cluster', () => {
  const here = shaped<ClusterShape>(() => cluster());
  behavesAsAStore(() => here.world);

  it('says so when it is asked as a single Redis, and the other way round', async () => {
    const { shape } = here;
    const redisUrl = shape.redisUrl!.replace('+cluster', '').replace(/,.*/, '');
    const store = await openStore({ dataFolder: '/nonexistent', redisUrl });
    const errors = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((model) => store.state(model).catch((error) => error)),
    );
    await store.close();
    expect(errors.map(String).join()).to.include('redis+cluster://');
    const alone = await single();
    const error = await failure(
      openStore({ dataFolder: '/nonexistent', redisUrl: alone.redisUrl!.replace('redis', 'redis+cluster') }),
    );
    await alone.stop();
    expect(error.message).to.include('is no cluster');
  });

  it('follows keys that are moved to another node', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const version = await world.publish('a');
    const before = await shape.ownerOf(MODEL);
    let promoted: Promise<unknown> | undefined;
    await shape.move(MODEL, async () => {
      expect((await world.store.version(MODEL, version))?.version).to.equal(version);
      expect(await world.store.ledger(MODEL)).to.have.length(1);
      // Its keys are not all there are: it is refused until the slot has arrived.
      promoted = world.promote(version);
    });
    await promoted;
    expect(await shape.ownerOf(MODEL)).to.not.equal(before);
    expect(await world.pointsAt()).to.equal(version);
    await world.publish('b');
    expect(await world.store.ledger(MODEL)).to.have.length(3);
  });

  it('loses nothing that was acknowledged when a primary is killed', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const warnings: string[] = [];
    const writer = await Writer.on(world, world.another({ warn: (message) => void warnings.push(message) }));
    const seen = await follow(world.another());
    await writer.until(20);
    const before = await shape.ownerOf(MODEL);
    await before.kill();
    await writer.until(writer.acknowledged.length + 20, RECOVERY_MS);
    await writer.stop();
    expect(await shape.ownerOf(MODEL)).to.not.equal(before);
    await expectNothingLost(world, writer, seen);
    expect(warnings).to.have.length(1);
    await before.start();
    await untilWhole(shape.nodes);
  });

  it('goes on hearing announcements when the node that it listens to is killed', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    await follow(world.another());
    const listeners = async () => {
      const ask = (node: TestRedis) =>
        askNode(node, (redis) => redis.pubsub('NUMSUB', world.keys.events)).catch(() => []);
      const counts = await Promise.all(shape.nodes.map(ask));
      return counts.some(([, count]) => Number(count) > 0);
    };
    expect(await listeners()).to.equal(true);
    for (const node of shape.nodes.slice(0, 3)) {
      if ((await infoOf(node)).get('role') !== 'master') continue;
      await node.kill();
      await until('somebody to listen', listeners, RECOVERY_MS);
      await node.start();
      await untilWhole(shape.nodes);
    }
  });
});

describe('a store over TLS, with a private CA and a user with few rights', () => {
  const here = shaped(() => tls(ACL_RULES));
  behavesAsAStore(() => here.world);

  it('is refused without the CA, and without the certificate', async () => {
    const { redisUrl, redisFiles } = here.shape;
    const open = (files: object) =>
      failure(openStore({ dataFolder: '/nonexistent', redisUrl: redisUrl!, redisFiles: files }));
    const untrusted = await open({});
    expect(untrusted.code).to.equal('STORE_UNAVAILABLE');
    expect(untrusted.message).to.include('--redis-ca');
    const unknown = await open({ ca: redisFiles!.ca });
    expect(unknown.message).to.include('--redis-cert');
    for (const error of [untrusted, unknown]) expect(error.message).to.not.include(redisUrl!.split(/[:@]/)[2]!);
  });
});

describe('a store on Sentinels over TLS, with a private CA', () => {
  const here = shaped<Sentinels>(() => sentinels(true));
  behavesAsAStore(() => here.world);

  it('says what is missing without the CA', async () => {
    const error = await failure(openStore({ dataFolder: '/nonexistent', redisUrl: here.shape.redisUrl! }));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include('--redis-ca');
  });

  it('goes to the new primary when the old one is killed', async function () {
    this.timeout(SHAPE_MS);
    const { world, shape } = here;
    const version = await world.publish('a');
    const before = await shape.primary();
    await before.kill();
    const promoted = () => world.promote(version).catch(() => undefined);
    await until('the failover', async () => (await promoted()) !== undefined, RECOVERY_MS);
    expect(await shape.primary()).to.not.equal(before);
  });
});

describe('a store on the embedded Redis', () => {
  const here: { shape?: Awaited<ReturnType<typeof embedded>>; holder?: RedisStore; world?: World } = {};
  before(async () => {
    here.shape = await embedded();
    here.holder = await openStore({ dataFolder: here.shape.dataFolder });
  });
  after(async () => {
    await here.holder?.close();
    await here.shape?.stop();
  });
  beforeEach(() => {
    here.world = new World({ address: here.holder!.address, socket: '' });
  });
  afterEach(() => here.world?.close());
  behavesAsAStore(() => here.world!);
});
