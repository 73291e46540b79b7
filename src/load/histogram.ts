/**
 * Latencies in fixed memory, after HdrHistogram (Tene): every whole microsecond up to 255 has a bucket of its own, and each
 * doubling above is cut into 128 equal ones.
 *
 * So a percentile is exact below 256 µs and at most 0.4 % off above (half of a bucket, whose middle is told); the largest
 * value is exact. 27 KiB; what took longer than 71 minutes counts as that.
 */
const EXACT_BITS = 8,
  STEPS = 1 << (EXACT_BITS - 1),
  MOST_US = 0xffff_ffff,
  BUCKETS = indexOf(MOST_US) + 1;

function indexOf(us: number): number {
  const shift = 32 - EXACT_BITS - Math.clz32(us);
  return shift <= 0 ? us : shift * STEPS + (us >>> shift);
}

/** The least value of a bucket. */
function lowOf(index: number): number {
  const shift = Math.max(0, Math.floor(index / STEPS) - 1);
  return (index - shift * STEPS) * 2 ** shift;
}

export interface LatencySummary {
  readonly count: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** Latencies from `fromUs` to below `toUs`, and how many there were. */
export type Bucket = readonly [fromUs: number, toUs: number, count: number];

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  /** @param us 0 or more; parts of a microsecond are dropped */
  add(us: number): void {
    const whole = us >= MOST_US ? MOST_US : us < 0 ? 0 : us >>> 0;
    this.#counts[indexOf(whole)]++;
    this.#count++;
    this.#sumUs += us;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The latency that this share of all stay at or below; 0 where there are none. @param share 0 to 1 */
  percentileUs(share: number): number {
    let left = Math.max(1, Math.ceil(this.#count * share));
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index]!;
      if (left <= 0) return Math.min(middleOf(index), this.#maxUs);
    }
    return 0;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      meanUs: this.#count === 0 ? 0 : this.#sumUs / this.#count,
      p50Us: this.percentileUs(0.5),
      p90Us: this.percentileUs(0.9),
      p99Us: this.percentileUs(0.99),
      p999Us: this.percentileUs(0.999),
      maxUs: this.#maxUs,
    };
  }

  /** Those that hold something, in order. */
  buckets(): Bucket[] {
    const found: Bucket[] = [];
    this.#counts.forEach((count, index) => {
      if (count > 0) found.push([lowOf(index), lowOf(index + 1), count]);
    });
    return found;
  }
}

const middleOf = (index: number): number => {
  const low = lowOf(index),
    width = lowOf(index + 1) - low;
  return width === 1 ? low : low + width / 2;
};
