/**
 * Count, mean and sum of squared deviations of numbers seen once (Welford 1962; merging: Chan, Golub, LeVeque 1979).
 */
export class Moments {
  count = 0;
  mean = 0;
  /** Sum of (x - mean)². */
  squares = 0;

  add(value: number): void {
    this.count += 1;
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.squares += delta * (value - this.mean);
  }

  /** As if `value` had been added `times` more times. */
  withRepeated(value: number, times: number): Moments {
    const merged = new Moments();
    merged.count = this.count + times;
    if (merged.count === 0) return merged;
    const delta = value - this.mean;
    merged.mean = this.mean + (delta * times) / merged.count;
    merged.squares = this.squares + (delta * delta * this.count * times) / merged.count;
    return merged;
  }

  /** Of the population (divided by the count); 0 before the first value. */
  get variance(): number {
    return this.count === 0 ? 0 : this.squares / this.count;
  }
}
