/** One column of a profile as a field of a request: its type, its bounds, its role. */
import { snakeCase } from './identifiers.js';

/** What is known of a column after one look at all rows. */
export interface ColumnProfile {
  readonly name: string;
  readonly kind: 'integer' | 'number' | 'boolean' | 'string';
  readonly rows: number;
  readonly missing: number;
  readonly distinct: number;
  readonly min?: number;
  readonly max?: number;
  /** All distinct values, where they are few. */
  readonly values?: readonly string[];
  /** Of a string's UTF-8, where the values are not listed. */
  readonly longestBytes?: number;
}

export interface ProposedField {
  readonly type: string;
  /** `min = "20"`, ready to be joined. */
  readonly annotations: readonly string[];
  /** For the end of the line; empty where there is nothing to say. */
  readonly comment: string;
  readonly role: 'feature' | 'id' | 'ignored';
}

const MOST_VALUES = 50;
const MOST_VALUES_TEXT = 2000;
const TEXT_BYTES = 4096;
/** Fewer rows that all differ prove nothing. */
const FEWEST_ROWS_OF_KEYS = 20;

const KEY_NAME = /(?:^|_)(?:id|ids|uuid|guid|key|index|rownum|row_number)$/;
const TEXT_NAME =
  /(?:^|_)(?:abstract|body|comment|comments|content|description|document|message|post|question|review|sentence|summary|text|title|tweet)$/;

/** @param idFree whether no field has role `id` yet */
export function proposeField(column: ColumnProfile, idFree: boolean): ProposedField {
  const { role, why } = roleOf(column, idFree);
  const bounds = column.kind === 'string' ? stringBounds(column) : numberBounds(column);
  const annotations = [
    ...(role === 'feature' ? bounds.annotations : []),
    ...(role === 'feature' && column.missing > 0 ? ['missing = "allowed"'] : []),
    ...(role === 'feature' ? [] : [`role = "${role}"`]),
  ];
  const absent = column.missing > 0 ? `${column.missing} of ${column.rows} missing` : '';
  const comment = [why, why === '' ? bounds.comment : '', absent].filter((part) => part !== '').join('; ');
  return { type: typeOf(column), annotations, comment, role };
}

function roleOf(
  column: ColumnProfile,
  idFree: boolean,
): { readonly role: ProposedField['role']; readonly why: string } {
  const name = snakeCase(column.name, 'column');
  const present = column.rows - column.missing;
  if (present <= 0 || column.distinct === 0) return { role: 'ignored', why: 'never has a value' };
  if (column.distinct === 1 && column.missing === 0 && column.rows > 1) {
    return { role: 'ignored', why: 'the same in every row' };
  }
  const allDiffer = column.distinct >= present && present >= FEWEST_ROWS_OF_KEYS;
  if (!allDiffer || column.kind === 'number' || column.kind === 'boolean') return { role: 'feature', why: '' };
  // Whole numbers beyond i64 are doubles, of which none is an id.
  const mayBeId = idFree && typeOf(column) !== 'double';
  if (KEY_NAME.test(name)) return { role: mayBeId ? 'id' : 'ignored', why: 'differs in every row' };
  if (column.kind === 'integer') return { role: 'feature', why: '' };
  if (TEXT_NAME.test(name)) return { role: 'feature', why: '' };
  return { role: 'ignored', why: 'differs in every row: a key? Drop the role if it is text to learn from' };
}

function typeOf({ kind, min = 0, max = 0 }: ColumnProfile): string {
  if (kind === 'string') return 'string';
  if (kind === 'boolean') return 'bool';
  if (kind === 'number') return 'double';
  const largest = Math.max(Math.abs(min), Math.abs(max));
  if (largest >= 2 ** 53) return largest < 2 ** 62 ? 'i64' : 'double';
  return largest < 2 ** 30 ? 'i32' : 'i64';
}

interface Bounds {
  readonly annotations: readonly string[];
  readonly comment: string;
}

function numberBounds(column: ColumnProfile): Bounds {
  const { kind, min, max } = column;
  if (kind === 'boolean' || min === undefined || max === undefined || !Number.isFinite(min) || !Number.isFinite(max)) {
    return { annotations: [], comment: '' };
  }
  const [low, high] = widen(min, max);
  const comment = `${min} to ${max} in the data`;
  const limit = typeOf(column) === 'i64' ? 2 ** 63 : Number.MAX_VALUE;
  if (Math.max(Math.abs(low), Math.abs(high)) >= limit) return { annotations: [], comment };
  return { annotations: [`min = "${low}"`, `max = "${high}"`], comment };
}

/**
 * A quarter of the span more on both sides, rounded outwards to that quarter's leading digit; what is never negative
 * stays so, as does what is never positive.
 */
export function widen(min: number, max: number): readonly [number, number] {
  const span = max - min || Math.abs(max) || 1;
  const step = 10 ** Math.floor(Math.log10(span / 4));
  // Spans next to the smallest or the largest double have no such digit.
  if (!(step > 0 && Number.isFinite(span * 2) && Number.isFinite(step))) return [min, max];
  const low = tidy(Math.floor((min - span / 4) / step) * step);
  const high = tidy(Math.ceil((max + span / 4) / step) * step);
  const sign = min >= 0 ? Math.max(0, low) : low;
  return [Math.min(sign, min) + 0, max <= 0 ? Math.max(Math.min(0, high), max) + 0 : Math.max(high, max)];
}

/** Without the last digits, which binary fractions leave: 0.30000000000000004 is 0.3. */
function tidy(number: number): number {
  return Number(number.toPrecision(12));
}

function stringBounds({ values, distinct, longestBytes = 0 }: ColumnProfile): Bounds {
  if (values !== undefined && isVocabulary(values)) {
    return { annotations: [`values = ${quote(values.join(','))}`], comment: '' };
  }
  const comment = `${distinct} different values`;
  const listed = values !== undefined && values.length > 0;
  const longest = listed ? Math.max(...values.map((value) => Buffer.byteLength(value))) : longestBytes;
  const maxBytes = Math.max(listed ? 64 : TEXT_BYTES, 2 ** Math.ceil(Math.log2(longest * 2 + 1)));
  return { annotations: [`max_bytes = "${maxBytes}"`], comment };
}

/** Whether the annotation's comma-separated list can hold the values, and a reader can take them in. */
function isVocabulary(values: readonly string[]): boolean {
  if (values.length === 0 || values.length > MOST_VALUES || new Set(values).size < values.length) return false;
  if (values.join(',').length > MOST_VALUES_TEXT) return false;
  return values.every((value) => value !== '' && value.trim() === value && !value.includes(',') && isPrintable(value));
}

/** Whether text can stand in a Thrift string: no control character but tab and line breaks, no half of a pair. */
export function isPrintable(text: string): boolean {
  return !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\p{Cs}]/u.test(text);
}

/** A Thrift string literal. */
export function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`;
}
