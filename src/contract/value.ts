/**
 * One value against its field: a number, a string, or one of the many that a list, a map or raw bytes hold.
 *
 * Runs once per value of every request: a value that fits allocates nothing.
 */
import type { Problem } from '../errors.js';
import type { DataType } from '../model/tensor.js';
import type { FieldType, InputField } from './contract.js';
import { didYouMean } from './nearest.js';
import { matchesPattern } from './pattern.js';
import { shorten } from './problems.js';
import { unitOf } from './unit.js';

/** The whole numbers that each integer type holds. Doubles hold only those of i64 up to 2^53 exactly. */
export const INTEGER_RANGES: Readonly<Partial<Record<FieldType, readonly [number, number]>>> = {
  byte: [-(2 ** 7), 2 ** 7 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i64: [-(2 ** 63), 2 ** 63],
};

/** The whole numbers that each integer element type holds. */
export const ELEMENT_RANGES: Readonly<Partial<Record<DataType, readonly [number, number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64],
};

/** What is larger is infinite in a float32. */
export const MAX_FLOAT32 = 3.4028234663852886e38;

export const isMissing = (value: number | string | undefined): boolean =>
  // biome-ignore lint/suspicious/noSelfCompare: NaN is the only value that differs from itself
  value === undefined || value === '' || value !== value;

/**
 * What is wrong with one value, whatever else the field holds. What was there is in no problem of a sensitive field.
 *
 * @param value numbers (booleans as 0 and 1), strings, or an enum's label; undefined, NaN and '' are missing
 */
export function valueProblem(field: InputField, value: number | string | undefined, path: string): Problem | undefined {
  if (isMissing(value)) return field.missing.kind === 'refused' ? missingProblem(path) : undefined;
  const message = typeof value === 'string' ? wrongString(field, value) : wrongNumber(field, value!);
  return message === undefined ? undefined : problemWith(field, path, message, value!);
}

export const missingProblem = (path: string): Problem => ({ path, message: 'is missing; a value is required' });

/** With what was there, shortened, unless nobody may see it. */
export function problemWith(field: InputField, path: string, message: string, got: number | string): Problem {
  return field.sensitive ? { path, message } : { path, message, got: shorten(String(got)) };
}

function wrongNumber(field: InputField, value: number): string | undefined {
  if (field.type === 'string') return 'must be a string';
  if (field.type === 'enum') return `must be one of ${choices(field)}`;
  if (field.type === 'bool') return value === 0 || value === 1 ? undefined : 'must be true or false';
  const range = field.tensor?.from === 'binary' ? undefined : INTEGER_RANGES[field.type];
  if (range !== undefined) {
    if (!Number.isInteger(value)) return 'must be a whole number';
    const tooBig = value > range[1] || (field.type === 'i64' && value === range[1]);
    if (value < range[0] || tooBig) return `must fit into ${field.type}`;
  } else if (!Number.isFinite(value)) return 'must be a finite number';
  if (field.min !== undefined && value < field.min) return rangeMessage(field);
  if (field.max !== undefined && value > field.max) return rangeMessage(field);
  return undefined;
}

function rangeMessage(field: InputField): string {
  const unit = unitOf(field);
  const suffix = unit === undefined ? '' : ` ${unit}`;
  if (field.max === undefined) return `must be at least ${field.min}${suffix}`;
  if (field.min === undefined) return `must be at most ${field.max}${suffix}`;
  return `must be between ${field.min} and ${field.max}${suffix}`;
}

function wrongString(field: InputField, value: string): string | undefined {
  if (field.type === 'bool') return 'must be true or false';
  if (field.type !== 'string' && field.type !== 'enum') return 'must be a number';
  if (field.maxBytes !== undefined && exceedsBytes(value, field.maxBytes)) {
    const found = field.sensitive ? '' : `, not ${Buffer.byteLength(value)}`;
    return `must be at most ${field.maxBytes} bytes of UTF-8${found}`;
  }
  const allowed = vocabulary(field);
  if (allowed !== undefined && !allowed.has(value)) {
    return `must be one of ${choices(field)}${field.sensitive ? '' : didYouMean(value, allowed)}`;
  }
  if (field.pattern === undefined || matchesPattern(field.pattern, value)) return undefined;
  return `must match the pattern ${field.pattern}`;
}

/** A UTF-16 unit becomes at most three bytes, so that most strings need no counting. */
function exceedsBytes(value: string, maxBytes: number): boolean {
  return value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes;
}

const vocabularies = new WeakMap<InputField, ReadonlySet<string>>();

/** The strings that a field takes: its `values`, or its enum's labels; undefined: any. */
function vocabulary(field: InputField): ReadonlySet<string> | undefined {
  if (field.values === undefined && field.enum === undefined) return undefined;
  let set = vocabularies.get(field);
  if (set === undefined) {
    const members = field.enum?.members.filter((member) => member.value !== 0).map((member) => member.label);
    set = new Set(field.values ?? members);
    vocabularies.set(field, set);
  }
  return set;
}

const choices = (field: InputField): string => listed([...(vocabulary(field) ?? [])]);

const MOST_LISTED = 20;

/** The first of them, and how many more there are. */
export function listed(all: readonly string[]): string {
  const first = all.slice(0, MOST_LISTED).join(', ');
  return all.length <= MOST_LISTED ? first : `${first} and ${all.length - MOST_LISTED} more`;
}
