import { expect } from 'chai';
import { histogram, timeText, warningsOf } from '#parley/cli/bench-report.js';
import { Histogram } from '#parley/load/histogram.js';
import type { LoadResult } from '#parley/load/plan.js';

const latencies = (...us: number[]) => {
  const filled = new Histogram();
  for (const each of us) filled.add(each);
  return filled;
};

const measured = (changes: Partial<LoadResult>) =>
  ({
    generatorBusy: 0.4,
    latency: latencies(100, 200).summary(),
    failed: latencies().summary(),
    ...changes,
  }) as LoadResult;

describe('the histogram of a measurement', () => {
  it('has a line from the fastest call to the slowest, also where none was, and adds up', () => {
    const lines = histogram(latencies(80, 80, 80, 90, 400).buckets());
    expect(lines).to.deep.equal([
      `< 100 µs  ${'█'.repeat(40)}     80 %     80 %`,
      `< 150 µs  ${' '.repeat(40)}      0 %     80 %`,
      `< 200 µs  ${' '.repeat(40)}      0 %     80 %`,
      `< 300 µs  ${' '.repeat(40)}      0 %     80 %`,
      `< 500 µs  ${'█'.repeat(10).padEnd(40)}     20 %    100 %`,
    ]);
  });

  it('spans microseconds and minutes in a few dozen lines', () => {
    const lines = histogram(latencies(0, 3, 900, 80_000_000).buckets());
    expect(lines.length).to.be.within(30, 60);
    expect(lines[0]).to.match(/^ *< 1 µs {2}█/);
    expect(lines.at(-1)).to.match(/^ *< 100 s {2}█.* 100 %$/);
  });

  it('is told in units that suit', () => {
    expect([0, 7, 999, 1_234, 56_789, 1_000_000, 71_600_000].map(timeText)).to.deep.equal([
      '0 µs',
      '7 µs',
      '999 µs',
      '1.23 ms',
      '56.8 ms',
      '1 s',
      '71.6 s',
    ]);
  });
});

describe('a measurement warns', () => {
  const cases: [what: string, changes: Partial<LoadResult>, warning: RegExp][] = [
    ['when the generator had no time left', { generatorBusy: 0.95 }, /its core 95 % busy: it may be the limit/],
    ['when calls were sent late', { late: latencies(5_000, 5_000).summary() }, /sent calls late \(p99 5 ms\)/],
    ['when calls had to wait for others', { late: latencies(30).summary() }, /^50 % of the calls were held back/],
    ['when the machine was full', { machineBusy: 0.99 }, /this machine was 99 % busy/],
    ['when clocks say that it was more than full', { machineBusy: 1.02 }, /this machine was 100 % busy/],
    ['when the machine is shared', { stolen: 0.2 }, /20 % of this machine's time went to other virtual machines/],
  ];
  for (const [what, changes, warning] of cases) {
    it(what, () => {
      const warnings = warningsOf(measured(changes));
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(warning);
    });
  }

  it('of nothing where all was well, nor of a busy generator that sends in time', () => {
    const well = { machineBusy: 0.7, stolen: 0.01 };
    expect(warningsOf(measured(well))).to.deep.equal([]);
    expect(warningsOf(measured({ ...well, generatorBusy: 1, late: latencies(30, 30).summary() }))).to.deep.equal([]);
  });
});
