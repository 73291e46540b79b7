/**
 * Counts of values in fixed buckets.
 *
 * The buckets of all servers are the same, so that what several of them counted can be added up, and a p99 be taken of the
 * sum, which cannot be done with p99s. Hot path: one look into a table, one comparison, nothing is allocated; bench/tally
 * measures it. Counts are float64, which are exact up to 2^53: a uint32 would be full after a day.
 */

/** Upper bounds, ascending whole numbers of which no two lie within [2^k, 2^(k+1)). */
export class Buckets {
  readonly bounds: Float64Array;
  readonly largest: number;
  /** By the number of leading zeros of a whole number: the first bucket whose bound reaches the least such number. */
  readonly first = new Uint8Array(33);

  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.largest = bounds.at(-1)!;
    for (let zeros = 0; zeros <= 32; zeros++) {
      const least = zeros === 32 ? 0 : 2 ** (31 - zeros),
        index = bounds.findIndex((bound) => bound >= least);
      this.first[zeros] = index < 0 ? bounds.length : index;
    }
  }
}

/** 1-2-5 from 10 µs to 10 s, in microseconds. */
export const DURATION_BUCKETS = new Buckets(
  [10, 100, 1_000, 10_000, 100_000, 1_000_000].flatMap((us) => [us, 2 * us, 5 * us]).concat(10_000_000),
);
/** Rows of a run: powers of two up to the most that are batched, and a few beyond for requests that are larger. */
export const ROW_BUCKETS = new Buckets([...Array.from({ length: 11 }, (_, i) => 2 ** i), 4_096, 16_384, 65_536]);

export class Histogram {
  /** By bucket, not cumulated; the last one is for what is beyond every bound. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(readonly buckets: Buckets) {
    this.counts = new Float64Array(buckets.bounds.length + 1);
  }

  /** A value equal to a bound belongs below it. What is not above 0 counts as 0. */
  record(value: number): void {
    const { bounds, first, largest } = this.buckets;
    if (!(value > 0)) {
      this.counts[0]!++;
      return;
    }
    let index = bounds.length;
    if (value <= largest) {
      index = first[Math.clz32(value)]!;
      if (value > bounds[index]!) index++;
    }
    this.counts[index]!++;
    this.sum += value;
  }

  get count(): number {
    let count = 0;
    for (const each of this.counts) count += each;
    return count;
  }

  /**
   * Estimated as Prometheus's histogram_quantile does: values lie evenly within their bucket.
   *
   * @param q of [0, 1]
   * @returns NaN where nothing was counted; the largest bound for what is beyond it
   */
  quantile(q: number): number {
    const { bounds } = this.buckets,
      rank = q * this.count;
    let below = 0;
    for (let i = 0; i < bounds.length; i++) {
      const here = this.counts[i]!,
        from = i === 0 ? 0 : bounds[i - 1]!;
      if (here > 0 && below + here >= rank) return from + ((bounds[i]! - from) * (rank - below)) / here;
      below += here;
    }
    return below < this.count ? this.buckets.largest : Number.NaN;
  }
}
