/** Launching a Redis server as a process that outlives us, and asking a socket whether one listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { hasErrno, storeUnavailable } from '../errors.js';
import { processMark } from './process-mark.js';

const PROGRAMS = ['redis-server', 'valkey-server'];
/** A log that is longer is put aside, in place of the one before it, when a server is started. */
const MAX_LOG_BYTES = 1024 * 1024;
const LISTEN_DEADLINE_MS = 20_000;
const LOADING_PATIENCE_MS = 2_000;
const PROBE_DEADLINE_MS = 1_000;

export interface Launch {
  readonly folder: string;
  readonly socket: string;
  /** Called with the process's mark as soon as there is a process. */
  started(mark: string): void;
}

/**
 * Starts a server and resolves, with its process's mark, when it answers, or goes on loading its data for long.
 *
 * @throws STORE_UNAVAILABLE when no server is installed, or with the end of its log when it ends
 */
export async function launch({ folder, socket, started }: Launch): Promise<string> {
  const logPath = join(folder, 'redis.log');
  if (sizeOf(logPath) > MAX_LOG_BYTES) renameSync(logPath, `${logPath}.old`);
  const logStart = sizeOf(logPath);
  const child = await spawnFirst(settingsFor(folder, socket, logPath), folder);
  const mark = processMark(child.pid!);
  if (mark !== undefined) started(mark);
  const begun = performance.now();
  for (;;) {
    const presence = await probe(socket);
    const passedMs = performance.now() - begun;
    if (presence === 'answers') break;
    if (child.exitCode !== null || child.signalCode !== null) throw endedEarly(child, logPath, logStart);
    // A server listens before it loads, and ends when what it loads is broken: that shows early or late.
    if (presence === 'silent' && passedMs > LOADING_PATIENCE_MS) break;
    if (passedMs > LISTEN_DEADLINE_MS) {
      child.kill('SIGTERM');
      throw storeUnavailable(`the Redis of the data folder did not listen on ${socket} in time; look into ${logPath}`);
    }
    await setTimeout(10);
  }
  return mark ?? String(child.pid);
}

/** `silent`: somebody is there, who is loading, stopped or busy. */
export type Presence = 'answers' | 'silent' | 'absent';

export function probe(socketPath: string): Promise<Presence> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    const settle = (presence: Presence) => {
      socket.destroy();
      resolve(presence);
    };
    socket.setTimeout(PROBE_DEADLINE_MS, () => settle('silent'));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => settle(reply.toString('latin1').startsWith('+PONG') ? 'answers' : 'silent'));
    socket.once('end', () => settle('silent'));
    // EAGAIN: its queue of connections is full, so there is one.
    socket.once('error', (error) => settle(hasErrno(error, 'EAGAIN') ? 'silent' : 'absent'));
  });
}

function settingsFor(folder: string, socket: string, logPath: string): string[] {
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    daemonize: 'no',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // A crash of the machine may cut the log's last entry; what is before it is whole.
    'aof-load-truncated': 'yes',
    // The log alone keeps the data: snapshots beside it would only cost.
    save: '',
    'maxmemory-policy': 'noeviction',
    logfile: logPath,
    loglevel: 'notice',
    'always-show-logo': 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Spawns the first program that is installed, in a session of its own: our terminal's Ctrl-C is not its business. */
async function spawnFirst(settings: readonly string[], folder: string): Promise<ChildProcess> {
  for (const program of PROGRAMS) {
    const child = spawn(program, settings, { cwd: folder, detached: true, stdio: 'ignore' });
    const problem = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (problem === undefined) {
      child.unref();
      return child;
    }
    if (!hasErrno(problem, 'ENOENT')) {
      throw storeUnavailable(`${program} cannot be started: ${problem.message}`, { cause: problem });
    }
  }
  throw storeUnavailable(
    'neither redis-server nor valkey-server is on PATH; install one (Debian, Ubuntu: apt install redis-server; Fedora: dnf ' +
      'install valkey; macOS: brew install redis), or use a Redis that runs elsewhere with --redis redis://host:6379',
  );
}

function endedEarly(child: ChildProcess, logPath: string, logStart: number): Error {
  const how = child.signalCode === null ? `with status ${child.exitCode}` : `by ${child.signalCode}`;
  const said = tail(logPath, logStart);
  return storeUnavailable(
    `the Redis of the data folder ended ${how} before it could be used${said === '' ? '' : `; it said: ${said}`}; its log is ${logPath}`,
  );
}

/** The last lines that the log got after `start`, on one line. */
function tail(path: string, start: number): string {
  const end = sizeOf(path);
  const length = Math.min(1_000, Math.max(0, end - start));
  if (length === 0) return '';
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, length, end - length);
  } finally {
    closeSync(file);
  }
  return bytes.toString('utf8').trim().split('\n').slice(-3).join(' / ');
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
