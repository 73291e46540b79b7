/** A field's unit, for messages. */

/** Endings of names that say a unit; others (`_no`, `_id`, `_in`) say something else too often. */
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ...['mm', 'cm', 'km', 'kg', 'mg', 'ms', 'us', 'ns', 'kb', 'mb', 'ml'].map((unit) => [unit, unit] as const),
  ['g', 'g'],
  ['m', 'm'],
  ['s', 's'],
  ['hpa', 'hPa'],
  ['kmh', 'km/h'],
  ['mph', 'mph'],
  ['percent', '%'],
  ['celsius', '°C'],
  ['kelvin', 'K'],
  ['degrees', 'degrees'],
  ['seconds', 'seconds'],
  ['minutes', 'minutes'],
  ['hours', 'hours'],
  ['days', 'days'],
  ['years', 'years'],
  ['bytes', 'bytes'],
  ['miles', 'miles'],
  ['usd', 'USD'],
  ['eur', 'EUR'],
]);

/** The `unit` annotation, or what the name ends in: `bill_length_mm` is in mm. */
export function unitOf(field: { readonly name: string; readonly unit?: string }): string | undefined {
  if (field.unit !== undefined) return field.unit;
  const suffix = /_([A-Za-z]+)$/.exec(field.name)?.[1];
  return suffix === undefined ? undefined : SUFFIXES.get(suffix.toLowerCase());
}
