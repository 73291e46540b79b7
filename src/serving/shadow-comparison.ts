/** What a version answered beside another: whether the rows agree, and by how much their numbers differ. Pure. */
import type { TensorData } from '../model/tensor.js';
import type { Servable, Slot } from './servable.js';

/** Two versions' answers to the same rows, in plain numbers. */
export class ShadowCounts {
  rows = 0;
  /** Rows of which every output agrees. */
  agreeingRows = 0;
  /** Rows that were not asked, because the shadow could not keep up or does not load. */
  dropped = 0;
  /** Rows that the shadow cannot be asked, or whose answers mean something else. */
  incomparable = 0;
  /** Rows that the shadow failed on. */
  failed = 0;
  /** By output, of those that hold numbers; absolute. */
  readonly largestDifferences = new Map<string, number>();

  constructor(
    readonly model: string,
    /** That answered the callers. */
    readonly version: string,
    readonly shadow: string,
  ) {}
}

type Shape = Pick<Servable, 'inputs' | 'metadata'> & { readonly outputs: readonly Slot[] };

/** Why answers cannot be compared; undefined where they can. */
export function incomparability(production: Shape, shadow: Shape): string | undefined {
  for (const [what, own, other] of [
    ['input', shadow.inputs, production.inputs],
    ['output', production.outputs, shadow.outputs],
  ] as const) {
    for (const slot of own) {
      const same = other.find(({ name }) => name === slot.name);
      if (same === undefined) return `the ${what} "${slot.name}" is one version's alone`;
      if (same.dataType !== slot.dataType || String(same.rowShape) !== String(slot.rowShape))
        return `the ${what} "${slot.name}" is ${kindOf(slot)} for one version and ${kindOf(same)} for the other`;
    }
  }
  const [own, other] = [production, shadow].map(({ metadata }) => JSON.stringify(metadata.classes ?? null));
  return own === other ? undefined : 'the versions know other classes, or in another order';
}

const kindOf = ({ dataType, rowShape }: Slot): string => `${dataType} (${['rows', ...rowShape].join(', ')})`;

/**
 * Counts rows as agreeing where each output does: a row of one number per class by its largest, all else by equality.
 *
 * @param ours the production's values, output by output, from row `first` on
 * @param theirs the shadow's, from their row 0 on
 */
export function compareRows(
  counts: ShadowCounts,
  outputs: readonly Slot[],
  classes: number,
  ours: readonly TensorData[],
  first: number,
  theirs: readonly TensorData[],
  rows: number,
): void {
  const disagrees = new Uint8Array(rows);
  outputs.forEach(({ name, dataType, rowWidth }, i) => {
    const [a, b] = [ours[i]!, theirs[i]!],
      byClass = classes > 1 && rowWidth === classes && dataType.startsWith('float');
    let largest = counts.largestDifferences.get(name) ?? 0;
    for (let row = 0; row < rows; row++) {
      const at = (first + row) * rowWidth,
        bt = row * rowWidth;
      let equal = true;
      for (let k = 0; k < rowWidth; k++) {
        const [x, y] = [a[at + k]!, b[bt + k]!];
        if (Object.is(x, y) || x === y) continue;
        equal = false;
        if (typeof x !== 'string') largest = Math.max(largest, differenceOf(Number(x), Number(y)));
      }
      if (!equal && !(byClass && likeliest(a, at, rowWidth) === likeliest(b, bt, rowWidth))) disagrees[row] = 1;
    }
    if (dataType !== 'string') counts.largestDifferences.set(name, largest);
  });
  counts.rows += rows;
  counts.agreeingRows += disagrees.reduce((sum, no) => sum - no, rows);
}

/** A number beside one that is none differs without bound. */
const differenceOf = (x: number, y: number): number =>
  Number.isNaN(x) || Number.isNaN(y) ? Number.POSITIVE_INFINITY : Math.abs(x - y);

function likeliest(values: TensorData, at: number, width: number): number {
  let most = 0;
  for (let k = 1; k < width; k++) if (Number(values[at + k]) > Number(values[at + most])) most = k;
  return most;
}
