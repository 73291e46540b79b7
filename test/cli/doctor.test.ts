import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Check, isAtLeast, ok, withDeadline } from '#parley/cli/doctor-check.js';
import { checkNode, OLDEST_NODE } from '#parley/cli/doctor-machine.js';
import { judgeRuntime } from '#parley/cli/doctor-runtime.js';
import { judgeOwn, judgeServer } from '#parley/cli/doctor-store.js';
import { sharedRedis, TestRedis } from '../store/redis-server.js';
import { temporaryFolder } from '../unit/sources/reading.js';
import { type Ran, runProcess } from './command.js';

interface Told {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly mend?: string;
}

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe('parley doctor', () => {
  let place: ReturnType<typeof temporaryFolder>;
  let freePort: string;
  beforeEach(async () => {
    place = temporaryFolder();
    const server = await listen();
    freePort = portOf(server);
    server.close();
    await once(server, 'close');
  });
  afterEach(() => place.remove());

  const dataFolder = () => join(place.path, 'data');

  function doctor(options: readonly string[] = [], settings: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return runProcess(['doctor', '--port', freePort, '--data-dir', dataFolder(), ...options], settings);
  }

  async function told(name: string, ...how: Parameters<typeof doctor>): Promise<Told & { readonly code: number }> {
    const { code, stdout } = await doctor([...(how[0] ?? []), '--json'], how[1]);
    const { checks } = JSON.parse(stdout) as { checks: readonly Told[] };
    return { code, ...checks.find((check) => check.name.startsWith(name))! };
  }

  /** A folder of programs that stand before those of PATH, or are all there is. */
  function programs(scripts: Readonly<Record<string, string>>): string {
    const folder = join(place.path, 'bin');
    mkdirSync(folder);
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    return folder;
  }

  it('finds nothing wrong where nothing is, says so line by line, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await doctor();
    expect([code, stderr]).to.deep.equal([0, 'everything is here\n']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/).slice(0, 2).join(' ')),
    ).to.deep.equal([
      'ok Node.js',
      'ok runtime',
      'ok Redis server',
      'ok data folder',
      'ok disk',
      'ok store',
      `ok port ${freePort}`,
      'ok Thrift compiler',
    ]);
    expect(existsSync(dataFolder())).to.equal(false);
  });

  it('says on a line of its own how to mend what failed, and ends with 1', async () => {
    const { code, stdout, stderr } = await doctor([], { PATH: programs({}) });
    expect(code).to.equal(1);
    expect(stdout).to.match(
      /^failed +Redis server +neither redis-server nor valkey-server is on PATH\n +→ install one/m,
    );
    expect(stdout).not.to.include('    at ');
    expect(stderr).to.equal('2 failed\n');
  });

  describe('the Redis server', () => {
    it('is not asked for with a Redis of one’s own', async () => {
      const { status } = await told('Redis server', ['--redis', 'redis://127.0.0.1:1'], { PATH: programs({}) });
      expect(status).to.equal('ok');
    });

    it('may be Valkey', async () => {
      const path = programs({ 'valkey-server': 'echo "Valkey server v=8.1.0 sha=0"' });
      expect((await told('Redis server', [], { PATH: path })).message).to.equal('valkey-server 8.1.0');
    });

    it('that hangs is not waited for', async () => {
      const path = programs({ 'redis-server': 'exec /bin/sleep 60' });
      const { status, message } = await told('Redis server', [], { PATH: path });
      expect(status).to.equal('failed');
      expect(message).to.include('redis-server --version does not run');
    });

    for (const [version, status] of [
      ['6.0.16', 'failed'],
      ['6.2.0', 'ok'],
      ['7.0.15', 'ok'],
      ['10.1', 'ok'],
    ] as const) {
      it(`of version ${version} is ${status}`, () => {
        expect(judgeServer('redis-server', `Redis server v=${version} sha=0`).status).to.equal(status);
      });
    }
  });

  describe('the store', () => {
    const redis = sharedRedis(['--maxmemory-policy', 'noeviction']);

    it('is the Redis that is named, where that keeps everything', async () => {
      const { status, message } = await told('store', ['--redis', redis.socket]);
      expect(message).to.match(/^Redis [\d.]+ at unix:.* answers, keeps everything/);
      expect(status).to.equal('ok');
    });

    it('is not tried without a server to start', async () => {
      const { status, message } = await told('store', [], { PATH: programs({}) });
      expect([status, message]).to.deep.equal(['failed', 'not tried without a Redis server']);
    });

    it('is the Redis that the environment names', async () => {
      expect((await told('store', [], { PARLEY_REDIS_URL: redis.socket })).message).to.include(redis.socket);
    });

    it('is warned of when a crash may cost something, and that is not a failure', async () => {
      const careless = await new TestRedis(['--appendonly', 'no', '--maxmemory-policy', 'volatile-lru']).start();
      try {
        const { code, status, message, mend } = await told('store', ['--redis', careless.socket]);
        expect([code, status]).to.deep.equal([0, 'warning']);
        expect(message).to.include('volatile-lru').and.include('append-only file is off');
        expect(mend).to.include('CONFIG SET maxmemory-policy noeviction and CONFIG SET appendonly yes');
      } finally {
        await careless.stop();
      }
    });

    it('that may throw models away is a failure, as it is for who stores one', async () => {
      const careless = await new TestRedis(['--maxmemory-policy', 'allkeys-lru']).start();
      try {
        const { code, status, message, mend } = await told('store', ['--redis', careless.socket]);
        expect([code, status]).to.deep.equal([1, 'failed']);
        expect(message).to.include('allkeys-lru').and.include('nothing is stored');
        expect(mend).to.include('CONFIG SET maxmemory-policy noeviction');
      } finally {
        await careless.stop();
      }
    });

    it('that is not there is a failure', async () => {
      const { code, status, message } = await told('store', ['--redis', `redis://127.0.0.1:${freePort}`]);
      expect([code, status]).to.deep.equal([1, 'failed']);
      expect(message).to.include(freePort);
    });

    it('that does not answer is not waited for', async () => {
      const silent = await listen();
      const { status } = await told('store', ['--redis', `redis://127.0.0.1:${portOf(silent)}`]);
      silent.close();
      expect(status).to.equal('failed');
    });

    it('that is embedded and at rest is started and stopped again', async () => {
      expect((await runProcess(['versions', '--data-dir', dataFolder()])).code).to.equal(0);
      expect((await told('store')).message).to.include('at rest: it was used for this check alone');
      expect(readdirSync(join(dataFolder(), 'redis'))).not.to.include('server.json');
    });
  });

  describe('the port', () => {
    let server: ChildProcess | undefined;
    afterEach(async () => {
      if (server === undefined) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
      server = undefined;
    });

    async function serve(): Promise<string> {
      server = spawn(process.execPath, [main, 'serve', '--port', '0', '--json', '--data-dir', dataFolder()], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [line] = (await once(server.stdout!, 'data')) as [Buffer];
      return String(JSON.parse(line.toString()).thrift.port);
    }

    it('that a Parley server has is well, and so is the store that the server holds open', async () => {
      const port = await serve();
      const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
      expect((await told('port', ['--port', port])).message).to.equal(`a Parley server ${version} answers there`);
      expect((await told('store')).message).to.include('running and in use');
      expect(readdirSync(join(dataFolder(), 'redis'))).to.include('server.json');
    });

    it('that another program has is a failure, and on Linux names the program', async () => {
      const other = await listen();
      const { code, status, message } = await told('port', ['--port', portOf(other)]);
      other.close();
      expect([code, status]).to.deep.equal([1, 'failed']);
      if (process.platform === 'linux') expect(message).to.include(`(process ${process.pid})`);
    });

    it('must be a port', async () => {
      const { code, stderr } = await doctor(['--port', '70000']);
      expect(code).to.equal(2);
      expect(stderr).to.include('Write a port from 1 to 65535');
    });
  });

  describe('the data folder', () => {
    it('cannot be where a file is', async () => {
      writeFileSync(join(place.path, 'file'), '');
      const { status, message } = await told('data folder', ['--data-dir', join(place.path, 'file', 'data')]);
      expect(status).to.equal('failed');
      expect(message).to.include(`${join(place.path, 'file')} is a file`);
    });

    it('is not needed with a Redis of one’s own', async () => {
      expect((await told('data folder', ['--redis', 'redis://127.0.0.1:1'])).message).to.include('not needed');
    });
  });

  it('does not miss a Thrift compiler, and says who needs one', async () => {
    const path = programs({});
    symlinkSync('/bin/sh', join(path, 'sh'));
    const { status, message } = await told('Thrift compiler', [], { PATH: path });
    expect(status).to.equal('ok');
    expect(message).to.include('not on PATH; only generating clients');
  });
});

describe('the checks of parley doctor', () => {
  it('know the oldest Node.js that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(engines.node).to.equal(`>=${OLDEST_NODE.join('.')}`);
  });

  for (const [version, status] of [
    ['20.18.3', 'failed'],
    ['18.20.0', 'failed'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
  ] as const) {
    it(`say ${status} of Node.js ${version}`, () => {
      expect(checkNode(version).status).to.equal(status);
    });
  }

  it('compare versions part by part, by number', () => {
    const versions = ['6.2', '6.10', '6', '6.1.9', '7.0-rc1'];
    expect(versions.map((version) => isAtLeast(version, [6, 2]))).to.deep.equal([true, true, false, false, true]);
  });

  it('say how a runtime ended that ended its process', () => {
    const { status, message } = judgeRuntime({ code: null, signal: 'SIGILL', lastWords: 'Illegal instruction' });
    expect(status).to.equal('failed');
    expect(message).to.match(/ended its process \(SIGILL\): Illegal instruction$/);
  });

  it('warn of a runtime that only its public interface reaches', () => {
    const answer = { ok: true, synchronous: false } as const;
    expect(judgeRuntime({ answer, code: 0, signal: null, lastWords: '' }).status).to.equal('warning');
  });

  for (const [policy, status] of [
    ['noeviction', 'ok'],
    ['volatile-ttl', 'warning'],
    ['allkeys-random', 'failed'],
  ] as const) {
    it(`say ${status} of the eviction policy ${policy}`, () => {
      expect(judgeOwn('here', { name: 'Redis 7', clients: 1, isAppendOnly: true, policy }).status).to.equal(status);
    });
  }

  const named = (run: Check['run']): Check => ({ name: 'x', run });
  const never = new AbortController().signal;

  it('are given up after their deadline', async () => {
    const slow: Check = { ...named(() => new Promise(() => {})), deadlineMs: 20 };
    const finding = await withDeadline(slow, never);
    expect(finding).to.include({ status: 'failed', isOverdue: true, message: 'no answer within 0.02 s' });
  });

  it('are given up at Ctrl-C', async () => {
    const interrupted = new AbortController();
    const finding = withDeadline(
      named(() => new Promise(() => {})),
      interrupted.signal,
    );
    interrupted.abort();
    expect((await finding).message).to.equal('interrupted');
  });

  it('that throw have failed, in one line', async () => {
    const finding = await withDeadline(
      named(() => Promise.reject(new Error('a\nb'))),
      never,
    );
    expect(finding).to.include({ status: 'failed', message: 'a', isOverdue: false });
  });

  it('that find in time are not overdue', async () => {
    expect(
      await withDeadline(
        named(async () => ok('fine')),
        never,
      ),
    ).to.include({ status: 'ok', isOverdue: false });
  });
});

/** A server that takes connections and never says a word. */
async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).unref());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server) => String((server.address() as AddressInfo).port);
