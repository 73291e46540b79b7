/**
 * A quantile, interpolated between the two nearest values (type 7 of Hyndman & Fan 1996, numpy's default).
 *
 * @param values in any order; not changed
 * @param fraction 0 to 1; 0.5 is the median
 * @returns NaN for no values, or where one is NaN
 */
export function quantile(values: ArrayLike<number>, fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0 || Number.isNaN(sorted[sorted.length - 1])) return Number.NaN;
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  if (below === above) return sorted[below];
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
