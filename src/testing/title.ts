/** What a criterion is called, wherever it is told of. */
import type { Criterion } from '../model/version.js';

type Titled = Pick<Criterion, 'name' | 'bound' | 'slice' | 'rows'>;

/** Measured on the version and not on its answers. */
const NOT_OF_ROWS = /^(?:latency_|size_)/;

/** Without what is counted only when the suite runs: the same for the same criterion in any run. */
export function criterionKey({ name, bound, slice }: Omit<Titled, 'rows'>): string {
  // A bound in words follows a colon: `baseline: better than majority, McNemar p < 0.05`.
  return `${figureName({ name, slice })}${/^[<>]/.test(bound) ? ' ' : ': '}${bound}`;
}

/** `recall[sex=FEMALE]`. */
export const figureName = ({ name, slice }: { readonly name: string; readonly slice?: string | undefined }): string =>
  slice === undefined ? name : `${name}[${slice}]`;

/** `recall[sex=FEMALE] >= 0.9 on 37 fixtures`. */
export function titleOf(criterion: Titled): string {
  const { name, rows } = criterion;
  if (NOT_OF_ROWS.test(name)) return criterionKey(criterion);
  return `${criterionKey(criterion)} on ${rows} fixture${rows === 1 ? '' : 's'}`;
}
