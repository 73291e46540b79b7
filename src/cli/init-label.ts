/** The label's column: which one it probably is, what its values become, and what is wrong with it. Pure. */
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { ColumnProfile } from '../sources/profile.js';

const FEWEST_ROWS = 20;
const MOST_CLASSES = 1000;
/** Whole numbers that were written as 0.0 and 1.0 name classes where there are no more than so many. */
const MOST_NUMBER_CLASSES = 20;

const LABEL_NAME =
  /^(?:label|labels|class|target|y|truth|outcome|result|response|diagnosis|species|category|kind|type|variety|survived|churn|churned|default|fraud|is_?fraud|spam|is_?spam|sentiment|quality|price|saleprice|median_house_value|medv|grade|status|returned|cancell?ed|converted|subscribed|defaulted|exited)$/i;
const KEY_NAME = /(?:^|[_ ])(?:id|uuid|guid|key|index|date|time|timestamp|name)$/i;

/** @returns undefined for no column at all */
export function likeliestLabel(columns: readonly ColumnProfile[]): string | undefined {
  const last = columns.length - 1;
  const scored = columns.map((column, index) => ({ name: column.name, score: labelScore(column, index === last) }));
  return scored.reduce<{ name: string; score: number } | undefined>(
    (best, each) => (best === undefined || each.score > best.score ? each : best),
    undefined,
  )?.name;
}

/** A name that says so counts most, then few values, then the place at the end, where tables mostly have it. */
function labelScore({ name, kind, rows, missing, distinct }: ColumnProfile, isLast: boolean): number {
  if (distinct < 2 || (kind === 'string' && distinct === rows - missing)) return -1;
  const isKey = KEY_NAME.test(name) || /Id$/.test(name);
  return (LABEL_NAME.test(name.trim()) ? 4 : 0) + (isLast ? 2 : 0) + (distinct <= 20 ? 1 : 0) - (isKey ? 4 : 0);
}

/** @throws INVALID_INPUT, naming the columns and the likeliest, when it is undefined or not one of them */
export function findLabel(columns: readonly ColumnProfile[], label: string | undefined): ColumnProfile {
  const found = columns.find((column) => column.name === label);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name);
  const isHeader = names.filter((name) => /^-?[\d.]+(?:_\d+)?$/.test(name)).length * 2 > names.length;
  const header = isHeader ? '. The first line looks like values; it must hold the names of the columns' : '';
  if (label !== undefined)
    throw invalidInput(
      `there is no column "${label}"${didYouMean(label, names)}; the columns are ${names.join(', ')}${header}`,
    );
  throw invalidInput(
    `--label is missing: which column should be predicted? The likeliest is "${likeliestLabel(columns)}"; the columns are ${names.join(', ')}${header}`,
  );
}

/** A column of whole numbers where those are few: 0.0 and 1.0 are how tables with gaps write classes. */
export function asClasses(label: ColumnProfile): ColumnProfile {
  const { kind, values = [], distinct } = label;
  const isWhole = values.length > 0 && values.every((value) => Number.isSafeInteger(Number(value)));
  if (kind !== 'number' || distinct > MOST_NUMBER_CLASSES || !isWhole) return label;
  return { ...label, kind: 'integer', values: values.map((value) => String(Number(value))) };
}

/** Whether some rows say nothing of the truth, so that they must be left out. */
export function hasGaps({ missing, values = [] }: ColumnProfile): boolean {
  return missing > 0 || values.some(isBlank);
}

/** @throws INVALID_INPUT when nothing can be learned from the label */
export function checkLabel(label: ColumnProfile): void {
  const { name, kind, rows, missing, distinct, values } = label;
  const labelled = rows - missing;
  if (rows === 0) throw invalidInput('the file has no rows beside its header line; a model needs some to learn from');
  if (labelled < FEWEST_ROWS) {
    const gaps = missing === 0 ? '' : ` with a value in "${name}"`;
    throw invalidInput(`the file has ${labelled} rows${gaps}; ${FEWEST_ROWS} are the fewest to learn and test with`);
  }
  const classes = values?.filter((value) => !isBlank(value)).length ?? distinct;
  if (classes < 2)
    throw invalidInput(
      `every row is "${values?.find((value) => !isBlank(value)) ?? ''}" in column "${name}"; a label needs two values or more to tell apart`,
    );
  if (kind === 'string' && classes > MOST_CLASSES)
    throw invalidInput(
      `column "${name}" has ${classes} different texts; a label has ${MOST_CLASSES} classes at most. Is another column the label?`,
    );
}

const isBlank = (value: string) => value.trim() === '';
