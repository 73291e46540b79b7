/**
 * The commonest of a stream of strings, in bounded memory (Misra & Gries 1982).
 *
 * Counts are exact while at most `capacity` different strings were seen. After that every string that made up more than
 * one in `capacity + 1` of all is still among the counted, and a count is too low by at most `dropped / (capacity + 1)`.
 */
export class FrequentStrings {
  private readonly counts = new Map<string, number>();
  /** How much of all counts was given up to stay within the capacity. */
  dropped = 0;

  constructor(private readonly capacity: number) {}

  add(value: string): void {
    const count = this.counts.get(value);
    if (count !== undefined) this.counts.set(value, count + 1);
    else if (this.counts.size < this.capacity) this.counts.set(value, 1);
    else this.decrementAll();
  }

  /** The `limit` commonest, commonest first; of equally common ones those with the smaller code units. */
  top(limit: number): string[] {
    const ranked = [...this.counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return ranked.slice(0, limit).map(([value]) => value);
  }

  private decrementAll(): void {
    this.dropped += this.counts.size + 1;
    for (const [value, count] of this.counts) {
      if (count === 1) this.counts.delete(value);
      else this.counts.set(value, count - 1);
    }
  }
}
