import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { withFolderLock } from '#parley/store/folder-lock.js';
import { isRunning, processMark } from '#parley/store/process-mark.js';
import { temporaryFolder, until } from './redis-server.js';
import { failure } from './world.js';

describe('the lock of a folder', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const heldBy = (mark: string) => writeFileSync(path, `${mark} ${hostname()} abc\n`);

  it('is held by one at a time', async () => {
    let holders = 0;
    let most = 0;
    const turns = Array.from({ length: 30 }, () =>
      withFolderLock(path, async () => {
        most = Math.max(most, ++holders);
        await setImmediate();
        holders--;
      }),
    );
    await Promise.all(turns);
    expect(most).to.equal(1);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is free again after what was done under it failed', async () => {
    const failing = withFolderLock(path, () => Promise.reject(new Error('no')));
    expect(await failing.catch((error: Error) => error.message)).to.equal('no');
    expect(existsSync(path)).to.equal(false);
  });

  it('is taken from a dead process by one of those who wait', async () => {
    for (let round = 0; round < 20; round++) {
      heldBy('999999999@1');
      let holders = 0;
      let most = 0;
      const turns = Array.from({ length: 5 }, () =>
        withFolderLock(path, async () => {
          most = Math.max(most, ++holders);
          await setImmediate();
          holders--;
        }),
      );
      await Promise.all(turns);
      expect(most).to.equal(1);
    }
  });

  it('is taken from a process whose id another one has got since', async () => {
    heldBy(`${process.pid}@1`);
    await withFolderLock(path, async () => {});
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is not taken from a live process, which is named', async () => {
    heldBy(processMark(process.pid)!);
    const error = await failure(withFolderLock(path, async () => {}, 50));
    expect(error.code).to.equal('STORE_UNAVAILABLE');
    expect(error.message).to.include(String(process.pid)).and.include(path);
    expect(existsSync(path)).to.equal(true);
  });

  it('is not taken from a process that cannot be looked up, for a while', async () => {
    writeFileSync(path, '1@1 elsewhere abc\n');
    expect((await failure(withFolderLock(path, async () => {}, 50))).code).to.equal('STORE_UNAVAILABLE');
  });

  it('tells a process from a later one of the same id', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const mark = processMark(child.pid!)!;
    expect(isRunning(mark)).to.equal(true);
    expect(isRunning(`${child.pid}@0`)).to.equal(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until('its end', () => !isRunning(mark));
    expect(isRunning('nonsense')).to.equal(false);
  });
});
