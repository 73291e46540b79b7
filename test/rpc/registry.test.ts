/** The registry's changes of aliases and versions over Thrift, and what callers meet meanwhile. */
import { expect } from 'chai';
import prediction from '#gen/Prediction.js';
import types from '#gen/parley_types.js';
import registryService from '#gen/Registry.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { callTyped } from '#parley/rpc/client/typed.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';
import { RegistryWorld } from '../registry/world.js';
import { MODEL, summing } from '../serving/models.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { type Served, serve } from './served.js';

interface Answer {
  readonly provenance: { readonly version: string; readonly alias_name?: string };
  readonly outputs: readonly { readonly name: string; readonly data: Buffer }[];
}

describe('the registry over Thrift', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: RegistryWorld;
  let served: Served;
  let client: ParleyClient;
  let connection: ClientConnection;
  /** In production; answers the sum of its inputs. */
  let a: string;
  /** Accepted too; answers a quarter more. */
  let b: string;

  beforeEach(async () => {
    world = new RegistryWorld(redis);
    await world.publishContract();
    b = (await world.publishModel(summing(['a', 'b'], 0.25))).version;
    await world.registry.accept(MODEL, b);
    a = await world.release(summing());
    served = await serve(world.store);
    client = await ParleyClient.connect(served);
    connection = await ClientConnection.open(served);
  });
  afterEach(async () => {
    connection.close();
    client.close();
    await served.close();
    await world.close();
  });

  const tensor = (name: string, value: number) =>
    new types.Tensor({
      name,
      data_type: DATA_TYPES.float64.number,
      shape: [wireInt(1), wireInt(1)],
      data: Buffer.from(Float64Array.of(value).buffer),
    } as never);

  const predict = (fields: object): Promise<Answer> =>
    connection.call<Answer>(
      prediction.Client as never,
      'predict',
      new types.PredictRequest({ model: MODEL, inputs: [tensor('a', 1), tensor('b', 2)], ...fields } as never),
    );

  /** Each answer is what the version that it names computes. */
  function versionOf({ provenance, outputs }: Answer): string {
    const { data } = outputs.find(({ name }) => name === 'value')!;
    expect(data.readFloatLE(0)).to.equal(provenance.version === b ? 3.25 : 3);
    expect(provenance.alias_name).to.equal('production');
    return provenance.version;
  }

  const met = async (keys: number): Promise<string[]> =>
    Promise.all(Array.from({ length: keys }, async (_, i) => versionOf(await predict({ routing_key: `caller-${i}` }))));

  it('gives a canary its share of callers, who stay with it, on a connection that asked before', async () => {
    expect(new Set(await met(20))).to.deep.equal(new Set([a]));
    expect(await client.promote({ model: MODEL, version: b, canaryWeight: 0.5 })).to.include({
      action: 'canary',
      version: b,
      canaryWeight: 0.5,
    });
    await until('the canary', async () => new Set(await met(20)).size === 2);
    const first = await met(200);
    expect(first.filter((version) => version === b).length).to.be.within(70, 130);
    expect(await met(200)).to.deep.equal(first);
    expect(
      new Set(await Promise.all(Array.from({ length: 20 }, async () => versionOf(await predict({}))))),
    ).to.have.length(2);
  });

  it('gives a canary its share of typed calls, each of which names its version', async () => {
    await client.promote({ model: MODEL, version: b, canaryWeight: 0.25 });
    await until('the canary', async () => new Set(await met(20)).size === 2);
    const service = (await client.contract('Scores')).services[0]!;
    const versions: string[] = [];
    for (let call = 0; call < 100; call++) {
      const [answer] = await callTyped(connection, service, [{ a: 1, b: 2 }], { many: false });
      versions.push(answer!.value === 3.25 ? b : a);
    }
    expect(versions.filter((version) => version === b).length).to.be.within(23, 27);
  });

  it('describes the alias by its own version while a canary runs', async () => {
    await client.promote({ model: MODEL, version: b, canaryWeight: 0.9 });
    await until('the canary', async () => new Set(await met(20)).size === 2);
    for (let call = 0; call < 5; call++) {
      const described = await connection.call<{ version: string }>(
        prediction.Client as never,
        'describe',
        new types.DescribeRequest({ model: MODEL } as never),
      );
      expect(described.version).to.equal(a);
    }
  });

  it('tells the whole state of the aliases, as the registry itself does', async () => {
    await client.promote({ model: MODEL, version: b, canaryWeight: 0.5 });
    await client.hold({ model: MODEL, reason: 'watched' });
    const states = await client.aliases(MODEL);
    expect(states).to.deep.equal(await world.registry.aliases(MODEL));
    expect(states[0]).to.deep.include({ version: a, canary: { version: b, weight: 0.5 }, held: true });
    expect(states[0]?.lastChange).to.include({ action: 'hold', reason: 'watched' });
  });

  it('holds and releases an alias', async () => {
    expect(await client.hold({ model: MODEL, aliasName: 'production', reason: 'incident' })).to.include({
      action: 'hold',
      aliasName: 'production',
      reason: 'incident',
    });
    const refused = await failure(client.promote({ model: MODEL, version: b }));
    expect(refused.code).to.equal('CONFLICT');
    expect(refused.message).to.include('held by ada').and.include('"incident"');
    expect(await client.release({ model: MODEL, reason: 'over' })).to.include({ action: 'release', reason: 'over' });
    expect(await client.promote({ model: MODEL, version: b })).to.include({ action: 'promote' });
  });

  it('answers no longer for a version that is retired', async () => {
    expect((await predict({ reference: b })).provenance.version).to.equal(b);
    expect(await client.retire({ model: MODEL, version: b.slice(0, 12), reason: 'old' })).to.include({
      action: 'retire',
      version: b,
      reason: 'old',
    });
    const error = await until('the refusal', () =>
      predict({ reference: b }).then(
        () => undefined,
        (refusal: { code: string; message: string }) => refusal,
      ),
    );
    expect(error).to.include({ code: 'NOT_FOUND' });
    expect(error!.message).to.include('is retired since');
    expect((await client.listVersions({ model: MODEL })).items.find(({ version }) => version === b)?.retired).to.equal(
      true,
    );
  });

  it('prunes what was never promoted, after saying what that would be', async () => {
    const planned = await client.prune({ model: MODEL, keep: 0, dryRun: true });
    expect(planned.map(({ version, accepted }) => ({ version, accepted }))).to.deep.equal([
      { version: b, accepted: true },
    ]);
    expect((await client.listVersions({ model: MODEL })).items).to.have.length(2);
    expect(await client.prune({ model: MODEL, keep: 0, reason: 'space' })).to.deep.equal(planned);
    expect((await client.listVersions({ model: MODEL })).items.map(({ version }) => version)).to.deep.equal([a]);
    expect((await client.history({ model: MODEL, limit: 1 }))[0]).to.include({ action: 'prune', reason: 'space' });
  });

  for (const [method, Request, fields, path] of [
    ['hold', types.HoldRequest, {}, 'request.model'],
    ['release', types.HoldRequest, {}, 'request.model'],
    ['retire', types.RetireRequest, { model: MODEL }, 'request.version'],
    ['prune', types.PruneRequest, { model: MODEL }, 'request.keep'],
  ] as const) {
    it(`says which field of ${method} is missing`, async () => {
      const call = connection.call(registryService.Client as never, method, new Request(fields as never));
      const error = await failure(call);
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.problems.map((problem) => problem.path)).to.deep.equal([path]);
    });
  }
});
