/** A minute of what scripts/soak does for longer; flat memory takes longer to see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { skip } from '../skip.js';

const LIMIT_MS = 300_000;

function soak(...args: string[]) {
  const child = spawn(process.execPath, [resolve('scripts/soak'), ...args], { timeout: LIMIT_MS });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, printed, ended };
}

describe('a soak', function () {
  this.timeout(LIMIT_MS);
  before(function () {
    if (process.platform !== 'linux') skip(this, 'memory and file descriptors are read from /proc');
  });

  it('of a minute has no wrong and no failed answer, while versions, connections and Redis come and go', async () => {
    const { printed, ended } = soak('1', '--json', '--seed', '7');
    expect(await ended, printed.stderr + printed.stdout).to.equal(0);
    const outcome = JSON.parse(printed.stdout);
    expect(outcome).to.include({ wrongCount: 0, failedCount: 0, restarts: 2, interrupted: false });
    expect(outcome.breaches).to.deep.equal([]);
    expect(outcome.answered).to.be.above(10_000);
    expect(outcome.promotions.acknowledged).to.be.at.least(3);
    expect(outcome.samples).to.have.length.within(10, 13);
  });

  it('that is interrupted tells what it has seen', async () => {
    const { child, printed, ended } = soak('10');
    while (!printed.stderr.includes('asking')) await setTimeout(50);
    await setTimeout(3_000);
    child.kill('SIGINT');
    expect(await ended, printed.stderr + printed.stdout).to.equal(130);
    expect(printed.stdout).to.include('interrupted').and.include('all promises kept');
  });
});
