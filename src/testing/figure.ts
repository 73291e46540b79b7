/** A number as reports print it: six significant digits, and no more zeros than it has. */
export function figureText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'no number' : String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
