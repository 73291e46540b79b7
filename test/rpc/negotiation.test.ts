/** Callers that send their own contract are told whether they and the server can talk. */
import { expect } from 'chai';
import { Negotiator } from '#parley/registry/negotiation/negotiator.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { PARITY_IDL, placeSmall, type Served, serve } from './served.js';

describe('negotiation with a server', () => {
  const redis = sharedRedis();
  let world: World, served: Served, client: ParleyClient;

  before(async () => {
    world = new World(redis);
    await placeSmall(world.store);
    served = await serve(world.store);
    client = await ParleyClient.connect(served);
  });
  after(async () => {
    client.close();
    await served.close();
    await world.close();
  });

  const withField = PARITY_IDL.replace('1: optional double real', '1: optional double real, 2: optional double other');
  const withMethod = PARITY_IDL.replace(
    'service Parity {',
    'service Parity { Side other(1: Number number) throws (1: parley.ParleyError error)',
  );

  it('finds nothing between a caller and a server of the same contract', async () => {
    const { fingerprint } = await client.contract('Parity');
    for (const idl of [PARITY_IDL, `// spacing is no difference\n${PARITY_IDL}`])
      expect(await client.negotiate({ idl }, 'Parity')).to.deep.equal({
        compatible: true,
        fingerprint,
        differences: [],
      });
  });

  it('tells a caller which field and which method of its own the server does not have', async () => {
    const field = await client.negotiate({ idl: withField }, 'Parity');
    expect(field.compatible).to.equal(false);
    expect(field.differences.map(({ path, breaks }) => [path, breaks.includes('callers')])).to.deep.equal([
      ['Number.other', true],
    ]);
    expect(field.differences[0]?.kind).to.equal('field-removed');
    const method = await client.negotiate({ idl: withMethod }, 'Parity');
    expect(method.compatible).to.equal(false);
    expect(method.differences.map(({ path }) => path)).to.deep.equal(['Parity.other']);
  });

  it('finds the contract by the services of the caller, where none is named', async () => {
    const { fingerprint } = await client.contract('Parity');
    expect(await client.negotiate({ idl: withField })).to.include({ compatible: false, fingerprint });
    const stranger = await client.negotiate({ idl: PARITY_IDL.replace('service Parity', 'service Oddity') });
    expect(stranger).to.deep.include({ compatible: false, fingerprint: undefined });
    expect(stranger.differences).to.have.length(1);
    expect(stranger.differences[0]).to.include({ path: 'Oddity', kind: 'service-removed' });
  });

  it('reads what the text includes', async () => {
    const idl = PARITY_IDL.replace('namespace js parity', 'include "units.thrift"').replace(
      'double real',
      'units.Real real',
    );
    const includes = { 'units.thrift': 'typedef double Real\n' };
    expect(await client.negotiate({ idl, includes }, 'Parity')).to.include({ compatible: true });
    expect((await failure(client.negotiate({ idl }, 'Parity'))).message).to.contain('units.thrift');
  });

  it('says where a text is no contract', async () => {
    const error = await failure(client.negotiate({ idl: 'struct {\n' }, 'Parity'));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.problems[0]?.path).to.match(/^request\.idl:\d+:\d+$/);
  });

  it('refuses a service that is in one of the two only', async () => {
    expect((await failure(client.negotiate({ idl: PARITY_IDL }, 'Scales'))).code).to.equal('INVALID_INPUT');
    expect((await failure(client.negotiate({ idl: PARITY_IDL }, 'Oddity'))).code).to.equal('NOT_FOUND');
  });

  it('refuses a text that is too long', async () => {
    const error = await failure(client.negotiate({ idl: `${PARITY_IDL}//${'x'.repeat(1 << 20)}` }));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.problems[0]?.path).to.equal('request.idl');
  });

  it('answers others while a long text is read', async () => {
    const fields = Array.from({ length: 10_000 }, (_, i) => `${i + 1}: optional double field_${i}`).join('\n');
    let read = false;
    const reading = client
      .negotiate({ idl: PARITY_IDL.replace('1: optional double real', fields) })
      .then(({ compatible }) => compatible)
      .catch(({ code }) => code)
      .finally(() => {
        read = true;
      });
    let answered = 0;
    const other = await ParleyClient.connect(served);
    for (; !read && answered < 50; answered++) await other.ping();
    other.close();
    expect(answered).to.equal(50);
    expect(await reading).to.be.oneOf([false, 'INVALID_INPUT']);
  });

  it('gives up on a text that takes too long, and reads the next one', async () => {
    const negotiator = new Negotiator(200);
    const fields = Array.from({ length: 38_000 }, (_, i) => `${i + 1}:optional i8 f${i}`).join('\n');
    const asked = (idl: string) => negotiator.ask({ callers: { file: 'theirs.thrift', idl }, served: [] });
    try {
      const error = await failure(asked(PARITY_IDL.replace('1: optional double real', fields)));
      expect(error).to.include({ code: 'INVALID_INPUT' });
      expect(error.message).to.contain('takes longer than 0.2 s');
      for (let tries = 0; ; tries++) {
        const answer = await asked(`${PARITY_IDL}// ${tries}`).catch(() => undefined);
        // A thread that starts on a busy machine may take as long.
        if (answer === undefined && tries < 20) continue;
        expect(answer).to.include({ compatible: false });
        break;
      }
    } finally {
      await negotiator.close();
    }
  });
});
