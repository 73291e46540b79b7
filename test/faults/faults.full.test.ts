import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const LIMIT_MS = 120_000;
const faults = (...args: string[]) =>
  promisify(execFile)(process.execPath, [resolve('scripts/faults'), ...args], { timeout: LIMIT_MS });

describe('a server whose Redis fails', function () {
  this.timeout(LIMIT_MS);

  for (const name of ['killed', 'failover', 'node'])
    it(`answers every prediction, and loses no promotion that it acknowledged: ${name}`, async () => {
      const { stdout } = await faults('--seconds', '12', '--only', name);
      const [, sent, failed] = /\| (\d+) \/ (\d+) \|/.exec(stdout)!;
      expect(Number(sent)).to.be.above(1_200);
      expect(failed).to.equal('0');
      expect(stdout).to.include('whole,');
    });
});
