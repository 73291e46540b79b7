import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import { modelBroken, storeUnavailable } from '#parley/errors.js';
import type { ContractRecord } from '#parley/model/store-port.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { footprintOf } from '#parley/serving/footprint.js';
import { Router } from '#parley/serving/router.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, failure, World } from '../store/world.js';
import { type ContractShape, envelopeOf, FIXTURES, heavy, type Made, MODEL, recordOf, summing } from './models.js';

describe('the router', () => {
  const redis = sharedRedis();
  let world: World;
  let factory: Factory;
  let router: Router;
  let lines: { msg: string; [key: string]: unknown }[];
  let log: Logger;

  beforeEach(() => {
    world = new World(redis);
    lines = [];
    log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    factory = new Factory(world.store, new Batcher());
    router = new Router(world.store, factory, log);
  });
  afterEach(async () => {
    await router.close();
    factory.close();
    await world.close();
  });

  const told = (part: string) => lines.filter(({ msg }) => msg.includes(part));

  async function publish(made: Made, contract?: ContractRecord): Promise<string> {
    const bytes = envelopeOf(made),
      version = digestOf(bytes);
    await world.store.publishVersion({
      ...BY,
      model: MODEL,
      bytes,
      record: {
        version,
        modelType: 'tabular-regressor',
        metrics: {},
        ...(contract === undefined ? {} : { contractService: 'Scores', contractFingerprint: contract.fingerprint }),
      },
    });
    return version;
  }

  /** A version whose stored bytes are lost, which its record does not show. */
  async function publishLost(made: Made): Promise<string> {
    const version = await publish(made);
    await world.raw.hset(world.keys.blob(MODEL, version), '0', Buffer.from('other bytes'));
    return version;
  }

  const point = (version: string, aliasName = 'production', action: 'promote' | 'rollback' = 'promote') =>
    world.store.moveAlias({ ...BY, model: MODEL, aliasName, version, action });

  async function putInForce(shape: ContractShape = {}): Promise<ContractRecord> {
    const contract = recordOf(shape);
    const model = shape.model ?? MODEL;
    await world.store.publishContract({ ...BY, model, contract, fixtures: Buffer.from(FIXTURES) });
    return contract;
  }

  const chosen = (key: Uint8Array) => router.choose(MODEL, 'production', key)?.version;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const follows = (version: string, aliasName = 'production') =>
    until('the alias to follow', async () => {
      const route = await router.resolve(MODEL, aliasName).catch(() => undefined);
      return route?.servable.version === version;
    });
  const serves = (contract: ContractRecord) =>
    until('the contract', () => router.services.get('Scores')?.contract.fingerprint === contract.fingerprint);

  it('knows what is there when it starts, and loads a version on its first call', async () => {
    const contract = await putInForce();
    const version = await publish(summing(), contract);
    await point(version);
    await router.start();
    expect([...router.services.keys()]).to.deep.equal(['Scores']);
    expect(router.ready(MODEL, 'production')).to.equal(undefined);
    const route = await router.resolve(MODEL);
    expect(route.servable.version).to.equal(version);
    expect(route.aliasName).to.equal('production');
    expect(router.ready(MODEL, 'production')).to.equal(route.servable);
  });

  it('leads to a version by its digest or the beginning of it, under no alias', async () => {
    const version = await publish(summing());
    await router.start();
    expect(await router.resolve(MODEL, version.slice(0, 10))).to.include({ aliasName: undefined });
    expect((await router.resolve(MODEL, version)).servable.version).to.equal(version);
  });

  it('leads to a loaded version while the store is away', async () => {
    const version = await publish(summing());
    await router.start();
    await router.resolve(MODEL, version);
    await world.store.close();
    expect((await router.resolve(MODEL, version)).servable.version).to.equal(version);
  });

  it('says what there is where a model, an alias or a production version is not', async () => {
    await router.start();
    expect((await failure(router.resolve('nothing'))).message).to.contain('none has been published yet');
    const version = await publish(summing());
    await point(version, 'candidate');
    await follows(version, 'candidate');
    expect((await failure(router.resolve('nothing'))).message).to.contain(`the models are ${MODEL}`);
    const none = await failure(router.resolve(MODEL));
    expect(none.code).to.equal('NOT_FOUND');
    expect(none.message).to.contain('no version in production').and.contain('parley promote');
    expect((await failure(router.resolve(MODEL, 'shadow'))).message).to.contain('it has candidate');
  });

  it('follows an alias, and has loaded the new version before it takes over', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    await point(two);
    await until('the second version', () => {
      const ready = router.ready(MODEL, 'production');
      expect(ready, 'a call would have to wait').to.not.equal(undefined);
      return ready?.version === two;
    });
  });

  it('ends where an alias is that was moved many times in a row', async () => {
    const versions = await Promise.all([0, 1, 2].map((bias) => publish(summing(['a', 'b'], bias))));
    await point(versions[0]);
    await router.start();
    await router.resolve(MODEL);
    for (let i = 1; i <= 10; i++) await point(versions[i % 3]);
    await until('the last move', () => router.ready(MODEL, 'production')?.version === versions[1]);
  });

  it('keeps the old version serving while the new one does not load, and follows a rollback', async () => {
    const one = await publish(summing()),
      lost = await publishLost(summing(['a', 'b'], 1));
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    await point(lost);
    await until('the failure to be told', () => told('the new version does not load').length > 0);
    expect(router.ready(MODEL, 'production')?.version).to.equal(one);
    await point(one, 'production', 'rollback');
    const next = await publish(summing(['a', 'b'], 2));
    await point(next);
    await until('the next version', () => router.ready(MODEL, 'production')?.version === next);
  });

  it('tells of a version that does not load once, and of the model as lagging until it is served', async () => {
    const one = await publish(summing()),
      lost = await publishLost(summing(['a', 'b'], 1));
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    expect(router.lagging).to.deep.equal([]);
    await point(lost);
    await until('the failure to be told', () => told('the new version does not load').length > 0);
    for (const aliasName of ['candidate', 'shadow']) {
      await point(one, aliasName);
      await follows(one, aliasName);
    }
    expect(told('the new version does not load')).to.have.length(1);
    expect(told('the new version does not load')[0]).to.deep.include({ model: MODEL, version: lost });
    expect(router.lagging).to.deep.equal([MODEL]);
    await point(one, 'production', 'rollback');
    await until('the rollback', () => router.lagging.length === 0);
    await point(lost);
    await until('the next failure', () => told('the new version does not load').length === 2);
  });

  it('tells once of a version that is called and does not load', async () => {
    await point(await publishLost(summing()));
    await router.start();
    for (let i = 0; i < 3; i++) expect((await failure(router.resolve(MODEL))).code).to.equal('MODEL_BROKEN');
    expect(told('a version that is called does not load')).to.have.length(1);
  });

  it('tells once that it cannot take up a change while the store fails', async () => {
    let failures = 0;
    const state = async (model: string) => {
      if (model !== MODEL || failures === 2) return world.store.state(model);
      failures++;
      throw storeUnavailable(`away for the ${failures}. time`);
    };
    router = new Router(Object.create(world.store, { state: { value: state } }), factory, log);
    const version = await publish(summing());
    await point(version);
    await router.start();
    await follows(version);
    expect(failures).to.equal(2);
    expect(told('a change could not be taken up')).to.have.length(1);
  });

  it('has a version warmed before an alias leads to it', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    const warmed: (string | undefined)[][] = [];
    router.warmBy(async (servable, aliasName) => {
      warmed.push([servable.version, aliasName, router.ready(MODEL, 'production')?.version]);
    });
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    await point(two);
    await until('the second version', () => router.ready(MODEL, 'production')?.version === two);
    expect(warmed).to.deep.equal([[two, 'production', one]]);
  });

  it('keeps the old version when the new one cannot be warmed', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    router.warmBy(() => Promise.reject(modelBroken('no answer')));
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    await point(two);
    await until('the failure to be told', () => told('the new version does not load').length > 0);
    expect(router.ready(MODEL, 'production')?.version).to.equal(one);
  });

  describe('when memory holds one version', () => {
    let versions: string[];
    beforeEach(async () => {
      const bytes = envelopeOf(heavy(0)).length;
      factory = new Factory(world.store, new Batcher(), { memoryLimitBytes: 1.7 * footprintOf(bytes, heavy(0).graph) });
      router = new Router(world.store, factory, log);
      versions = await Promise.all([0, 1].map((bias) => publish(heavy(bias))));
    });

    it("loads an alias's version again when it has gone", async () => {
      await point(versions[0]);
      await router.start();
      const first = (await router.resolve(MODEL)).servable;
      await turn();
      await router.resolve(MODEL, versions[1]);
      expect(router.ready(MODEL, 'production')).to.equal(undefined);
      await turn();
      const again = (await router.resolve(MODEL)).servable;
      expect(again.version).to.equal(versions[0]);
      expect(again).to.not.equal(first);
    });

    it('keeps the version that answers while its successor has no room, and goes on trying', async () => {
      await point(versions[0]);
      await router.start();
      await router.resolve(MODEL);
      await point(versions[1]);
      await until('the failure to be told', () => told('the new version does not load').length > 0);
      expect(router.ready(MODEL, 'production')?.version).to.equal(versions[0]);
      expect(router.lagging).to.deep.equal([MODEL]);
      factory.forget(MODEL, versions[0]);
      await until('the successor', () => router.lagging.length === 0);
      expect((await router.resolve(MODEL)).servable.version).to.equal(versions[1]);
      expect(told('the new version does not load')).to.have.length(1);
    });
  });

  it('loads a canary again that has gone, for the call that is its own', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    await point(one);
    await world.store.setCanary({ ...BY, model: MODEL, aliasName: 'production', version: two, weight: 0.5 });
    await router.start();
    const key = [...Array(100).keys()].map((i) => Buffer.from(`${i}`)).find((k) => chosen(k) === two)!;
    factory.forget(MODEL, two);
    expect(chosen(key)).to.equal(undefined);
    expect((await router.resolveCall(MODEL, undefined, key)).servable.version).to.equal(two);
    expect(chosen(key)).to.equal(two);
  });

  it('loads a canary again that has gone for calls without a key, and gives both versions their share', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    await point(one);
    await world.store.setCanary({ ...BY, model: MODEL, aliasName: 'production', version: two, weight: 0.1 });
    await router.start();
    factory.forget(MODEL, two);
    const met: string[] = [];
    for (let call = 0; call < 100; call++)
      met.push((router.choose(MODEL, 'production') ?? (await router.resolveCall(MODEL)).servable).version);
    expect(met.filter((version) => version === two).length).to.be.within(9, 11);
  });

  it('keeps a version that has gone when its successor does not load, and loads it again', async () => {
    const one = await publish(summing()),
      lost = await publishLost(summing(['a', 'b'], 1));
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    factory.forget(MODEL, one);
    await point(lost);
    await until('the failure to be told', () => told('the new version does not load').length > 0);
    expect((await router.resolve(MODEL)).servable.version).to.equal(one);
    expect(router.lagging).to.deep.equal([MODEL]);
  });

  it('does not go back to what an earlier failure wanted when it tries again', async () => {
    const [one, two, three] = await Promise.all([0, 1, 2].map((bias) => publish(summing(['a', 'b'], bias))));
    let holding = false,
      letGo: (() => void) | undefined;
    const state = async (model: string) => {
      const read = await world.store.state(model);
      if (holding && read.aliases[0].version === two) {
        holding = false;
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      }
      return read;
    };
    router = new Router(Object.create(world.store, { state: { value: state } }), factory, log);
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    const { load } = factory;
    factory.load = (model, version) => {
      if (version !== two || holding) return load.call(factory, model, version);
      factory.load = load;
      holding = true;
      return Promise.reject(storeUnavailable('away'));
    };
    await point(two);
    const goOn = await until('the second try', () => letGo);
    await point(three);
    await until('the store to say so', async () => (await world.store.state(MODEL)).aliases[0].version === three);
    goOn!();
    await until('the third version', () => router.ready(MODEL, 'production')?.version === three);
    await point(one, 'candidate');
    await follows(one, 'candidate');
    expect(router.ready(MODEL, 'production')?.version).to.equal(three);
  });

  it('forgets an alias that is gone, and a model whose store was emptied', async () => {
    const contract = await putInForce();
    const version = await publish(summing(), contract);
    await point(version);
    await router.start();
    await router.resolve(MODEL);
    const keys = await world.raw.keys(`${world.prefix}*`);
    await world.raw.del(...keys);
    await until('the model to be gone', async () => router.services.size === 0);
    expect((await failure(router.resolve(MODEL))).message).to.contain('there is no model');
  });

  it('follows the aliases also where the contract in force cannot be read', async () => {
    const [one, two] = [await publish(summing()), await publish(summing(['a', 'b'], 1))];
    await point(one);
    await router.start();
    await router.resolve(MODEL);
    const contract = { ...recordOf(), idl: 'service Later {', fingerprint: 'f'.repeat(64) };
    await world.store.publishContract({ ...BY, model: MODEL, contract, fixtures: Buffer.from(FIXTURES) });
    await until('the failure to be told', () => told('a change could not be taken up').length > 0);
    await point(two);
    await until('the second version', () => router.ready(MODEL, 'production')?.version === two);
  });

  describe('when the version in production does not fit the new contract', () => {
    let first: ContractRecord;
    let one: string;
    beforeEach(async () => {
      first = await putInForce();
      one = await publish(summing(), first);
      await point(one);
    });

    it('keeps the contract that it was accepted under, and says so', async () => {
      await router.start();
      await router.resolve(MODEL);
      await putInForce({ fields: ['a', 'c'] });
      await until('the warning', () => told('does not fit the contract in force').length > 0);
      const typed = router.services.get('Scores');
      expect(typed?.contract.fingerprint).to.equal(first.fingerprint);
      expect(router.binding((await router.resolve(MODEL)).servable, typed!).methods).to.have.length(1);
    });

    it('does so after a restart', async () => {
      await putInForce({ fields: ['a', 'c'] });
      await router.start();
      expect(router.services.get('Scores')?.contract.fingerprint).to.equal(first.fingerprint);
    });

    it('changes contract and version in one step when one is promoted that fits', async () => {
      await router.start();
      await router.resolve(MODEL);
      const second = await putInForce({ fields: ['a', 'c'] });
      await until('the warning', () => told('does not fit the contract in force').length > 0);
      const two = await publish(summing(['a', 'c']), second);
      await point(two);
      await until('the second version', () => {
        const typed = router.services.get('Scores')!,
          servable = router.ready(MODEL, 'production')!;
        router.binding(servable, typed); // throws where the two do not fit
        return servable.version === two && typed.contract.fingerprint === second.fingerprint;
      });
    });

    it('takes up a contract that the version fits though it was accepted under another', async () => {
      await router.start();
      await serves(first);
      const second = await putInForce({ accept: ', accept.rmse = "<= 3"' });
      expect(second.fingerprint).to.not.equal(first.fingerprint);
      await serves(second);
      expect(told('does not fit')).to.deep.equal([]);
    });
  });
});
