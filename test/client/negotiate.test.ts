/** `negotiate: true`: a connection is used only where the server keeps the contract that the program is written against. */
import { expect } from 'chai';
import { type ClientOptions, type ContractCall, connect } from '#parley/client/index.js';
import type { ParleyError } from '#parley/errors.js';
import { PARITY_IDL, parityModel, place, SCALARS_IDL, type Served, serve } from '../rpc/served.js';
import { skip } from '../skip.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { Between } from './between.js';

interface Services {
  readonly parity: { readonly side: ContractCall };
}

/** What the server runs, with a bound where the caller's contract has none. */
const NARROWER = PARITY_IDL.replace('optional double real', 'optional double real (max = "100")');
/** Another type. */
const OTHER = PARITY_IDL.replace('double real', 'string real');

describe('a client that negotiates', function () {
  this.timeout(30_000);
  const redis = sharedRedis();
  let world: World, narrower: World, served: Served, stricter: Served;
  const closing: { close(): void | Promise<void> }[] = [];

  before(async function () {
    world = new World(redis);
    narrower = new World(redis);
    await place(world.store, 'parity', parityModel(), PARITY_IDL);
    await place(narrower.store, 'parity', parityModel(), NARROWER);
    served = await serve(world.another());
    stricter = await serve(narrower.another());
    const { code } = await client(served, PARITY_IDL).then(
      () => ({ code: 'none' }),
      (error: ParleyError) => error,
    );
    if (code === 'UNSUPPORTED') skip(this, 'this server does not compare contracts yet');
  });
  after(async () => {
    await served.close();
    await stricter.close();
    await narrower.close();
    await world.close();
  });
  afterEach(async () => {
    for (const what of closing.splice(0).reverse()) await what.close();
  });

  const client = async (at: { host: string; port: number } | string, idl: string, options: ClientOptions = {}) => {
    const address = typeof at === 'string' ? at : `${at.host}:${at.port}`;
    const made = await connect<Services>(address, { contract: { idl }, negotiate: true, ...options });
    closing.push(made);
    return made;
  };

  it('calls a server that keeps the contract', async () => {
    const { parity } = await client(served, PARITY_IDL);
    expect(await parity.side({ real: 3 })).to.deep.include({ side: 11 });
  });

  it('calls a server whose contract differs in nothing that breaks callers', async () => {
    const { parity } = await client(served, NARROWER);
    expect(await parity.side({ real: 3 })).to.deep.include({ side: 11 });
  });

  it('does not connect where the contracts do not fit, and says where and why', async () => {
    for (const [at, idl] of [
      [served, OTHER],
      [stricter, PARITY_IDL],
    ] as const) {
      const error = await failure(client(at, idl));
      expect(error).to.include({ code: 'CONTRACT_MISMATCH', retryable: false });
      expect(error.message).to.match(
        /^the server's contract breaks this client, which is written against contract\.thrift: Number\.real: /,
      );
      expect(error.problems.map(({ path }) => path)).to.deep.equal(['Number.real']);
    }
  });

  it('does not connect to a server that has nothing of the contract', async () => {
    const error = await failure(client(served, SCALARS_IDL));
    expect(error.code).to.be.oneOf(['CONTRACT_MISMATCH', 'NOT_FOUND']);
    expect(error.message).to.include('Scales');
  });

  it('asks again on every new connection, and refuses calls once the server keeps another contract', async () => {
    const between = await Between.listen(served);
    closing.push(between);
    const made = await client(between.address, PARITY_IDL);
    expect(await made.parity.side({ real: 3 })).to.deep.include({ side: 11 });
    between.upstream = stricter;
    between.cut();
    await until('the connection to be gone', () => made.stats.connections === 0);
    expect(await failure(made.parity.side({ real: 3 }))).to.include({ code: 'CONTRACT_MISMATCH' });
    between.upstream = served;
    expect(await made.parity.side({ real: 3 })).to.deep.include({ side: 11 });
    expect(made.stats.retries).to.equal(0);
  });
});
