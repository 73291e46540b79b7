/** Whether a graph's element type holds what a field may send, and what stands for a missing value. */
import type { DataType } from '../model/tensor.js';
import { type InputField, type RequestStruct, unionOf } from './contract.js';
import { described } from './read-type.js';
import { ELEMENT_RANGES, INTEGER_RANGES, MAX_FLOAT32 } from './value.js';

/** @returns what is expected instead; undefined when it fits */
export function wrongType(request: RequestStruct, field: InputField, dataType: DataType): string | undefined {
  const expected = (types: string) =>
    `must be ${types}, because ${field.name} is ${described(field)}; the graph has ${dataType}`;
  if (field.type === 'string' || field.type === 'enum') return dataType === 'string' ? undefined : expected('string');
  if (isFloat(dataType)) return wrongStandIn(field, dataType);
  const elements = ELEMENT_RANGES[dataType];
  const raw = field.tensor?.dataType;
  const isFraction = raw === undefined ? field.type === 'double' : isFloat(raw);
  if (isFraction || (elements === undefined && dataType !== 'bool')) return expected('float32 or float64');
  const isBool = raw === undefined ? field.type === 'bool' : raw === 'bool';
  if (dataType === 'bool' && !isBool) return expected('a number');
  return wrongMissing(request, field, dataType) ?? wrongRange(field, dataType);
}

/** A double that stands for a missing value may be infinite in a float32. */
function wrongStandIn({ missing, name }: InputField, dataType: DataType): string | undefined {
  if (dataType !== 'float32' || missing.kind !== 'default' || Math.abs(Number(missing.value)) <= MAX_FLOAT32)
    return undefined;
  return `must hold ${missing.value}, which stands for a missing ${name}; float32 does not. Use float64, or another value`;
}

/** Whole numbers have no NaN: a value must stand for a missing one, and fit. */
function wrongMissing(request: RequestStruct, field: InputField, dataType: DataType): string | undefined {
  const { missing, name } = field;
  if (missing.kind === 'default') {
    const [low, high] = ELEMENT_RANGES[dataType] ?? [0, 1];
    const value = Number(missing.value);
    if (Number.isInteger(value) && value >= low && value <= high) return undefined;
    return `must hold ${value}, which stands for a missing ${name}; ${dataType} does not. Use a float, or another value`;
  }
  const isMember = unionOf(request, field) !== undefined;
  if (missing.kind === 'refused' && !isMember) return undefined;
  const why = isMember ? `${name} is one of a union and` : name;
  return `must be float32 or float64, because ${why} may be missing and ${dataType} has no NaN; or give ${name} a number that stands for it, as in missing = "-1"`;
}

function wrongRange(field: InputField, dataType: DataType): string | undefined {
  const elements = ELEMENT_RANGES[dataType];
  if (elements === undefined) return undefined;
  const [low, high] = rangeOf(field);
  if (low >= elements[0] && high <= elements[1]) return undefined;
  return `must hold every ${field.name} from ${low} to ${high}; ${dataType} does not. Use a wider type, or min and max`;
}

/** The smallest and largest value that validation lets through. */
function rangeOf({ type, tensor, min, max }: InputField): readonly [number, number] {
  const raw = tensor?.dataType;
  const [low, high] = (raw === undefined ? INTEGER_RANGES[type] : ELEMENT_RANGES[raw]) ?? [0, 1];
  return [Math.max(low, min ?? low), Math.min(high, max ?? high)];
}

export function isFloat(dataType: DataType): boolean {
  return dataType === 'float32' || dataType === 'float64';
}

export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')})`;
}
