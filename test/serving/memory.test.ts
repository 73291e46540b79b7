import { expect } from 'chai';
import { digestOf } from '#parley/model-types/envelope.js';
import { Session } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { footprintOf } from '#parley/serving/footprint.js';
import { chooseEvictions, IMPORTANCE, type Resident } from '#parley/serving/memory.js';
import type { Servable } from '#parley/serving/servable.js';
import { Users } from '#parley/serving/users.js';
import { failure } from '../store/world.js';
import { put, Recorded } from './calls.js';
import { envelopeOf, heavy, MODEL, summary } from './models.js';

const resident = (bytes: number, usedMs: number, more: Partial<Resident> = {}): Resident => ({
  bytes,
  usedMs,
  importance: IMPORTANCE.none,
  inUse: false,
  ...more,
});

describe('what is to go when memory is short', () => {
  const [old, recent] = [resident(10, 1), resident(10, 2)];
  const candidate = resident(10, 0, { importance: IMPORTANCE.alias }),
    production = resident(10, -1, { importance: IMPORTANCE.production });
  const all = [production, recent, candidate, old];

  it('is the least recently used, and no more than is needed', () => {
    expect(chooseEvictions(all, 10)).to.deep.equal([old]);
    expect(chooseEvictions(all, 11)).to.deep.equal([old, recent]);
  });

  it('is not what was used longer ago where the one behind it is enough', () => {
    const large = resident(30, 3);
    expect(chooseEvictions([large, recent, old], 25)).to.deep.equal([large]);
    expect(chooseEvictions([large, recent, old], 35)).to.deep.equal([old, large]);
  });

  it('is what an alias leads to only when nothing else is left, and production last', () => {
    expect(chooseEvictions(all, 30)).to.deep.equal([old, recent, candidate]);
    expect(chooseEvictions(all, 40)).to.deep.equal([old, recent, candidate, production]);
  });

  it('is never what is in use', () => {
    expect(chooseEvictions([resident(10, 0, { inUse: true }), recent], 10)).to.deep.equal([recent]);
  });

  it('is nothing at all where all of it would not be enough', () => {
    expect(chooseEvictions(all, 41)).to.equal(undefined);
    expect(chooseEvictions([resident(50, 0, { inUse: true })], 1)).to.equal(undefined);
  });
});

describe('what is used by some', () => {
  it('is let go at once where nobody uses it', () => {
    let gone = 0;
    new Users().giveUp(() => gone++);
    expect(gone).to.equal(1);
  });

  it('is let go once, when the last has left', () => {
    const users = new Users();
    let gone = 0;
    users.enter();
    users.enter();
    users.giveUp(() => gone++);
    users.leave();
    expect(gone).to.equal(0);
    users.leave();
    users.enter();
    users.leave();
    expect(gone).to.equal(1);
  });
});

/** Versions of about 1 MiB. */
class Shelf {
  readonly #envelopes = new Map<string, Uint8Array>();
  readonly versions: readonly string[];
  readonly reads: string[] = [];

  constructor(count: number) {
    for (let bias = 0; bias < count; bias++) {
      const envelope = envelopeOf(heavy(bias));
      this.#envelopes.set(digestOf(envelope), envelope);
    }
    this.versions = [...this.#envelopes.keys()];
  }

  /** What each takes once it is loaded. */
  get footprint(): number {
    return footprintOf(this.#envelopes.get(this.versions[0]!)!.length, heavy(0).graph);
  }

  /** Its graph becomes one whose rows cannot be batched. */
  spoil(version: string): void {
    this.#envelopes.set(version, envelopeOf(summary()));
  }

  async readVersion(_model: string, version: string): Promise<Buffer> {
    this.reads.push(version);
    return Buffer.from(this.#envelopes.get(version)!);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a factory whose memory is limited to two versions', () => {
  const shelf = new Shelf(4);
  const [one, two, three] = shelf.versions as [string, string, string];
  let batcher: Batcher;
  let factory: Factory;
  let released: string[];
  const { release } = Session.prototype;

  const limited = (bytes: number) => new Factory(shelf, batcher, { memoryLimitBytes: bytes });
  const loaded = () => shelf.versions.filter((version) => factory.loaded(MODEL, version) !== undefined);

  /** Loads it and lets the turn end, so that it is free to go. */
  async function load(version: string): Promise<Servable> {
    const servable = await factory.load(MODEL, version);
    await turn();
    return servable;
  }

  beforeEach(() => {
    batcher = new Batcher();
    shelf.reads.length = 0;
    factory = limited(shelf.footprint * 2.5);
    released = [];
    Session.prototype.release = function (this: Session) {
      released.push('a session');
      release.call(this);
    };
  });
  afterEach(() => {
    Session.prototype.release = release;
    factory.close();
  });

  it('releases the least recently used to load a third', async () => {
    await load(one);
    await load(two);
    await put((await load(one)).plan([0]), [[1], [1]]).settled;
    await load(three);
    expect(loaded()).to.deep.equal([one, three]);
    expect(released).to.have.length(1);
    expect(factory.evictions).to.equal(1);
    expect(factory.memory.takenBytes).to.equal(2 * shelf.footprint);
  });

  it('loads again what has gone', async () => {
    for (const version of [one, two, three]) await load(version);
    const call = put((await load(one)).plan([0]), [[1], [1]]);
    await call.settled;
    expect(call.values).to.deep.equal([[2]]);
  });

  it('lets go what no alias leads to before what was used longer ago', async () => {
    const gone: string[] = [];
    factory.followedBy(
      ({ version }) => (version === one ? IMPORTANCE.production : IMPORTANCE.none),
      ({ version }) => gone.push(version),
    );
    for (const version of [one, two, three]) await load(version);
    expect(loaded()).to.deep.equal([one, three]);
    expect(gone).to.deep.equal([two]);
  });

  it('never releases a version in whose batch rows wait', async () => {
    const first = await load(one);
    await load(two);
    const call = put(first.plan([0]), [[1], [1]]);
    const loading = factory.load(MODEL, three);
    await call.settled;
    expect(call.values).to.deep.equal([[2]]);
    await loading;
    expect(factory.loaded(MODEL, three)).to.not.equal(undefined);
  });

  it('refuses for now what has no room while all the rest is in use', async () => {
    for (const version of [one, two]) (await load(version)).users.enter();
    const error = await failure(factory.load(MODEL, three));
    expect(error.code).to.equal('OVERLOADED');
    expect(error.message).to.contain('--memory-limit');
    expect(error.retryAfterMs).to.be.above(0);
    expect(loaded()).to.deep.equal([one, two]);
    factory.loaded(MODEL, one)!.users.leave();
    await load(three);
    expect(loaded()).to.deep.equal([two, three]);
  });

  it('refuses what is larger than the whole limit, and lets nothing go for it', async () => {
    const small = limited(shelf.footprint / 2);
    const error = await failure(small.load(MODEL, one));
    expect(error.code).to.equal('UNSUPPORTED');
    expect(error.message).to.contain('larger --memory-limit');
    expect(small.evictions).to.equal(0);
    expect(small.memory.takenBytes).to.equal(0);
    small.close();
  });

  it('keeps what it has given out until the turn ends', async () => {
    await load(one);
    await load(two);
    const [first, second] = await Promise.all([factory.load(MODEL, one), factory.load(MODEL, two)]);
    const loading = factory.load(MODEL, three);
    for (let i = 0; i < 50; i++) await Promise.resolve();
    expect(released).to.deep.equal([]);
    expect([first, second].map(({ users }) => users.any)).to.deep.equal([true, true]);
    await loading;
  });

  it('counts what is being loaded too', async () => {
    await Promise.all(shelf.versions.map((version) => factory.load(MODEL, version)));
    expect(factory.memory.takenBytes).to.be.at.most(factory.memory.limitBytes);
    expect(loaded()).to.have.length(2);
  });

  it('gives back the memory of what does not load', async () => {
    const broken = new Shelf(1),
      version = broken.versions[0]!;
    broken.spoil(version);
    const other = new Factory(broken, batcher, { memoryLimitBytes: 1 << 30 });
    expect((await failure(other.load(MODEL, version))).code).to.equal('MODEL_BROKEN');
    expect(other.memory.takenBytes).to.equal(0);
    expect(other.loadFailures).to.equal(1);
    other.close();
  });

  it('does not read broken bytes again for every call', async () => {
    const broken = new Shelf(1),
      version = broken.versions[0]!;
    broken.spoil(version);
    const other = new Factory(broken, batcher);
    await failure(other.load(MODEL, version));
    expect((await failure(other.load(MODEL, version))).code).to.equal('MODEL_BROKEN');
    expect(broken.reads).to.have.length(1);
    other.close();
  });

  it('releases a forgotten version behind the last call that waits for it', async () => {
    const call = put((await load(one)).plan([0]), [[1], [1]]);
    factory.forget(MODEL, one);
    expect(loaded()).to.deep.equal([]);
    expect(released).to.deep.equal([]);
    await call.settled;
    expect(call.values).to.deep.equal([[2]]);
    expect(released).to.have.length(1);
    expect(factory.memory.takenBytes).to.equal(0);
  });

  it('releases a forgotten version when the calls that wait for it have no time left', async () => {
    const servable = await load(one);
    const late = put(servable.plan([0]), [[1], [1]], new Recorded(0));
    factory.forget(MODEL, one);
    await late.settled;
    await turn();
    expect(late.error.code).to.equal('DEADLINE_EXCEEDED');
    expect(released).to.have.length(1);
  });
});
