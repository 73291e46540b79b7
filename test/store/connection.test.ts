import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAddress, socketAddress } from '#parley/store/address.js';
import { openStore } from '#parley/store/connect.js';
import { linkTo } from '#parley/store/open-link.js';
import { storeError } from '#parley/store/redis-errors.js';
import { RedisStore } from '#parley/store/redis-store.js';
import type { ScriptClient } from '#parley/store/scripts.js';
import { TestRedis, temporaryFolder, until } from './redis-server.js';
import { freePorts } from './shapes.js';
import { failure, MODEL, World } from './world.js';

const nowhere = { dataFolder: '/nonexistent' };

describe('the connection to Redis', () => {
  let redis: TestRedis;
  let world: World;
  beforeEach(async () => {
    redis = await new TestRedis().start();
    world = new World(redis);
  });
  afterEach(async () => {
    await world.close();
    await redis.stop();
  });

  it('says where no Redis is, and what to do', async () => {
    const path = join(redis.folder, 'none.sock');
    const error = await failure(openStore({ ...nowhere, redisUrl: path }));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.retryable).to.equal(true);
    expect(error.message).to.include(path).and.include('parley doctor');
  });

  it('opens by a socket path and by unix://', async () => {
    for (const redisUrl of [redis.socket, `unix://${redis.socket}`]) {
      const store = await openStore({ ...nowhere, redisUrl, keyPrefix: world.prefix });
      expect(await store.models()).to.deep.equal([]);
      expect(store.connected).to.equal(true);
      await store.close();
      expect(store.connected).to.equal(false);
    }
  });

  it('names its connections by process and role', async () => {
    await world.publish('a');
    const list = String(await world.raw.client('LIST'));
    expect(list)
      .to.match(new RegExp(`name=parley:${process.pid}:commands-`))
      .and.match(/name=parley:\d+:bulk-/);
  });

  it('fails in bounded time while Redis is away, and recovers by itself', async () => {
    const version = await world.publish('a');
    await redis.kill();
    const errors = await Promise.all([
      failure(world.store.state(MODEL)),
      failure(world.promote(version)),
      failure(world.publish('b')),
      failure(world.store.readVersion(MODEL, version)),
    ]);
    for (const error of errors) expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(world.store.connected).to.equal(false);
    await redis.start();
    expect((await world.store.state(MODEL)).epoch).to.equal(1);
    expect(world.store.connected).to.equal(true);
  });

  it('fails in bounded time while Redis does not answer, and recovers by itself', async () => {
    const version = await world.publish('a');
    await redis.pause();
    const errors = await Promise.all([failure(world.store.state(MODEL)), failure(world.promote(version))]);
    redis.signal('SIGCONT');
    for (const error of errors) {
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include('does not answer');
    }
    expect((await world.store.versions(MODEL)).length).to.equal(1);
  });

  it('waits for a Redis that restarts', async () => {
    await world.publish('a');
    await redis.kill();
    const state = world.store.state(MODEL);
    await redis.start();
    expect((await state).epoch).to.equal(1);
  });

  it('asks again when a reply was lost, unless that could repeat a change', async () => {
    const version = await world.publish('a');
    await world.raw.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
    const state = world.store.state(MODEL);
    const promoted = failure(world.promote(version));
    const waits = (role: string) => new RegExp(`:${role}-.* flags=b.*cmd=eval`);
    await until('both commands', async () => {
      const clients = String(await world.raw.client('LIST'));
      return waits('commands').test(clients) && waits('changes').test(clients);
    });
    await redis.kill();
    await redis.start();
    expect((await state).epoch).to.equal(1);
    expect((await promoted).code).to.equal('STORE_UNAVAILABLE');
  });

  it('never repeats a change that was made and could not be confirmed', async () => {
    const link = linkTo(redis.address, 'parley:test');
    for (const [fault, how] of [
      // As another call does whose time is up: what Redis has sent already still arrives.
      [(client: ScriptClient) => client.disconnect(true), 'is being given up'],
      // As after the connection has become another's.
      [(client: ScriptClient) => void client.end(), 'has ended'],
    ] as const) {
      const key = `{m}:${how}`;
      const change = link.ask(
        async (client) => {
          const reply = await client.incr(key);
          fault(client);
          return reply;
        },
        { change: '{m}:mark', repeat: false },
      );
      const error = await failure(change);
      expect(error.code, how).to.equal('STORE_UNAVAILABLE');
      expect(error.message, how).to.include('written on the primary').and.include('repeat the call');
      expect(await world.raw.get(key), how).to.equal('1');
    }
    await link.close();
  });

  it('does not take its own long computation for a silent Redis', async () => {
    await world.publish('a');
    const state = world.store.state(MODEL);
    const end = performance.now() + 3_000;
    while (performance.now() < end);
    expect((await state).epoch).to.equal(1);
  });

  it('works on after Redis forgot its scripts', async () => {
    const version = await world.publish('a');
    await world.promote(version);
    await world.raw.script('FLUSH');
    await world.publish('b');
    expect((await world.store.state(MODEL)).epoch).to.equal(3);
  });

  it('says that Redis is out of memory, and changes nothing', async () => {
    const version = await world.publish('a');
    await world.raw.config('SET', 'maxmemory', '1');
    for (const refused of [world.promote(version), world.publish('b')]) {
      const error = await failure(refused);
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include('maxmemory');
    }
    await world.raw.config('SET', 'maxmemory', '0');
    expect(await world.store.ledger(MODEL)).to.have.length(1);
  });

  it('says that it met a replica', async () => {
    await world.publish('a');
    await world.raw.replicaof('127.0.0.1', 1);
    const error = await failure(world.publish('b'));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include('replica').and.include('primary');
    expect(await world.store.ledger(MODEL)).to.have.length(1);
  });

  it('says that a replica without a primary does not answer', async () => {
    await world.raw.config('SET', 'replica-serve-stale-data', 'no');
    await world.raw.replicaof('127.0.0.1', 1);
    expect((await failure(world.store.models())).message).to.include('lost its primary');
  });

  it('says that Redis has no connection left', async () => {
    await world.raw.ping();
    await world.raw.config('SET', 'maxclients', '1');
    const error = await failure(openStore({ ...nowhere, redisUrl: redis.socket }));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
  });

  it('closes when Redis is gone, and twice', async () => {
    await world.publish('a');
    await redis.kill();
    await world.store.close();
    await world.store.close();
    expect((await failure(world.store.models())).code).to.equal('SHUTTING_DOWN');
  });

  it('closes before it was used', async () => {
    await new RedisStore({ connection: redis.address }).close();
  });

  describe('with a password', () => {
    let guarded: TestRedis;
    let port: number;
    beforeEach(async () => {
      [port] = (await freePorts(1)) as [number];
      guarded = await new TestRedis([
        '--requirepass',
        'p@ss/w%rd',
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
      ]).start();
    });
    afterEach(() => guarded.stop());

    it('opens', async () => {
      const redisUrl = `redis://:${encodeURIComponent('p@ss/w%rd')}@127.0.0.1:${port}/3`;
      const store = await openStore({ ...nowhere, redisUrl });
      expect(store.address.text).to.equal(`redis://127.0.0.1:${port}/3`);
      await store.close();
    });

    it('says that one is wanted', async () => {
      const error = await failure(openStore({ ...nowhere, redisUrl: `redis://127.0.0.1:${port}` }));
      expect(error.message).to.include('wants a password').and.include(String(port));
    });

    it('says that it is wrong, and does not repeat it', async () => {
      const error = await failure(openStore({ ...nowhere, redisUrl: `redis://:secret@127.0.0.1:${port}` }));
      expect(error.message).to.include('refuses the user or the password').and.not.include('secret');
    });

    it('says that there is no such database', async () => {
      const redisUrl = `redis://:${encodeURIComponent('p@ss/w%rd')}@127.0.0.1:${port}/99`;
      expect((await failure(openStore({ ...nowhere, redisUrl }))).message).to.include('database');
    });
  });

  describe('to something else', () => {
    let server: Server | undefined;
    const sockets = new Set<Socket>();
    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      if (server !== undefined) await new Promise((resolve) => server!.close(resolve));
      server = undefined;
    });

    async function listen(answer: (socket: Socket) => void): Promise<string> {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        answer(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    }

    it('says that a web server is none', async () => {
      const redisUrl = await listen((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
      );
      const error = await failure(openStore({ ...nowhere, redisUrl }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include(redisUrl).and.include("does not speak Redis's protocol");
    });

    it('says that nobody answers', async () => {
      const redisUrl = await listen((socket) => void socket.resume());
      const error = await failure(openStore({ ...nowhere, redisUrl }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include('does not answer');
    });

    it('says that the connection is closed at once', async () => {
      const redisUrl = await listen((socket) => void socket.end());
      const error = await failure(openStore({ ...nowhere, redisUrl }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
    });

    it('says that a Redis is too old', async () => {
      const info = '# Server\r\nredis_version:5.0.7\r\n';
      const redisUrl = await listen((socket) =>
        socket.on('data', (data) => {
          const text = data.toString().toLowerCase();
          if (text.includes('info\r\n')) socket.write(`$${info.length}\r\n${info}\r\n`);
          else socket.write(text.includes('ping') ? '+PONG\r\n' : '+OK\r\n');
        }),
      );
      const error = await failure(openStore({ ...nowhere, redisUrl }));
      expect(error.message).to.include('5.0.7').and.include('6.2');
    });

    it('says that TLS is not spoken', async () => {
      const redisUrl = await listen((socket) => socket.once('data', () => socket.write('-ERR Protocol error\r\n')));
      const error = await failure(openStore({ ...nowhere, redisUrl: redisUrl.replace('redis:', 'rediss:') }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
    });
  });
});

describe('what Redis refuses', () => {
  for (const [refusal, advice] of [
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ["READONLY You can't write against a read only replica. script: 0a, on @user_script:3.", 'primary'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'maxmemory'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'primary'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is unable to persist on disk.', 'disk'],
    ['NOAUTH Authentication required.', 'password'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'password'],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'ACL'],
    ['BUSY Redis is busy running a script.', 'SCRIPT KILL'],
    ['NOREPLICAS Not enough good replicas to write.', 'replicas'],
    ['CLUSTERDOWN The cluster is down', 'nodes'],
  ] as const) {
    it(`is told with a way out: ${refusal.split(' ')[0]}`, () => {
      const cause = new Error(refusal);
      const error = storeError(cause, 'redis://r:6379');
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include('redis://r:6379').and.include(advice);
      expect(error.cause).to.equal(cause);
    });
  }

  it('is a defect when it is unknown', () => {
    expect(storeError(new Error('ERR something new'), 'here').code).to.equal('INTERNAL');
  });
});

describe("a Redis's address", () => {
  it('is taken apart', () => {
    expect(parseAddress('redis://ada:p%40ss@redis.example:7000/2')).to.deep.equal({
      text: 'redis://redis.example:7000/2',
      host: 'redis.example',
      port: 7000,
      username: 'ada',
      password: 'p@ss',
      db: 2,
      tls: false,
    });
    expect(parseAddress('rediss://[::1]')).to.deep.include({
      host: '::1',
      port: 6379,
      tls: true,
      text: 'rediss://[::1]:6379',
    });
    expect(
      parseAddress('redis+sentinel://ada:p%40s%2Cs@a.example,[::1]:7001/main/2?sentinel-password=s%26t'),
    ).to.deep.equal({
      text: 'redis+sentinel://a.example:26379,[::1]:7001/main/2',
      sentinel: {
        endpoints: [
          { host: 'a.example', port: 26379 },
          { host: '::1', port: 7001 },
        ],
        primary: 'main',
        password: 's&t',
      },
      username: 'ada',
      password: 'p@s,s',
      db: 2,
      tls: false,
    });
    expect(parseAddress('rediss+cluster://:secret@10.0.0.1,10.0.0.2:7000/')).to.deep.equal({
      text: 'rediss+cluster://10.0.0.1:6379,10.0.0.2:7000',
      cluster: [
        { host: '10.0.0.1', port: 6379 },
        { host: '10.0.0.2', port: 7000 },
      ],
      password: 'secret',
      db: 0,
      tls: true,
    });
    expect(parseAddress('/run/redis.sock')).to.deep.equal(socketAddress('/run/redis.sock'));
    expect(parseAddress('unix:///run/redis.sock')).to.deep.equal(socketAddress('/run/redis.sock'));
  });

  for (const text of [
    '',
    'localhost',
    'localhost:6379',
    'http://localhost:6379',
    'redis://',
    'redis://h/x',
    'redis://h:99999',
    'unix://r',
    'redis://:%zz@h',
    'redis://word/5e7c@h',
    'redis+sentinel://h:26379',
    'redis+sentinel://h/',
    'redis+sentinel:///main',
    'redis+sentinel://h,,i/main',
    'redis+sentinel://h:0/main',
    'redis+sentinel://h/main/x',
    'redis+sentinel://h/main/0/1',
    'redis+sentinel://h/main?password=5e7c',
    'redis+sentinel://:a/5e7c@h/main',
    'redis+sentinel://:%zz5e7c@h/main',
    'redis+cluster://',
    'redis+cluster://:5e7c@',
    'redis+cluster://ada:5e7c',
    'redis+cluster://h/1',
    'redis+cluster://h?5e7c',
    'redis+cluster://h:65536',
    'redis+replica://h',
  ]) {
    it(`is refused: ${JSON.stringify(text)}`, async () => {
      const error = await failure(openStore({ ...nowhere, redisUrl: text }));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.match(/redis:\/\/|URL-encoded/);
      // As if it were a password; a cause is logged with its error.
      expect(`${error.message} ${JSON.stringify(error.cause)}`).to.not.include('5e7c');
    });
  }
});

describe("a Redis's certificates", () => {
  const folder = temporaryFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  for (const [what, redisUrl, files, said] of [
    ['without TLS', 'redis://h', () => ({ ca: file('ca', '') }), 'rediss'],
    ['that are not there', 'rediss://h', () => ({ ca: join(folder, 'none') }), 'ENOENT'],
    ['that are no PEM', 'rediss://h', () => ({ ca: file('ca', 'secret') }), 'not a PEM file'],
    ['that are broken', 'rediss+cluster://h', () => ({ ca: file('ca', BROKEN) }), 'TLS cannot be set up with'],
    ['without their key', 'rediss://h', () => ({ cert: file('cert', BROKEN) }), 'needs its key'],
  ] as const)
    it(`are refused: ${what}`, async () => {
      const error = await failure(openStore({ ...nowhere, redisUrl, redisFiles: files() }));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include(said);
    });
});

const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
