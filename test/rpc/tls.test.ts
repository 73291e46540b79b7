/** What TLS adds to the port: handshakes of all kinds, certificates that change, callers with certificates of their own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Connection } from '#parley/rpc/connection.js';
import { DEFAULT_LIMITS, type Limits } from '#parley/rpc/limits.js';
import { RpcServer } from '#parley/rpc/server.js';
import { Certificates } from '#parley/security/certificates.js';
import { WatchedFiles } from '#parley/security/watched-files.js';
import { Batcher } from '#parley/serving/batcher.js';
import { TlsFiles } from '../security/tls-files.js';
import { until } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { Caller, framed } from './caller.js';

/** An error before it is no failure of a test. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));
const HELLO = framed(Buffer.from('hello'));

describe('the port over TLS', function () {
  this.timeout(30_000);
  const files = new TlsFiles();
  let server: RpcServer, certificates: Certificates, address: { host: string; port: number };
  const sockets: Socket[] = [];

  before(() => {
    files.authority('ca');
    files.authority('other-ca');
    files.issue('server');
    files.issue('next');
    files.issue('client');
    files.issue('stranger', { by: 'other-ca' });
    files.issue('live');
  });
  after(() => files.remove());
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server?.close();
    await until('the connections to be gone', () => server.connections === 0);
  });

  /** An echo, whose certificate is in `live`'s files. */
  async function start(limits: Partial<Limits> = {}, clientCa?: string): Promise<void> {
    files.replace(files.pair('live'), files.pair('server'));
    certificates = new Certificates({ ...files.pair('live'), ...(clientCa === undefined ? {} : { clientCa }) });
    const echo = (connection: Connection, buffer: Buffer, from: number, to: number) =>
      connection.reply(framed(buffer.subarray(from, to)));
    const log = pino({ level: 'silent' });
    server = new RpcServer(echo, new Batcher(), { ...DEFAULT_LIMITS, ...limits }, log, certificates);
    address = await server.listen('127.0.0.1', 0);
  }

  const open = async (ca = files.read('ca.crt')) => {
    const caller = await Caller.open({ ...address, ca });
    sockets.push(caller.socket);
    return caller;
  };
  const echoes = async (caller: Caller) => expect(String(await caller.send(HELLO).reply())).to.equal('hello');
  /** A socket without TLS. */
  const raw = async () => {
    const socket = connect(address);
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const secure = (options: object = {}): TLSSocket => {
    const socket = tlsConnect({ ...address, ca: files.read('ca.crt'), ...options });
    socket.on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  const nameShown = async () => {
    const socket = secure();
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subject.CN;
  };

  it('speaks TLS 1.3 and 1.2 and nothing older', async () => {
    await start();
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const socket = secure({ minVersion: version, maxVersion: version });
      await once(socket, 'secureConnect');
      expect(socket.getProtocol()).to.equal(version);
      socket.write(HELLO);
      const [reply] = (await once(socket, 'data')) as [Buffer];
      expect(String(reply.subarray(4))).to.equal('hello');
    }
    const old = secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    await closed(old);
    expect(server.failedHandshakes).to.equal(1);
  });

  it('ends sockets that say something else, and no others', async () => {
    await start();
    const good = await open();
    await echoes(good);
    const garbage = [
      HELLO,
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(1 << 16, 0xff),
      Buffer.concat([Buffer.from('16030100ff', 'hex'), Buffer.alloc(255)]),
      Buffer.from('160301ffff01', 'hex'),
      Buffer.from('1503010002022a', 'hex'),
    ];
    for (const bytes of garbage) {
      const socket = await raw();
      socket.resume();
      const end = closed(socket);
      socket.end(bytes);
      await end;
    }
    const torn = await open();
    torn.reset();
    await until('the failures to be counted', () => server.failedHandshakes === garbage.length);
    await echoes(good);
    await echoes(await open());
  });

  it('ends handshakes that stall, and serves others meanwhile', async () => {
    await start({ handshakeTimeoutMs: 300 });
    const stalled = await Promise.all(Array.from({ length: 200 }, raw));
    for (const socket of stalled.slice(0, 100)) socket.write(Buffer.from('16030100', 'hex'));
    await echoes(await open());
    await Promise.all(stalled.map((socket) => (socket.resume().closed ? undefined : closed(socket))));
    await until('the failures to be counted', () => server.failedHandshakes === 200);
    await echoes(await open());
    expect(server.connections).to.be.at.most(2);
  });

  it('counts handshakes among the connections that there may be', async () => {
    await start({ connections: 3, handshakeTimeoutMs: 60_000 });
    const half = await Promise.all([raw(), raw()]);
    const good = await open();
    await echoes(good);
    const refused = secure();
    await closed(refused);
    expect(server.refused).to.equal(1);
    half[0]!.resetAndDestroy();
    await until('the first to be gone', () => server.failedHandshakes === 1);
    await echoes(await open());
  });

  it('does not wait for handshakes when it stops', async () => {
    await start({ handshakeTimeoutMs: 60_000 });
    const half = await Promise.all(Array.from({ length: 5 }, raw));
    await echoes(await open());
    const gone = Promise.all(half.map((socket) => (socket.resume().closed ? undefined : closed(socket))));
    await server.close();
    await gone;
  });

  it('shows a new certificate from the next connection on, and keeps those that are open', async () => {
    await start();
    const before = await open();
    await echoes(before);
    expect(await nameShown()).to.equal('server');
    files.replace(files.pair('live'), files.pair('next'));
    certificates.read();
    expect(await nameShown()).to.equal('next');
    await echoes(before);
    await echoes(await open());
  });

  it('goes on with the old certificate while the new one cannot be used', async () => {
    await start();
    const { cert, key } = files.pair('live');
    files.replace({ cert, key }, { cert: files.pair('next').cert, key: files.pair('client').key });
    const refused = await failure((async () => certificates.read())());
    expect(refused.message).to.include(cert).and.include(key);
    expect(await nameShown()).to.equal('server');
    await echoes(await open());
  });

  it('has no call fail while certificates change', async () => {
    await start();
    const caller = await open();
    let wrong = 0;
    for (let round = 0; round < 20; round++) {
      files.replace(files.pair('live'), files.pair(round % 2 === 0 ? 'next' : 'server'));
      caller.send(Buffer.concat([HELLO, HELLO, HELLO]));
      certificates.read();
      const other = await open();
      await echoes(other);
      other.close();
    }
    for (const reply of await caller.heard(60)) if (String(reply) !== 'hello') wrong++;
    expect(wrong).to.equal(0);
  });

  it('serves only callers with a certificate of the CA, where one is named', async () => {
    await start({}, files.path('ca.crt'));
    const pem = (name: string) => ({ cert: files.read(`${name}.crt`), key: files.read(`${name}.key`) });
    const answers = async (options: object) => {
      const socket = secure(options);
      socket.on('secureConnect', () => socket.write(HELLO));
      return Promise.race([
        new Promise<boolean>((resolve) => socket.once('data', () => resolve(true))),
        closed(socket).then(() => false),
      ]);
    };
    expect(await answers(pem('client')), 'one of the CA').to.equal(true);
    expect(await answers({}), 'none').to.equal(false);
    expect(await answers(pem('stranger')), "another CA's").to.equal(false);
    expect(server.failedHandshakes).to.equal(2);
    expect(server.connections).to.be.at.most(1);
  });
});

describe('files that are watched', function () {
  this.timeout(20_000);
  const files = new TlsFiles();
  after(() => files.remove());

  it('are loaded again when they change, and told once when they cannot be used', async () => {
    files.authority('ca');
    files.replace(files.issue('live'), files.issue('one'));
    files.issue('two');
    const said: { level: number; msg: string }[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line)) });
    const certificates = new Certificates(files.pair('live'));
    const { cert, key } = files.pair('live');
    const watched = await WatchedFiles.open([cert, key], {
      what: 'the certificate',
      load: () => certificates.read(),
      log,
    });
    try {
      const now = () => String(certificates.tls.cert);
      expect(now()).to.equal(files.read('one.crt'));
      files.replace({ cert, key }, files.pair('two'));
      await until('the second', () => now() === files.read('two.crt'));
      expect(said.splice(0).map(({ msg }) => msg)).to.deep.equal(['the certificate was read again']);
      files.replace({ cert, key }, { cert: files.pair('one').cert, key: files.pair('two').key });
      await until('the notice', () => said.length > 0);
      await setTimeout(1_200);
      expect(said.splice(0).map(({ level }) => level)).to.deep.equal([50]);
      expect(now()).to.equal(files.read('two.crt'));
      files.replace({ cert, key }, files.pair('one'));
      await until('the first', () => now() === files.read('one.crt'));
      await watched.look(true);
      expect(said.map(({ msg }) => msg)).to.deep.equal(new Array(2).fill('the certificate was read again'));
    } finally {
      watched.close();
    }
  });
});
