import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { isAlive, until } from '../../road/parley.js';

const SERVER = resolve('dist-test/serving/lanes/lane-server.js');

describe('a server that ends while a lane is inside a run without end', () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    it(`leaves neither process nor files behind ${signal}`, async () => {
      const temporary = mkdtempSync(join(tmpdir(), 'left-'));
      const child = spawn(process.execPath, [SERVER], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TMPDIR: temporary },
      });
      try {
        const [line] = await once(createInterface({ input: child.stdout }), 'line');
        const pid = Number(line);
        expect(isAlive(pid)).to.equal(true);
        expect(readdirSync(temporary)).to.have.length(1);
        child.kill(signal);
        await until('the lane to end', () => !isAlive(pid));
        await until('its files to go', () => readdirSync(temporary).length === 0);
      } finally {
        child.kill('SIGKILL');
        rmSync(temporary, { recursive: true, force: true });
      }
    });
});
