import { expect } from 'chai';
import { storeUnavailable } from '#parley/errors.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { Servable } from '#parley/serving/servable.js';
import { failure } from '../store/world.js';
import { put } from './calls.js';
import { envelopeOf, MODEL, servableOf, summary, summing } from './models.js';

/** A store of one envelope, that counts how often it is read and answers when it is told to. */
class OneEnvelope {
  reads = 0;
  failures: Error[] = [];
  private readonly waiting: (() => void)[] = [];
  holding = false;

  constructor(readonly envelope = envelopeOf(summing())) {}

  get version(): string {
    return digestOf(this.envelope);
  }

  async readVersion(): Promise<Buffer> {
    this.reads++;
    if (this.holding) await new Promise<void>((resolve) => this.waiting.push(resolve));
    const failed = this.failures.shift();
    if (failed !== undefined) throw failed;
    return Buffer.from(this.envelope);
  }

  letGo(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}

describe('the factory', () => {
  let store: OneEnvelope;
  let factory: Factory;
  beforeEach(() => {
    store = new OneEnvelope();
    factory = new Factory(store, new Batcher());
  });
  afterEach(() => factory.close());

  it('loads a version once for all that want it at once, and afterwards', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => factory.load(MODEL, store.version)));
    expect(new Set([...all, await factory.load(MODEL, store.version)]).size).to.equal(1);
    expect(store.reads).to.equal(1);
    expect(factory.loaded(MODEL, store.version)).to.equal(all[0]);
  });

  it('does not remember a failure', async () => {
    store.failures = [storeUnavailable('away')];
    const tries = await Promise.allSettled([factory.load(MODEL, store.version), factory.load(MODEL, store.version)]);
    expect(tries.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect((await factory.load(MODEL, store.version)).version).to.equal(store.version);
    expect(store.reads).to.equal(2);
  });

  it('refuses a graph whose answers are not one for each row', async () => {
    const odd = new OneEnvelope(envelopeOf(summary()));
    const error = await failure(new Factory(odd, new Batcher()).load(MODEL, odd.version));
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.contain('"total"');
  });

  it('releases what it has loaded when it is closed', async () => {
    const servable = await factory.load(MODEL, store.version);
    factory.close();
    const call = put(servable.plan([0]), [[1], [2]]);
    await call.settled;
    expect(call.error.code).to.equal('MODEL_BROKEN');
    expect(factory.size).to.equal(0);
  });

  it('keeps nothing that is read when it is closed already', async () => {
    store.holding = true;
    const loading = failure(factory.load(MODEL, store.version));
    factory.close();
    store.letGo();
    expect((await loading).code).to.equal('SHUTTING_DOWN');
    expect(factory.size).to.equal(0);
  });
});

describe('a factory that is closed while it loads', () => {
  const { of } = Servable;
  afterEach(() => {
    Servable.of = of;
  });

  it('releases what comes then', async () => {
    const store = new OneEnvelope(),
      factory = new Factory(store, new Batcher());
    let late: Servable | undefined;
    Servable.of = async (...all) => {
      late = await of.apply(Servable, all);
      factory.close();
      return late;
    };
    expect((await failure(factory.load(MODEL, store.version))).code).to.equal('SHUTTING_DOWN');
    const call = put(late!.plan([0]), [[1], [2]]);
    await call.settled;
    expect(call.error.code).to.equal('MODEL_BROKEN');
  });
});

describe('a servable', () => {
  it('knows its inputs and outputs, and takes some rows at once', async () => {
    const servable = await servableOf(summing());
    expect(servable.inputs.map(({ name, dataType, rowWidth }) => [name, dataType, rowWidth])).to.deep.equal([
      ['a', 'float64', 1],
      ['b', 'float64', 1],
    ]);
    expect(servable.outputs.map(({ name, rowShape }) => [name, rowShape])).to.deep.equal([
      ['value', [1]],
      ['weighted', [1]],
    ]);
    expect(servable.maxRows).to.be.within(8, 1024);
    servable.release();
  });
});
