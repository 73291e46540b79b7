/** bench/serving runs: rows of Parley's own, which need no Python. Its figures are not looked at, only that they are there. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../road/parley.js';

const SERVING = 'bench/serving';

interface Side {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p99Us: number;
}
interface Row {
  readonly name: string;
  readonly missing?: string;
  readonly sides: Readonly<Record<string, Side>>;
  readonly judgements: readonly { readonly what: string; readonly figure?: number; readonly kept?: boolean }[];
}

/** For temporary files of its own, so that what is left behind is seen. */
const folder = mkdtempSync(join(tmpdir(), 'serving-'));
const env = { ...process.env, TMPDIR: folder };
const workplaces = () => readdirSync(folder).filter((name) => name.startsWith('parley-bench-'));

function run(...args: string[]): Row[] {
  const printed = execFileSync(process.execPath, [SERVING, '--quick', '--rounds', '1', '--json', ...args], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (JSON.parse(printed) as { results: Row[] }).results;
}

describe('bench/serving', function () {
  this.timeout(300_000);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('measures the rows that it is told, each with its bars, and leaves nothing behind', () => {
    const measured = run('--only', 'limit,swap');
    expect(measured.map(({ name }) => name)).to.deep.equal(['swap', 'limit']);
    for (const { sides } of measured)
      for (const [side, { perSecond }] of Object.entries(sides)) expect(perSecond, side).to.be.above(0);
    const rows = Object.fromEntries(measured.map((row) => [row.name, row]));
    expect(Object.keys(rows.limit!.sides)).to.deep.equal(['parley', 'echo', 'one row', '64 rows']);
    expect(rows.limit!.sides.parley!.cpuUs).to.be.above(0);
    const errors = rows.swap!.judgements.find(({ what }) => what === 'errors');
    expect(errors).to.deep.include({ figure: 0, kept: true });
    expect(workplaces()).to.deep.equal([]);
  });

  it('has a figure and a verdict for each bar of a row that needs no rival, and none where one is not installed', () => {
    const [row] = run('--only', 'logistic-8') as [Row];
    expect(row.sides.parley!.perSecond).to.be.above(0);
    expect(row.sides.stock!.perSecond).to.be.above(0);
    for (const { what, figure, kept } of row.judgements) {
      const hasRival = !what.includes('FastAPI') || row.sides.fastapi !== undefined;
      expect(typeof figure, what).to.equal(hasRival ? 'number' : 'undefined');
      expect(typeof kept, what).to.equal(hasRival ? 'boolean' : 'undefined');
    }
  });

  it('says what it does not know', () => {
    const refused = (...args: string[]) => {
      try {
        execFileSync(process.execPath, [SERVING, ...args], { encoding: 'utf8', stdio: 'pipe' });
        return '';
      } catch (error) {
        return (error as { stderr: string }).stderr;
      }
    };
    expect(refused('--only', 'nothing')).to.include('no row\'s name begins with "nothing"');
    expect(refused('--rounds', '0')).to.include('--rounds: "0" is not a number above 0');
    expect(refused('--often')).to.include('--often');
  });

  it('ends what it started at Ctrl-C', async () => {
    const bench = spawn(process.execPath, [SERVING, '--only', 'logistic-64'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    bench.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('the first round', () => said.includes('round 1'), 120_000);
    const children = childrenOf(bench.pid!);
    expect(children.length).to.be.above(1);
    bench.kill('SIGINT');
    await until('its end', () => bench.exitCode !== null || bench.signalCode !== null);
    expect(bench.exitCode).to.equal(130);
    await until('the end of what it started', () => children.every((pid) => !existsSync(`/proc/${pid}`)));
    expect(workplaces()).to.deep.equal([]);
  });
});

function childrenOf(pid: number): string[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
  } catch {
    return [];
  }
}
