import { expect } from 'chai';
import { Histogram } from '#parley/load/histogram.js';
import { chanceOf } from '#parley/load/made-up.js';

/** From 5 µs to some seconds, most of them around 400 µs. */
function latencies(count: number): number[] {
  const chance = chanceOf(7);
  const bell = () => chance() + chance() + chance() + chance() - 2;
  return Array.from({ length: count }, () => Math.floor(400 * Math.exp(4 * bell()) + 5));
}

const filled = (values: readonly number[]) => {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
};

describe('the histogram of latencies', () => {
  it('tells percentiles to 0.4 % of what sorting all values tells, and the largest exactly', () => {
    const values = latencies(100_000),
      sorted = values.toSorted((a, b) => a - b);
    const histogram = filled(values);
    for (const share of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999]) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
      expect(histogram.percentileUs(share), `p${share * 100}`).to.be.closeTo(exact, exact * 0.004);
    }
    expect(histogram.summary().maxUs).to.equal(sorted.at(-1));
    expect(histogram.summary().meanUs).to.be.closeTo(values.reduce((sum, each) => sum + each, 0) / values.length, 1e-6);
  });

  it('is exact below 256 µs', () => {
    const histogram = filled(Array.from({ length: 256 }, (_, us) => us));
    for (let us = 0; us < 256; us++) expect(histogram.percentileUs((us + 1) / 256)).to.equal(us);
  });

  it('keeps every value in the bucket that it belongs to, up to the largest that it counts', () => {
    for (const us of [0, 255, 256, 257, 511, 512, 1_000_000, 123_456_789, 2 ** 31, 2 ** 32 - 1]) {
      const [[from, to, count]] = filled([us]).buckets() as [[number, number, number]];
      expect(from, String(us)).to.be.at.most(us);
      expect(to).to.be.above(us);
      expect(to - from).to.be.at.most(Math.max(1, us / 128));
      expect(count).to.equal(1);
    }
    expect(filled([2 ** 40]).percentileUs(1)).to.be.within(2 ** 32 - 2 ** 24, 2 ** 32);
  });

  it('has its buckets in order, without a gap between neighbours, and all values in them', () => {
    const values = latencies(10_000),
      buckets = filled(values).buckets();
    expect(buckets.reduce((sum, [, , count]) => sum + count, 0)).to.equal(values.length);
    buckets.slice(1).forEach(([from], index) => {
      expect(from).to.be.at.least(buckets[index]![1]);
    });
  });

  it('says 0 of nothing', () => {
    expect(new Histogram().summary()).to.deep.include({ count: 0, p50Us: 0, p999Us: 0, maxUs: 0, meanUs: 0 });
  });
});
