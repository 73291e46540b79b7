import { expect } from 'chai';
import fc from 'fast-check';
import { type Buckets, DURATION_BUCKETS, Histogram, ROW_BUCKETS } from '#parley/serving/histogram.js';
import { Tallies } from '#parley/serving/tallies.js';
import { Tally } from '#parley/serving/tally.js';

const KINDS: readonly [string, Buckets][] = [
  ['durations', DURATION_BUCKETS],
  ['rows', ROW_BUCKETS],
];

/** The bucket by its definition: the first whose bound the value does not exceed. */
function bucketOf({ bounds }: Buckets, value: number): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index < 0 ? bounds.length : index;
}

describe('a histogram', () => {
  it('has the buckets that the docs list', () => {
    expect([...DURATION_BUCKETS.bounds].slice(0, 5)).to.deep.equal([10, 20, 50, 100, 200]);
    expect([DURATION_BUCKETS.bounds.length, DURATION_BUCKETS.largest]).to.deep.equal([19, 10_000_000]);
    expect([...ROW_BUCKETS.bounds].slice(8)).to.deep.equal([256, 512, 1024, 4096, 16_384, 65_536]);
  });

  for (const [kind, buckets] of KINDS) {
    const near = [...buckets.bounds].flatMap((bound) => [bound - 1, bound - 0.001, bound, bound + 0.001, bound + 1]);
    const values = fc.oneof(
      fc.double({ min: 0, max: 4e7, noNaN: true }),
      fc.constantFrom(...near, 0, 2 ** 31, 2 ** 32, 2 ** 32 + 5, 1e15),
    );

    it(`counts each value in its bucket: ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(values, { maxLength: 50 }), (recorded) => {
          const histogram = new Histogram(buckets),
            expected = new Array<number>(buckets.bounds.length + 1).fill(0);
          for (const value of recorded) {
            histogram.record(value);
            expected[bucketOf(buckets, value)]!++;
          }
          expect([...histogram.counts]).to.deep.equal(expected);
          expect(histogram.count).to.equal(recorded.length);
          expect(histogram.sum).to.equal(recorded.reduce((a, b) => a + b, 0));
        }),
        { examples: [[near]] },
      );
    });
  }

  it('takes what is not above zero as zero', () => {
    const histogram = new Histogram(DURATION_BUCKETS);
    for (const value of [-5, -(2 ** 31), Number.NaN, Number.NEGATIVE_INFINITY]) histogram.record(value);
    expect([histogram.counts[0], histogram.count, histogram.sum]).to.deep.equal([4, 4, 0]);
  });

  it('estimates quantiles within the bucket of the real one', () => {
    const histogram = new Histogram(DURATION_BUCKETS);
    for (let us = 1; us <= 1000; us++) histogram.record(us);
    expect(histogram.quantile(0.5)).to.equal(500);
    expect(histogram.quantile(0.99)).to.be.closeTo(990, 0.01);
    expect(histogram.quantile(0)).to.equal(0);
    expect(new Histogram(DURATION_BUCKETS).quantile(0.5)).to.be.NaN;
    histogram.record(99e6);
    expect(histogram.quantile(1)).to.equal(DURATION_BUCKETS.largest);
  });
});

describe('a tally', () => {
  it('tells of calls, of their times and of runs', () => {
    const tally = new Tally();
    tally.ran(3, 40);
    tally.answered(100, 100.5, 100.75);
    tally.answered(100, 100.01, 100.75);
    tally.refused('OVERLOADED');
    expect(tally).to.include({ succeeded: 2, failed: 1, rows: 3, runs: 1, computeUs: 40 });
    expect(tally.queue.sum).to.be.closeTo(510, 1e-6);
    expect(tally.request.sum).to.be.closeTo(1500, 1e-6);
    expect(tally.failures.byCode).to.deep.equal([['OVERLOADED', 1]]);
    tally.unanswered('UNSUPPORTED');
    expect(tally).to.include({ succeeded: 1, failed: 2 });
  });
});

describe("a model's tallies", () => {
  let nowMs: number, tallies: Tallies;
  beforeEach(() => {
    nowMs = 0;
    tallies = new Tallies(() => nowMs);
  });

  const versions = () => tallies.versions.map(({ version }) => version);
  const total = () => tallies.totals.get('m')?.succeeded ?? 0;

  it('go on in a version that is loaded again', () => {
    const tally = tallies.of('m', 'a');
    tally.answered(0, 0, 1);
    tallies.end('m', 'a');
    expect(versions()).to.deep.equal(['a']);
    expect(tallies.of('m', 'a')).to.equal(tally);
    expect(versions()).to.deep.equal(['a']);
  });

  it('end some time after the version was let go, and leave the totals as they are', () => {
    for (const version of ['a', 'b']) tallies.of('m', version).answered(0, 0, 1);
    tallies.of('m', 'a').refused('MODEL_BROKEN');
    tallies.refused('m', 'NOT_FOUND');
    tallies.end('m', 'a');
    nowMs = 599_999;
    expect(versions()).to.have.members(['a', 'b']);
    nowMs = 600_000;
    expect(versions()).to.deep.equal(['b']);
    expect(total()).to.equal(2);
    expect(tallies.totals.get('m')!.failures.byCode).to.have.deep.members([
      ['MODEL_BROKEN', 1],
      ['NOT_FOUND', 1],
    ]);
    tallies.of('m', 'a').answered(0, 0, 1);
    expect(total()).to.equal(3);
  });

  it('stay few however many versions pass through, and never go backwards', () => {
    let before = 0;
    for (let i = 0; i < 1_000; i++) {
      tallies.of('m', `v${i}`).answered(0, 0, 1);
      tallies.end('m', `v${i}`);
      expect(total()).to.be.above(before);
      before = total();
    }
    expect(tallies.versions).to.have.length(256);
    expect(total()).to.equal(1_000);
  });
});
