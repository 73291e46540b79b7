import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import { storeUnavailable } from '#parley/errors.js';
import type { ContractRecord } from '#parley/model/store-port.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { Router } from '#parley/serving/router.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, failure, World } from '../store/world.js';
import { type ContractShape, envelopeOf, FIXTURES, type Made, MODEL, recordOf, summing } from './models.js';

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
