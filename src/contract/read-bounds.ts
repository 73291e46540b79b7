/** What a field's values must keep, read: range, vocabulary, length, pattern; each only where it means something. */
import type { InputField } from './contract.js';
import { matchesPattern, wrongPattern } from './pattern.js';
import { elementsOf } from './raw-bytes.js';
import type { AnnotationSet } from './read-annotations.js';
import { described, type ValueType } from './read-type.js';
import { ELEMENT_RANGES, INTEGER_RANGES } from './value.js';

type Bounds = Pick<InputField, 'min' | 'max' | 'values' | 'maxBytes' | 'pattern'>;

/** Annotations that only some types have a use for, and what those are called. */
const FITTING: readonly {
  readonly keys: readonly string[];
  readonly what: string;
  readonly fits: (type: ValueType) => boolean;
}[] = [
  { keys: ['min', 'max'], what: 'numbers', fits: isNumeric },
  { keys: ['values'], what: 'strings', fits: (type) => isText(type) || isMapOfStrings(type) },
  { keys: ['pattern'], what: 'strings', fits: isText },
  { keys: ['max_bytes'], what: 'strings and binary', fits: (type) => isText(type) || isBinary(type) },
  {
    keys: ['shape'],
    what: 'lists, and binary with a data_type',
    fits: ({ tensor }) => tensor?.from === 'list' || tensor?.dataType !== undefined,
  },
  { keys: ['data_type'], what: 'binary without an encoding', fits: ({ tensor }) => tensor?.dataType !== undefined },
  { keys: ['encoding', 'height', 'width'], what: 'pictures in binary', fits: isPicture },
];

export function readBounds(annotations: AnnotationSet, type: ValueType): Bounds {
  for (const { keys, what, fits } of FITTING) {
    if (fits(type)) continue;
    for (const key of keys) {
      const annotation = annotations.get(key);
      if (annotation === undefined) continue;
      const instead = key === 'values' && type.enum !== undefined ? '; its members are its values' : '';
      const keyed = key === 'values' && type.tensor?.keyEnum !== undefined ? "; its keys are its enum's members" : '';
      annotations.report(annotation, `${key} is for ${what}, and this field is ${described(type)}${instead}${keyed}`);
    }
  }
  const bounds: Bounds = {
    ...(isNumeric(type) ? readRange(annotations, type) : {}),
    ...(isText(type) ? readText(annotations) : {}),
    ...(isBinary(type) ? readLength(annotations, type) : {}),
  };
  return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));
}

function isNumeric({ type, tensor }: ValueType): boolean {
  if (tensor?.from === 'binary') return tensor.dataType !== undefined && tensor.dataType !== 'bool';
  return type === 'double' || INTEGER_RANGES[type] !== undefined;
}

function isText({ type }: ValueType): boolean {
  return type === 'string';
}

function isMapOfStrings({ tensor }: ValueType): boolean {
  return tensor?.from === 'map' && tensor.keyEnum === undefined;
}

function isBinary({ tensor }: ValueType): boolean {
  return tensor?.from === 'binary';
}

function isPicture({ tensor }: ValueType): boolean {
  return tensor?.encodings !== undefined;
}

function readRange(annotations: AnnotationSet, { type, tensor }: ValueType): Bounds {
  const min = annotations.number('min');
  const max = annotations.number('max');
  if (min !== undefined && max !== undefined && min > max) {
    annotations.report(annotations.get('min')!, `min ${min} is more than max ${max}`);
  }
  const dataType = tensor?.dataType;
  const range = dataType === undefined ? INTEGER_RANGES[type] : ELEMENT_RANGES[dataType];
  const [low, high] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (min !== undefined && min > high) {
    annotations.report(annotations.get('min')!, `min ${min} is more than any ${dataType ?? type} can be`);
  }
  if (max !== undefined && max < low) {
    annotations.report(annotations.get('max')!, `max ${max} is less than any ${dataType ?? type} can be`);
  }
  if (range !== undefined && min !== undefined && max !== undefined && min <= max && Math.ceil(min) > Math.floor(max)) {
    annotations.report(annotations.get('min')!, `no whole number is between min ${min} and max ${max}`);
  }
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function readMaxBytes(annotations: AnnotationSet): number | undefined {
  const maxBytes = annotations.number('max_bytes');
  if (maxBytes === undefined || (Number.isSafeInteger(maxBytes) && maxBytes > 0)) return maxBytes;
  return annotations.report(annotations.get('max_bytes')!, 'max_bytes must be a whole number, 1 or more');
}

function readText(annotations: AnnotationSet): Bounds {
  const values = annotations.list('values');
  const maxBytes = readMaxBytes(annotations);
  const long = values?.find((value) => maxBytes !== undefined && Buffer.byteLength(value) > maxBytes);
  if (long !== undefined) annotations.report(annotations.get('values')!, `"${long}" is longer than max_bytes allows`);
  const pattern = readPattern(annotations, values);
  return {
    ...(values === undefined ? {} : { values }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

function readPattern(annotations: AnnotationSet, values: readonly string[] = []): string | undefined {
  const pattern = annotations.text('pattern');
  if (pattern === undefined) return undefined;
  const wrong = wrongPattern(pattern);
  if (wrong !== undefined) return annotations.report(annotations.get('pattern')!, `pattern ${wrong}`);
  const odd = values.find((value) => !matchesPattern(pattern, value));
  if (odd !== undefined) annotations.report(annotations.get('values')!, `"${odd}" does not match the pattern`);
  return pattern;
}

/** The bytes that a row must have at least fit into `max_bytes`. */
function readLength(annotations: AnnotationSet, { tensor }: ValueType): Bounds {
  const maxBytes = readMaxBytes(annotations);
  if (maxBytes === undefined) return {};
  const needed = elementsOf(tensor!.shape);
  if (tensor!.encodings?.includes('rgb8') && maxBytes < needed) {
    const message = `max_bytes leaves no room for rgb8, which has ${needed} bytes (${tensor!.shape.join(' x ')})`;
    annotations.report(annotations.get('max_bytes')!, message);
  }
  return { maxBytes };
}
