import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { protection, serverAddress } from '#parley/config.js';
import { checkExposure } from '#parley/security/exposure.js';
import { Security } from '#parley/security/security.js';
import { temporaryFolder } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { TlsFiles } from './tls-files.js';

const refusal = async (act: () => unknown) => {
  const { code, message } = await failure((async () => act())());
  expect(code).to.equal('INVALID_INPUT');
  return message;
};

describe('an address that other machines reach', () => {
  const NOTHING = { tls: false, insecure: false, tokens: false, anonymous: false };

  it('needs TLS or --insecure, and tokens or --anonymous', async () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.5', 'models.example.com', '128.0.0.1', 'localhost.example.com'])
      for (const way of ['tls', 'insecure'] as const)
        for (const who of ['tokens', 'anonymous'] as const) {
          checkExposure(host, { ...NOTHING, [way]: true, [who]: true });
          const open = await refusal(() => checkExposure(host, { ...NOTHING, [way]: true }));
          expect(open)
            .to.include(host)
            .and.include('--tokens')
            .and.include('--anonymous')
            .and.not.include('--tls-cert');
          const plain = await refusal(() => checkExposure(host, { ...NOTHING, [who]: true }));
          expect(plain).to.include('--tls-cert').and.include('--insecure').and.not.include('--tokens');
        }
    expect(await refusal(() => checkExposure('0.0.0.0', NOTHING))).to.match(
      /--tls-cert.*--insecure.*--tokens.*--anonymous/,
    );
  });

  it('is not the loopback, which needs nothing', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) checkExposure(host, NOTHING);
  });
});

describe('the settings of protection', () => {
  it('come from flags, then from the environment', () => {
    const environment = {
      PARLEY_TLS_CERT: 'e.crt',
      PARLEY_TLS_KEY: 'e.key',
      PARLEY_TLS_CLIENT_CA: 'e-ca.crt',
      PARLEY_TOKENS: 'e.yaml',
    };
    expect(protection({}, environment)).to.deep.equal({
      tokensFile: 'e.yaml',
      tls: { cert: 'e.crt', key: 'e.key', clientCa: 'e-ca.crt' },
    });
    expect(protection({ tlsCert: 'f.crt', tlsKey: 'f.key', tokens: 'f.yaml' }, environment)).to.deep.include({
      tokensFile: 'f.yaml',
      tls: { cert: 'f.crt', key: 'f.key', clientCa: 'e-ca.crt' },
    });
    expect(protection({}, {})).to.deep.equal({});
  });

  it('are whole: a certificate with its key, on both sides', async () => {
    for (const flags of [{ tlsCert: 'a' }, { tlsKey: 'a' }, { tlsClientCa: 'a' }])
      expect(await refusal(() => protection(flags, {}))).to.include('--tls-cert FILE and --tls-key FILE');
    for (const flags of [{ tlsCert: 'a' }, { tlsKey: 'a' }])
      expect(await refusal(() => serverAddress({ server: ':1', ...flags }, {}))).to.include('--tls-key');
  });

  it('make a command speak TLS where any of them says so', () => {
    const tlsOf = (flags: object, environment = {}) => serverAddress({ server: ':1', ...flags }, environment)?.tls;
    expect(tlsOf({})).to.equal(undefined);
    expect(tlsOf({ tls: true })).to.deep.equal({});
    expect(tlsOf({ tlsCa: 'ca' })).to.deep.equal({ ca: 'ca' });
    expect(tlsOf({}, { PARLEY_SERVER_TLS: 'true' })).to.deep.equal({});
    expect(tlsOf({}, { PARLEY_SERVER_TLS: 'no' })).to.equal(undefined);
    expect(tlsOf({}, { PARLEY_SERVER_CA: 'ca', PARLEY_SERVER_CERT: 'c', PARLEY_SERVER_KEY: 'k' })).to.deep.equal({
      ca: 'ca',
      cert: 'c',
      key: 'k',
    });
  });
});

describe('a protection that cannot be opened', () => {
  it('says which file is at fault', async () => {
    const files = new TlsFiles(),
      log = pino({ level: 'silent' });
    try {
      files.authority('ca');
      for (const name of ['server', 'client']) files.issue(name);
      const [server, client] = [files.pair('server'), files.pair('client')];
      for (const [tls, word] of [
        [{ cert: server.cert, key: client.key }, 'client.key'],
        [{ cert: server.key, key: server.key }, 'server.key'],
        [{ cert: '/nonexistent.crt', key: server.key }, '/nonexistent.crt'],
        [{ ...server, clientCa: client.key }, 'client.key'],
      ] as const) {
        const refused = await failure(Security.open({ tls }, log));
        expect(refused.code).to.equal('INVALID_INPUT');
        expect(refused.message).to.include(word);
      }
      const folder = temporaryFolder();
      const away = await failure(Security.open({ tokensFile: join(folder, 'tokens.yaml') }, log));
      expect(away.code).to.equal('NOT_FOUND');
      expect(away.message).to.include('parley token create');
      rmSync(folder, { recursive: true });
    } finally {
      files.remove();
    }
  });

  it('is not needed where nothing is asked for', async () => {
    const security = await Security.open({}, pino({ level: 'silent' }));
    expect(security).to.include({ access: undefined, certificates: undefined, follows: false });
    security.close();
  });
});
