/** What a client says of a server that it cannot reach, or should not trust, over TLS. */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import type { Address } from '#parley/rpc/client/socket.js';
import { Certificates, type TlsFiles as ServerFiles } from '#parley/security/certificates.js';
import { TlsFiles } from '../security/tls-files.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { type Served, serve } from './served.js';

describe('a client over TLS', function () {
  this.timeout(30_000);
  const redis = sharedRedis(),
    files = new TlsFiles();
  let world: World, served: Served | undefined, ca: string, otherCa: string;

  before(() => {
    world = new World(redis);
    ca = files.authority('ca');
    otherCa = files.authority('other-ca');
    for (const name of ['server', 'client']) files.issue(name);
    files.issue('expired', { days: -1 });
    files.issue('elsewhere', { names: 'DNS:models.example.com' });
    files.issue('stranger', { by: 'other-ca' });
    files.selfSigned('alone');
  });
  after(async () => {
    await world.close();
    files.remove();
  });
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  /** @param name of the server's pair; absent: without TLS */
  async function start(name?: string, more: Partial<ServerFiles> = {}): Promise<void> {
    const certificates = name === undefined ? undefined : new Certificates({ ...files.pair(name), ...more });
    served = await serve(world.another(), {}, undefined, { certificates });
  }

  async function pings(tls?: Address['tls'], host = '127.0.0.1'): Promise<boolean> {
    const client = await ParleyClient.connect({ host, port: served!.port, ...(tls && { tls }) });
    try {
      return (await client.ping()).ready;
    } finally {
      client.close();
    }
  }
  const refused = async (tls?: Address['tls'], host?: string) => {
    const { code, message } = await failure(pings(tls, host));
    expect(code).to.equal('STORE_UNAVAILABLE');
    return message;
  };

  it('reaches a server whose certificate its CA signed, by name and by address', async () => {
    await start('server');
    expect(await pings({ ca })).to.equal(true);
    expect(await pings({ ca }, 'localhost')).to.equal(true);
  });

  it('reaches a server that signed its own certificate, when it is named', async () => {
    await start('alone');
    expect(await refused({})).to.include('--tls-ca');
    expect(await pings({ ca: files.pair('alone').cert })).to.equal(true);
  });

  it('says which option is missing when it does not know who signed', async () => {
    await start('server');
    expect(await refused({}))
      .to.include('nobody whom this machine trusts')
      .and.include('--tls-ca');
    expect(await refused({ ca: otherCa })).to.include(`not signed by ${otherCa}`);
  });

  it('says that a certificate has expired', async () => {
    await start('expired');
    expect(await refused({ ca })).to.include('has expired');
  });

  it('says whom a certificate is for when it is for another host', async () => {
    await start('elsewhere');
    expect(await refused({ ca }))
      .to.include('not for "127.0.0.1"')
      .and.include('models.example.com');
  });

  it('says that a server speaks no TLS, and that one speaks nothing else', async () => {
    await start();
    expect(await refused({ ca })).to.include('leave out --tls');
    await served!.close();
    await start('server');
    expect(await refused()).to.include('TLS only (--tls)');
    const http = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => http.once('listening', resolve));
    const { port } = http.address() as { port: number };
    const client = failure(ParleyClient.connect({ host: '127.0.0.1', port, tls: { ca } }));
    expect((await client).message).to.include('does not answer as a TLS server does');
    http.closeAllConnections();
    http.close();
  });

  it('shows its own certificate where one is asked for, and says so where it is missing', async () => {
    await start('server', { clientCa: ca });
    const { cert, key } = files.pair('client');
    expect(await pings({ ca, cert, key })).to.equal(true);
    expect(await refused({ ca })).to.include('--tls-cert');
    expect(await refused({ ca, ...files.pair('stranger') })).to.include('ended');
  });

  it('says which of its files cannot be used', async () => {
    await start('server');
    const { cert } = files.pair('client');
    for (const [tls, word] of [
      [{ ca: '/nonexistent/ca.crt' }, '/nonexistent/ca.crt'],
      [{ ca: files.pair('client').key }, 'client.key'],
      [{ ca, cert, key: files.pair('server').key }, 'server.key'],
    ] as const) {
      const { code, message } = await failure(pings(tls));
      expect(code).to.equal('INVALID_INPUT');
      expect(message).to.include(word);
    }
  });

  it('is one of many: garbage beside it ends itself only', async () => {
    await start('server');
    const client = await ParleyClient.connect({ ...served!, tls: { ca } });
    const garbage = connect(served!.port, '127.0.0.1').on('error', () => {});
    garbage.write(Buffer.alloc(1_000, 0x16));
    await new Promise((resolve) => garbage.resume().once('close', resolve));
    expect((await client.ping()).ready).to.equal(true);
    client.close();
  });
});
