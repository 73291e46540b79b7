import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { openStore } from '#parley/store/connect.js';
import { isRunning, processMark } from '#parley/store/process-mark.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { accepts, temporaryFolder, until } from './redis-server.js';
import { failure, MODEL, sha256 } from './world.js';

const USER = fileURLToPath(new URL('./embedded-user.js', import.meta.url));

describe('the embedded Redis', () => {
  let dataFolder: string;
  const stores: RedisStore[] = [];
  const children: ChildProcess[] = [];
  const marks = new Set<string>();

  beforeEach(() => {
    dataFolder = temporaryFolder();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await killed(child);
    await Promise.all(stores.splice(0).map((store) => store.close()));
    const left = [...marks].filter(isRunning);
    for (const mark of left) process.kill(Number(mark.split('@')[0]), 'SIGKILL');
    marks.clear();
    rmSync(dataFolder, { recursive: true, force: true });
    expect(left, 'Redis processes left behind').to.deep.equal([]);
  });

  async function open(folder = dataFolder): Promise<RedisStore> {
    const store = await openStore({ dataFolder: folder });
    stores.push(store);
    await noteServer(store);
    return store;
  }

  async function noteServer(store: RedisStore): Promise<string> {
    const mark = processMark(Number((await store.serverInfo()).get('process_id')))!;
    marks.add(mark);
    return mark;
  }

  /** Another process that has the store open. */
  async function user(): Promise<ChildProcess> {
    const child = fork(USER, [dataFolder]);
    children.push(child);
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    expect(message).to.equal('open');
    return child;
  }

  async function tell(child: ChildProcess, message: string): Promise<void> {
    const replied = Promise.race([once(child, 'message'), once(child, 'exit')]);
    child.send(message);
    await replied;
  }

  async function killed(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  const publish = (store: RedisStore, content: string) => {
    const bytes = Buffer.from(content);
    const record = { version: sha256(bytes), modelType: 'tensor', metrics: {} };
    return store.publishVersion({ actor: 'ada', model: MODEL, bytes, record });
  };
  const count = async (store: RedisStore) => (await store.versions(MODEL)).length;
  const folderIsQuiet = () => readdirSync(dataFolder).filter((name) => name.startsWith('redis.lock')).length === 0;

  it('keeps what was published from one command to the next', async () => {
    const first = await open();
    const mark = await noteServer(first);
    await publish(first, 'a');
    await first.close();
    expect(isRunning(mark)).to.equal(false);
    const second = await open();
    expect(String(await second.readVersion(MODEL, sha256(Buffer.from('a'))))).to.equal('a');
    expect(folderIsQuiet()).to.equal(true);
  });

  it('listens to this user only, on no port', async () => {
    const store = await open();
    expect(statSync(join(dataFolder, 'redis')).mode & 0o77).to.equal(0);
    expect(statSync(store.address.path!).mode & 0o77).to.equal(0);
    expect((await store.serverInfo()).get('tcp_port')).to.equal('0');
  });

  it('is shared by stores of one process, and ends with the last', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const mark = await noteServer(a);
    expect(await noteServer(b)).to.equal(mark);
    await a.close();
    await publish(b, 'a');
    expect(isRunning(mark)).to.equal(true);
    await b.close();
    expect(isRunning(mark)).to.equal(false);
    expect(existsSync(b.address.path!)).to.equal(false);
  });

  it('is shared by processes that start at the same time, and ends with the last', async () => {
    const users = await Promise.all([user(), user(), user()]);
    const store = await open();
    const mark = await noteServer(store);
    await store.close();
    expect(isRunning(mark)).to.equal(true);
    await Promise.all(users.map((child, i) => tell(child, `publish v${i}`)));
    await Promise.all(
      users.map(async (child) => {
        const exited = once(child, 'exit');
        child.send('close');
        await exited;
      }),
    );
    await until('Redis to end', () => !isRunning(mark));
    expect(await count(await open())).to.equal(3);
    expect(folderIsQuiet()).to.equal(true);
  });

  it('loses nothing while commands start and end all the time', async () => {
    const commands = Array.from({ length: 6 }, async (_, lane) => {
      for (let i = 0; i < 4; i++) {
        const store = await open();
        await publish(store, `lane ${lane} command ${i}`);
        await store.close();
      }
    });
    await Promise.all(commands);
    const store = await open();
    expect(await count(store)).to.equal(24);
    expect((await store.ledger(MODEL)).length).to.equal(24);
  });

  it('survives the death of the process that started it', async () => {
    const child = await user();
    await tell(child, 'publish a');
    await killed(child);
    expect(await accepts(join(dataFolder, 'redis', 'redis.sock'))).to.equal(true);
    const store = await open();
    expect(await count(store)).to.equal(1);
  });

  it('is started again when it dies, with its data', async () => {
    const store = await open();
    await publish(store, 'a');
    const mark = await noteServer(store);
    await settled(store);
    process.kill(Number(mark.split('@')[0]), 'SIGKILL');
    await until('the store to be back', () =>
      noteServer(store).then(
        (now) => now !== mark,
        () => false,
      ),
    );
    expect(await count(store)).to.equal(1);
    await publish(store, 'b');
    expect(await count(store)).to.equal(2);
  });

  it('is started once when it dies under many', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    const child = await user();
    const mark = await noteServer(a);
    process.kill(Number(mark.split('@')[0]), 'SIGKILL');
    const back = (store: RedisStore) =>
      until('the store to be back', () =>
        noteServer(store)
          .catch(() => undefined)
          .then((now) => now !== mark && now),
      );
    expect(await back(a)).to.equal(await back(b));
    await until('the other process to be back', () => tell(child, 'publish c').then(() => count(a)));
  });

  it('tells a watcher that it went and came back', async () => {
    const store = await open();
    const seen: boolean[] = [];
    await store.watch({ onChange: () => {}, onConnection: (connected) => void seen.push(connected) });
    const mark = await noteServer(store);
    process.kill(Number(mark.split('@')[0]), 'SIGKILL');
    await until('both', () => seen.length === 2);
    expect(seen).to.deep.equal([false, true]);
    await noteServer(store);
  });

  it('takes over after everybody was killed at once', async () => {
    const child = await user();
    await tell(child, 'publish a');
    const watching = new Redis({ path: join(dataFolder, 'redis', 'redis.sock'), protocol: 2 });
    const pid = Number(/process_id:(\d+)/.exec(await watching.info('server'))![1]);
    await until('the log to be on disk', async () =>
      /aof_pending_bio_fsync:0/.test(await watching.info('persistence')),
    );
    watching.disconnect();
    await killed(child);
    const mark = processMark(pid)!;
    process.kill(pid, 'SIGKILL');
    await until('Redis to be dead', () => !isRunning(mark));
    expect(await count(await open())).to.equal(1);
  });

  it('takes the lock of a dead process away', async () => {
    writeFileSync(join(dataFolder, 'redis.lock'), `999999999@1 ${(await import('node:os')).hostname()} abc\n`);
    const [a] = await Promise.all([open(), open(), open()]);
    await a.ping();
    expect(folderIsQuiet()).to.equal(true);
  });

  it('is reached under a folder whose path is too long for a socket', async () => {
    const long = join(dataFolder, 'x'.repeat(120));
    const a = await open(long);
    const b = await open(join(long, '.'));
    expect(b.address.path).to.equal(a.address.path);
    expect(Buffer.byteLength(a.address.path!)).to.be.below(104);
    expect(statSync(join(a.address.path!, '..')).mode & 0o77).to.equal(0);
    await publish(a, 'a');
    expect(await count(b)).to.equal(1);
    await Promise.all([a.close(), b.close()]);
    expect(existsSync(dirname(a.address.path!))).to.equal(false);
  });

  it('does not put its socket where somebody else has been', async () => {
    const long = join(dataFolder, 'x'.repeat(120));
    const first = await open(long);
    await first.close();
    symlinkSync(dataFolder, dirname(first.address.path!));
    try {
      const error = await failure(open(long));
      expect(error.message).to.include(dirname(first.address.path!)).and.include('not a folder of this user');
    } finally {
      rmSync(dirname(first.address.path!));
    }
  });

  it('is valkey-server where there is no redis-server', async () => {
    const path = process.env.PATH;
    const program = path!
      .split(':')
      .map((folder) => join(folder, 'redis-server'))
      .find((file) => existsSync(file))!;
    const folder = join(dataFolder, 'programs');
    mkdirSync(folder);
    symlinkSync(program, join(folder, 'valkey-server'));
    try {
      process.env.PATH = folder;
      expect(await (await open()).models()).to.deep.equal([]);
    } finally {
      process.env.PATH = path;
    }
  });

  it('is reached again after its socket was cleaned away', async () => {
    const first = await open();
    await publish(first, 'a');
    const mark = await noteServer(first);
    rmSync(first.address.path!);
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(join(dataFolder, 'redis', 'server.json'), longAgo, longAgo);
    const second = await open();
    expect(await noteServer(second)).to.not.equal(mark);
    expect(isRunning(mark)).to.equal(false);
    expect(await count(second)).to.equal(1);
    expect(await count(first)).to.equal(1);
  });

  it('starts with a log whose end was cut', async () => {
    const first = await open();
    await publish(first, 'a');
    await first.close();
    appendFileSync(lastLog(), '*3\r\n$3\r\nSET\r\n$5\r\nhal');
    expect(await count(await open())).to.equal(1);
  });

  it('says what Redis said when it cannot start', async () => {
    const first = await open();
    await publish(first, 'a');
    await first.close();
    const log = lastLog();
    writeFileSync(log, `garbage\r\n${readFileSync(log, 'latin1')}`);
    const error = await failure(open());
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include('redis-check-aof').and.include('redis.log');
    expect(folderIsQuiet()).to.equal(true);
  });

  it('says that a data folder cannot be made', async () => {
    writeFileSync(join(dataFolder, 'file'), '');
    const error = await failure(open(join(dataFolder, 'file', 'folder')));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message)
      .to.include(join(dataFolder, 'file', 'folder'))
      .and.include('--redis');
  });

  it('says how to install Redis when there is none', async () => {
    const path = process.env.PATH;
    const empty = join(dataFolder, 'empty');
    mkdirSync(empty);
    try {
      process.env.PATH = empty;
      const error = await failure(openStore({ dataFolder }));
      expect(error.code).to.equal('STORE_UNAVAILABLE');
      expect(error.message).to.include('apt install redis-server').and.include('--redis');
    } finally {
      process.env.PATH = path;
    }
    expect(folderIsQuiet()).to.equal(true);
  });

  it('is not waited for when it is gone at the end', async () => {
    const store = await open();
    const mark = await noteServer(store);
    const closing = store.close();
    process.kill(Number(mark.split('@')[0]), 'SIGKILL');
    await closing;
    expect(folderIsQuiet()).to.equal(true);
  });

  function lastLog(): string {
    const folder = join(dataFolder, 'redis', 'appendonlydir');
    return join(folder, readdirSync(folder).find((name) => name.endsWith('.incr.aof'))!);
  }

  /** What was written is with the operating system, so that a kill of Redis loses nothing. */
  async function settled(store: RedisStore): Promise<void> {
    const client = new Redis({ path: store.address.path!, protocol: 2 });
    await until('the log to be written', async () => /aof_buffer_length:0/.test(await client.info('persistence')));
    client.disconnect();
  }
});
