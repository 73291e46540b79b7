/** `parley serve` on addresses of all kinds, with certificates and tokens, as operators run it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { TlsFiles } from '../security/tls-files.js';
import { failure } from '../store/world.js';
import { placeForEach, until } from './parley.js';
import { PENGUIN, useTrained } from './trained.js';

const ROW = JSON.stringify(PENGUIN);

describe('a protected server', function () {
  this.timeout(60_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);
  const files = new TlsFiles();
  let ca: string;
  before(() => {
    ca = files.authority('ca');
    for (const name of ['server', 'next', 'client', 'live']) files.issue(name);
  });
  beforeEach(() => files.replace(files.pair('live'), files.pair('server')));
  after(() => files.remove());

  const tokensFile = () => join(place().root, 'tokens.yaml');
  const create = async (role: string, ...words: string[]): Promise<string> =>
    (await place().output('token', 'create', '--role', role, '--tokens', tokensFile(), ...words)).trim();
  const tlsOptions = () => ['--tls-cert', files.pair('live').cert, '--tls-key', files.pair('live').key];

  /** A GET over TLS. */
  const get = (port: number, path: string, token?: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const asked = request(
        { host: '127.0.0.1', port, path, headers, ca: readFileSync(ca), servername: 'localhost' },
        (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      asked.on('error', reject).end();
    });

  it('answers over TLS to those with tokens, on all addresses, and tells nobody a token', async () => {
    const website = await create('predict', '--name', 'website', '--model', 'penguins'),
      operator = await create('registry', '--name', 'operator'),
      watcher = await create('feedback', '--name', 'watcher');
    const server = await place().serve(
      '--host',
      '0.0.0.0',
      '--http-port',
      '0',
      '--tokens',
      tokensFile(),
      ...tlsOptions(),
      '--log-level',
      'trace',
    );
    const at = ['--server', `127.0.0.1:${server.port}`, '--tls-ca', ca];
    const asked = await place().run('predict', 'penguins', ROW, ...at, '--token', website);
    expect(asked.stdout, asked.stderr).to.match(/^species +Chinstrap$/m);

    const strange = await place().run('predict', 'penguins', ROW, ...at);
    expect(strange.stderr).to.include('UNAUTHENTICATED').and.include('PARLEY_TOKEN');
    const described = await place().run('describe', 'penguins', ...at, '--token', website);
    expect(described.stdout, described.stderr).to.include(`version ${trained().good}`);
    const wrong = await place().run('versions', 'penguins', ...at, '--token', website);
    expect(wrong.stderr).to.include('PERMISSION_DENIED').and.include('"website"').and.not.include(website);
    const plain = await place().run('versions', '--server', `127.0.0.1:${server.port}`);
    expect(plain.stderr).to.include('--tls');

    const environment = {
      PARLEY_SERVER: `localhost:${server.port}`,
      PARLEY_SERVER_CA: ca,
      PARLEY_TOKEN: operator,
    };
    const held = await place().start(['hold', 'penguins', '--reason', 'looked at', '--json'], { env: environment })
      .ended;
    expect(JSON.parse(held.stdout), held.stderr).to.include({ actor: 'operator' });
    expect((await place().history({ limit: 1 }))[0]).to.include({ action: 'hold', actor: 'operator' });

    const { port } = server.http!;
    expect(await get(port, '/live')).to.deep.equal({ status: 200, body: 'live\n' });
    expect((await get(port, '/ready')).status).to.equal(200);
    expect((await get(port, '/metrics')).status).to.equal(401);
    const unknown = await get(port, '/models');
    expect(unknown.status).to.equal(401);
    expect(unknown.body).to.include('Authorization: Bearer TOKEN').and.not.include('request.context');
    expect((await get(port, '/metrics', 'parley_wrong')).status).to.equal(401);
    expect((await get(port, '/metrics', website)).status).to.equal(403);
    const { status, body } = await get(port, '/metrics', watcher);
    expect(status).to.equal(200);
    expect(body).to.match(/^parley_access_refused_total\{reason="role"\} 2$/m); // versions, and the aliases that describe asked for
    expect(body).to.match(/^parley_access_refused_total\{reason="missing"\} [1-9]/m);
    expect(body).to.match(/^parley_tls_handshakes_failed_total [1-9]/m);

    const stopped = await server.kill('SIGTERM');
    expect(stopped.code).to.equal(0);
    for (const token of [website, operator, watcher])
      for (const text of [stopped.stdout, stopped.stderr, readFileSync(tokensFile(), 'utf8'), held.stderr])
        expect(text).to.not.include(token.slice(7));
    expect(stopped.stderr).to.include('connection closed');
  });

  it('follows its tokens and its certificate while it is asked', async () => {
    const first = await create('predict,registry', '--name', 'first');
    const server = await place().serve('--tokens', tokensFile(), ...tlsOptions());
    const address = { host: '127.0.0.1', port: server.port, tls: { ca } };
    const client = await ParleyClient.connect(address, first);
    let answered = 0,
      failed = 0,
      asking = true;
    const load = (async () => {
      while (asking) {
        await client.aliases('penguins').then(
          () => answered++,
          () => failed++,
        );
      }
    })();
    const allowed = async (token: string) => {
      const other = await ParleyClient.connect(address, token);
      try {
        return await other.aliases('penguins').then(
          () => true,
          () => false,
        );
      } finally {
        other.close();
      }
    };
    try {
      const second = await create('registry', '--name', 'second');
      await until('the second token to count', () => allowed(second), 3_000);
      const kept = await ParleyClient.connect(address, second);
      await kept.aliases('penguins');
      await place().output('token', 'revoke', 'second', '--tokens', tokensFile());
      await until('the second token to count no more', async () => !(await allowed(second)), 3_000);
      expect((await failure(kept.aliases('penguins'))).code).to.equal('UNAUTHENTICATED');
      kept.close();

      const broken = join(place().root, 'broken.yaml');
      copyFileSync(tokensFile(), broken);
      writeFileSync(tokensFile(), `tokens: [${first}\n`);
      await server.says('the file of tokens has changed and cannot be used');
      expect(await allowed(first)).to.equal(true);
      copyFileSync(broken, tokensFile());
      await server.says('the file of tokens was read again');

      files.replace(files.pair('live'), files.pair('next'));
      await server.says('the certificate was read again');
      writeFileSync(files.pair('live').key, 'no key');
      server.child.kill('SIGHUP');
      await server.says('the certificate has changed and cannot be used');
      expect(await allowed(first)).to.equal(true);
      expect(server.running).to.equal(true);
    } finally {
      asking = false;
      await load;
      client.close();
    }
    expect({ failed }).to.deep.equal({ failed: 0 });
    expect(answered).to.be.at.least(10);
    expect((await server.kill('SIGTERM')).stderr).to.not.include(first.slice(7));
  });

  it('gives callers without a token what --anonymous says', async () => {
    const server = await place().serve('--host', '0.0.0.0', '--insecure', '--anonymous', 'predict');
    const at = ['--server', `127.0.0.1:${server.port}`];
    expect((await place().run('predict', 'penguins', ROW, ...at)).code).to.equal(0);
    const refused = await place().run('rollback', 'penguins', ...at);
    expect(refused.stderr).to.include('UNAUTHENTICATED').and.include('registry');
    expect(await place().production()).to.equal(trained().good);
  });

  it('serves only callers with a certificate where --tls-client-ca says so', async () => {
    const server = await place().serve(...tlsOptions(), '--tls-client-ca', ca);
    const at = ['--server', server.address, '--tls-ca', ca],
      { cert, key } = files.pair('client');
    expect((await place().run('aliases', 'penguins', ...at)).stderr).to.include('--tls-cert');
    const ran = await place().run('aliases', 'penguins', ...at, '--tls-cert', cert, '--tls-key', key);
    expect(ran.stdout, ran.stderr).to.include('production');
    expect((await place().run('aliases', 'penguins', ...at, '--tls-cert', cert)).stderr).to.include('--tls-key');
  });

  it('keeps to its number of connections and the size of its frames', async () => {
    const server = await place().serve('--max-connections', '2', '--max-frame', '64KiB', '--http-port', '0');
    const clients = [await ParleyClient.connect(server), await ParleyClient.connect(server)];
    for (const client of clients) await client.ping();
    await failure(ParleyClient.connect(server).then((client) => client.ping().finally(() => client.close())));
    const metrics = await (await fetch(`http://127.0.0.1:${server.http!.port}/metrics`)).text();
    expect(metrics)
      .to.match(/^parley_connections_refused_total 1$/m)
      .and.match(/^parley_connections 2$/m);
    expect((await failure(clients[0]!.uploadPart('x', 0, Buffer.alloc(1 << 17)))).code).to.equal('STORE_UNAVAILABLE');
    expect((await clients[1]!.ping()).ready).to.equal(true);
    for (const client of clients) client.close();
  });

  it('is refused on an address of others until it says who may call, before it starts anything', async () => {
    const ran = await place().run('serve', '--port', '0', '--host', '0.0.0.0', '--insecure');
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.match(/INVALID_INPUT: 0\.0\.0\.0 .*--tokens.*--anonymous/);
    expect(place().redisPid()).to.equal(undefined);
  });
});
