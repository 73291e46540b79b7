/** `parley/client` and servers that guard themselves, and what its module brings into a process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type ClientOptions, type ContractCall, connect } from '#parley/client/index.js';
import { Access } from '#parley/security/access.js';
import { Certificates } from '#parley/security/certificates.js';
import { newToken, sha256Of } from '#parley/security/tokens.js';
import { PARITY_IDL, parityModel, place, type Served, serve } from '../rpc/served.js';
import { TlsFiles } from '../security/tls-files.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';

interface Services {
  readonly parity: { readonly side: ContractCall };
}

describe('the client before a server that guards itself', function () {
  this.timeout(30_000);
  const redis = sharedRedis(),
    files = new TlsFiles(),
    token = newToken(),
    other = newToken();
  let world: World, served: Served | undefined, access: Access, ca: string;
  const open: { close(): void }[] = [];

  before(async () => {
    world = new World(redis);
    ca = files.authority('ca');
    files.authority('other-ca');
    files.issue('server');
    await place(world.store, 'parity', parityModel(), PARITY_IDL);
  });
  after(async () => {
    files.remove();
    await world.close();
  });
  beforeEach(async () => {
    access = new Access([], true);
    allow(token);
    served = await serve(world.another(), {}, undefined, {
      access,
      certificates: new Certificates(files.pair('server')),
    });
  });
  afterEach(async () => {
    for (const client of open.splice(0)) client.close();
    await served?.close();
    served = undefined;
  });

  const allow = (shown: string) =>
    access.replace([{ name: 'ada', sha256: sha256Of(shown), roles: ['predict'], created: '2026-01-01T00:00:00Z' }]);
  const client = async (options: ClientOptions) => {
    const made = await connect<Services>(`127.0.0.1:${served!.port}`, { contract: { idl: PARITY_IDL }, ...options });
    open.push(made);
    return made;
  };
  const ROW = { real: 3 };

  it('shows its token over TLS, also where the method takes no context', async () => {
    const { parity } = await client({ tls: { ca }, token });
    expect(await parity.side(ROW)).to.deep.include({ side: 11 });
  });

  it('asks a function for the token of every try', async () => {
    let now = token;
    const { parity } = await client({ tls: { ca }, token: async () => now });
    await parity.side(ROW);
    allow(other);
    expect((await failure(parity.side(ROW))).code).to.equal('UNAUTHENTICATED');
    now = other;
    expect(await parity.side(ROW)).to.deep.include({ side: 11 });
  });

  it('takes the token of the environment where none is given', async () => {
    const script = `
      const { connect } = await import('parley/client');
      const client = await connect('127.0.0.1:${served!.port}', ${JSON.stringify({ tls: { ca }, contract: { idl: PARITY_IDL } })});
      console.log((await client.parity.side({ real: 3 })).side);
      client.close();`;
    const run = (env: NodeJS.ProcessEnv) => runScript(script, env).catch((error: Error) => error.message);
    expect(await run({ PARLEY_TOKEN: token })).to.equal('11\n');
    expect(await run({})).to.include('UNAUTHENTICATED');
  });

  it('says what is wrong by the names of its own options', async () => {
    const wrong = async (options: ClientOptions) => (await failure(client({ token, ...options }))).message;
    expect(await wrong({ tls: true }))
      .to.include('with the option tls.ca')
      .and.not.include('--tls');
    expect(await wrong({ tls: { ca: files.path('other-ca.crt') } })).to.include('was not signed by');
    const { parity } = await client({ token });
    expect((await failure(parity.side(ROW))).message).to.include('TLS only (the option tls)');
    const { parity: nobody } = await client({ tls: { ca } });
    expect((await failure(nobody.side(ROW))).code).to.equal('UNAUTHENTICATED');
  });
});

describe("the client's module", () => {
  it('brings neither a store nor a runtime into the process', async () => {
    const listing = `
      import { register } from 'node:module';
      import { MessageChannel } from 'node:worker_threads';
      const { port1, port2 } = new MessageChannel();
      const urls = [];
      port1.on('message', (url) => urls.push(url));
      register('data:text/javascript,' + encodeURIComponent(
        'let port; export const initialize = (given) => { port = given; };' +
        'export const load = (url, context, next) => { port.postMessage(url); return next(url, context); };'
      ), { data: port2, transferList: [port2] });
      await import('parley/client');
      const { default: module } = await import('node:module');
      await new Promise((resolve) => setTimeout(resolve, 50));
      port1.close();
      console.log(JSON.stringify([...urls, ...Object.keys(module._cache)]));`;
    const loaded = JSON.parse(await runScript(listing, {})) as string[];
    expect(
      loaded.some((url) => url.endsWith('dist/client/index.js')),
      'the client itself',
    ).to.equal(true);
    expect(
      loaded.some((url) => url.includes('node_modules/thrift/')),
      'the library that it needs',
    ).to.equal(true);
    expect(
      loaded.filter((url) =>
        /ioredis|onnxruntime|sharp|duckdb|sqlite|dist\/(store\/(?!certificates)|onnx|app)/.test(url),
      ),
    ).to.deep.equal([]);
  });
});

/** In a process of its own, which leaves this one free to serve. */
async function runScript(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { PARLEY_TOKEN: _, ...inherited } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...inherited, ...env },
    timeout: 20_000,
  });
  return stdout;
}
