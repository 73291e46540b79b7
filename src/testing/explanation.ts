/** Why a criterion failed, in a few lines: the bound, what was found, and the rows that count against it. Pure. */
import type { Criterion } from '../model/version.js';
import type { WrongRow, WrongRows } from '../registry/wrong-rows.js';
import { figureText } from './figure.js';
import { titleOf } from './title.js';

const MOST_FIELDS = 8;

export function explanationOf(criterion: Criterion, wrong: WrongRows | undefined): string {
  const note = criterion.note === undefined ? [] : [`  ${criterion.note}`];
  return [titleOf(criterion), `  measured ${measuredText(criterion)}`, ...note, ...rowLines(wrong)].join('\n');
}

/** `0.9459 (95 % interval 0.87 to 0.98), production 0.97`. */
export function measuredText({ measured, intervalLow, intervalHigh, compared }: Criterion): string {
  const interval =
    intervalLow === undefined || intervalHigh === undefined
      ? ''
      : ` (interval ${figureText(intervalLow)} to ${figureText(intervalHigh)})`;
  return `${figureText(measured)}${interval}${compared === undefined ? '' : `, compared with ${figureText(compared)}`}`;
}

function rowLines(wrong: WrongRows | undefined): string[] {
  if (wrong === undefined || wrong.count === 0) return [];
  const { rows, count, of } = wrong;
  const shown = count > rows.length ? `; the first ${rows.length}:` : ':';
  return [`  ${count} of ${of} fixtures count against it${shown}`, ...rows.map((row) => `    ${rowText(row)}`)];
}

/** `row 17: Chinstrap, answered Adelie (0.51); bill_length_mm 46.5, island Dream`. */
export function rowText(row: WrongRow): string {
  const fields = Object.entries(row.values);
  const shown = fields.slice(0, MOST_FIELDS).map(([name, value]) => `${name} ${valueText(value)}`);
  const more = fields.length > shown.length ? [`${fields.length - shown.length} more`] : [];
  const text = [...shown, ...more].join(', ');
  return `${truthText(row)}, answered ${answerText(row)}${text === '' ? '' : `; ${text}`}`;
}

export const truthText = ({ row, truth }: WrongRow): string => `row ${row}: ${valueText(truth)}`;

export const answerText = ({ answer, probability }: WrongRow): string =>
  `${valueText(answer)}${probability === undefined ? '' : ` (${figureText(probability)})`}`;

const valueText = (value: number | string): string => (typeof value === 'number' ? figureText(value) : value);
