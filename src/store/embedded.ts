/**
 * Our own Redis: `redis-server` or `valkey-server` from PATH, on a Unix socket, its data in the data folder.
 *
 * It belongs to no process: the first that needs it starts it, all share it, the last to leave stops it, and when a
 * process is killed it stays for the next. Starting and stopping happen under one lock, in which a joining process also
 * connects, so that whoever counts the connections before stopping sees it. `server.json` names the process and its
 * socket; two Redis on one log would destroy it, so none is started while that process runs.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { hasErrno, invalidInput, ParleyError, storeUnavailable } from '../errors.js';
import { type RedisAddress, socketAddress } from './address.js';
import { withFolderLock } from './folder-lock.js';
import { isRunning } from './process-mark.js';
import type { Departure, RedisHost } from './redis-store.js';
import { launch, probe } from './server-process.js';

/** A socket's path, with the zero byte that ends it, has 104 bytes on macOS and 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103;
const EXIT_DEADLINE_MS = 15_000;
const APPEAR_DEADLINE_MS = 5_000;
const HEAL_PAUSE_MS = 1_000;

const serverRecord = z.object({ mark: z.string(), socket: z.string() });
type ServerRecord = z.infer<typeof serverRecord>;

export class EmbeddedRedis implements RedisHost {
  /** Where the server keeps its data and its log. */
  readonly folder: string;
  readonly address: RedisAddress;

  private readonly lockPath: string;
  private readonly recordPath: string;
  private readonly socket: string;
  private healing: Promise<void> | undefined;
  private released = false;

  /** @throws INVALID_INPUT when the data folder cannot be made or written */
  static in(dataFolder: string): EmbeddedRedis {
    const root = makeFolder(dataFolder);
    makeFolder(join(root, 'redis'));
    return new EmbeddedRedis(root);
  }

  private constructor(root: string) {
    this.folder = join(root, 'redis');
    this.lockPath = join(root, 'redis.lock');
    this.recordPath = join(this.folder, 'server.json');
    this.socket = this.record()?.socket ?? socketFor(this.folder);
    this.address = socketAddress(this.socket);
  }

  /** Sees to it that Redis runs, and that `connect` has connected before anybody else may stop it. */
  async join(connect: () => Promise<void>): Promise<void> {
    await this.locked(async () => {
      await this.ensureRunning();
      await connect();
    });
  }

  heal(): void {
    if (this.released) return;
    // Failing is told by the connection, which goes on trying and calls this again; a server that ends as soon as it is
    // started must not be started as fast as that.
    this.healing ??= this.locked(() => this.ensureRunning())
      .catch(() => setTimeout(HEAL_PAUSE_MS))
      .finally(() => {
        this.healing = undefined;
      });
  }

  async release(departure: Departure): Promise<void> {
    this.released = true;
    await this.healing;
    try {
      await this.locked(async () => {
        if (!(await this.isLast(departure))) return departure.leave();
        await departure.shutdown();
        await this.ended();
      });
    } finally {
      await departure.leave();
    }
  }

  /** A Redis that is gone, or does not answer, is left as it is: the next command makes something of it. */
  private async isLast(departure: Departure): Promise<boolean> {
    if ((await probe(this.socket)) === 'absent') return false;
    try {
      return (await departure.others()).length === 0;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'STORE_UNAVAILABLE') return false;
      throw error;
    }
  }

  private async locked<T>(action: () => Promise<T>): Promise<T> {
    return withFolderLock(this.lockPath, action);
  }

  private async ensureRunning(): Promise<void> {
    if ((await probe(this.socket)) !== 'absent') return;
    const record = this.record();
    if (record !== undefined && isRunning(record.mark)) {
      if (record.socket !== this.socket) throw movedSocket(record, this.socket);
      if (await this.appears(record)) return;
      // Somebody has removed the socket (a cleaner of temporary folders does): nobody can reach it any more.
      await terminate(record);
    }
    if (dirname(this.socket) !== this.folder) makePrivate(dirname(this.socket));
    const mark = await launch({
      folder: this.folder,
      socket: this.socket,
      started: (started) => this.write({ mark: started, socket: this.socket }),
    });
    this.write({ mark, socket: this.socket });
  }

  /** A server that was launched a moment ago, by a process that died meanwhile, has yet to listen. */
  private async appears(record: ServerRecord): Promise<boolean> {
    const until = statSync(this.recordPath).mtimeMs + APPEAR_DEADLINE_MS;
    while (Date.now() < until && isRunning(record.mark)) {
      if ((await probe(this.socket)) !== 'absent') return true;
      await setTimeout(50);
    }
    return false;
  }

  /** Redis has written everything before it closes its socket; then its process ends. */
  private async ended(): Promise<void> {
    const record = this.record();
    const until = performance.now() + EXIT_DEADLINE_MS;
    const lives = async () => (record === undefined ? (await probe(this.socket)) !== 'absent' : isRunning(record.mark));
    while (await lives()) {
      if (performance.now() > until) return;
      await setTimeout(10);
    }
    rmSync(this.recordPath, { force: true });
    if (dirname(this.socket) !== this.folder) rmSync(dirname(this.socket), { recursive: true, force: true });
  }

  private record(): ServerRecord | undefined {
    try {
      return serverRecord.parse(JSON.parse(readFileSync(this.recordPath, 'utf8')));
    } catch {
      // None, or cut by a crash: the socket alone tells then whether a server runs.
      return undefined;
    }
  }

  private write(record: ServerRecord): void {
    const next = `${this.recordPath}.next`;
    writeFileSync(next, JSON.stringify(record), { mode: 0o600 });
    renameSync(next, this.recordPath);
  }
}

async function terminate(record: ServerRecord): Promise<void> {
  const pid = Number(record.mark.split('@')[0]);
  process.kill(pid, 'SIGTERM');
  const until = performance.now() + EXIT_DEADLINE_MS;
  while (isRunning(record.mark)) {
    if (performance.now() > until) {
      throw storeUnavailable(
        `the Redis of this data folder (process ${pid}) runs, cannot be reached at ${record.socket}, and does not end when ` +
          `asked to; end it with \`kill ${pid}\``,
      );
    }
    await setTimeout(20);
  }
}

function movedSocket(record: ServerRecord, socket: string): Error {
  return storeUnavailable(
    `the Redis of this data folder has moved from ${socket} to ${record.socket}, because processes with different folders for ` +
      'temporary files (TMPDIR) use it; start this command again, and choose a data folder with a shorter path',
  );
}

/** @returns the folder's real path, by which all processes agree on socket and lock */
function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const probeFile = join(folder, `.writable-${process.pid}`);
    writeFileSync(probeFile, '');
    rmSync(probeFile, { force: true });
    return realpathSync(folder);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidInput(
      `the data folder ${folder} cannot be made or written (${why}); choose another one, or use a Redis of your own with --redis URL`,
      { cause },
    );
  }
}

function socketFor(folder: string): string {
  const beside = join(folder, 'redis.sock');
  if (Buffer.byteLength(beside) <= MAX_SOCKET_PATH_BYTES) return beside;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return join(realpathSync(tmpdir()), `parley-${hash}`, 'redis.sock');
}

/** In a folder that everybody can write to, somebody else may have been faster than we. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw storeUnavailable(
      `${folder}, where the socket of this data folder's Redis belongs, is not a folder of this user; remove it, or choose a ` +
        'data folder with a shorter path',
    );
  }
  chmodSync(folder, 0o700);
}
