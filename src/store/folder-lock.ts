/**
 * A lock between processes: a file that exists while somebody holds it and says who.
 *
 * The file is made whole in one step (a hard link), so nobody reads half a name. A holder that has died is noticed by
 * its process mark. Taking a dead holder's lock away is guarded by a second file for the few system calls that it
 * takes: without it, two that wait could each remove what they take for the dead one's lock, one of them the other's.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { hasErrno, storeUnavailable } from '../errors.js';
import { isRunning, processMark } from './process-mark.js';

/** Longer than anybody holds it: what is done under it has deadlines. */
const WAIT_MS = 45_000;
/** When a holder cannot be looked up, because it runs on another machine or in another container. */
const FOREIGN_STALE_MS = 120_000;
const GUARD_STALE_MS = 10_000;

/**
 * Runs `action` while no other process, and no other caller in this one, holds the lock.
 *
 * @throws STORE_UNAVAILABLE, naming the holder, when it is not free in time
 */
export async function withFolderLock<T>(path: string, action: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  const own = `${processMark(process.pid) ?? process.pid} ${hostname()} ${randomBytes(6).toString('hex')}\n`;
  await acquire(path, own, waitMs);
  try {
    return await action();
  } finally {
    if (read(path) === own) rmSync(path, { force: true });
  }
}

async function acquire(path: string, own: string, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs;
  for (let pauseMs = 5; !create(path, own); pauseMs = Math.min(100, pauseMs * 2)) {
    const holder = read(path);
    if (holder !== undefined && isStale(path, holder)) takeAway(path, holder);
    else if (performance.now() < until) await setTimeout(pauseMs * (0.5 + Math.random()));
    else throw heldTooLong(path, holder, waitMs);
  }
}

function create(path: string, content: string): boolean {
  const mine = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(mine, content, { mode: 0o600 });
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isStale(path: string, holder: string): boolean {
  const [mark = '', host] = holder.trim().split(' ');
  if (host === hostname()) return !isRunning(mark);
  return ageMs(path) > FOREIGN_STALE_MS;
}

function takeAway(path: string, holder: string): void {
  const guard = `${path}.guard`;
  if (!create(guard, holder)) {
    if (ageMs(guard) > GUARD_STALE_MS) rmSync(guard, { force: true });
    return;
  }
  try {
    if (read(path) === holder) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function heldTooLong(path: string, holder: string | undefined, waitMs: number): Error {
  const pid = holder?.split('@')[0];
  return storeUnavailable(
    `another process${pid === undefined ? '' : ` (${pid})`} has held ${path} for ${Math.round(waitMs / 1000)} s, longer than ` +
      'what is done under that lock takes; wait for it, or end it if it hangs',
  );
}
