/** Rows as JSON has them, by field name, structs within structs: what of them a call can carry. The server checks the rest. */
import type { InputField, RequestStruct } from '../../contract/contract.js';
import { didYouMean } from '../../contract/nearest.js';
import { rawElements } from '../../contract/raw-bytes.js';
import { ELEMENT_RANGES, INTEGER_RANGES } from '../../contract/value.js';
import { invalidInput, type Problem } from '../../errors.js';
import { DATA_TYPES } from '../../model/tensor.js';
import { type FieldTree, type FieldValue, treeOf } from '../typed/row-values.js';

/** A row as JSON has it: by field name; null and absent are the same. Binary is base64, bytes, or a list of raw numbers. */
export type PlainRow = Readonly<Record<string, unknown>>;

/** @throws ParleyError INVALID_INPUT with every value that no call could carry */
export function valuesOfRow(request: RequestStruct, row: PlainRow, path: string): FieldValue[] {
  const values = new Array<FieldValue>(request.fields.length).fill(undefined),
    problems: Problem[] = [];
  readStruct(request, treeOf(request), row, path, values, problems);
  if (problems.length > 0) throw invalidInput(`${problems[0]!.path}: ${problems[0]!.message}`, { problems });
  return values;
}

function readStruct(
  request: RequestStruct,
  { children }: FieldTree,
  row: PlainRow,
  path: string,
  values: FieldValue[],
  problems: Problem[],
): void {
  const names = children.map(({ name }) => name);
  for (const name of Object.keys(row))
    if (!names.includes(name))
      problems.push({ path: `${path}.${name}`, message: `there is no such field${didYouMean(name, names)}` });
  for (const child of children) {
    const value = row[child.name],
      at = `${path}.${child.name}`;
    if (value === undefined || value === null) continue;
    if (child.field < 0) {
      if (isObject(value)) readStruct(request, child, value, at, values, problems);
      else
        problems.push({
          path: at,
          message: 'must be an object',
          ...(isSensitive(request, child) ? {} : { got: shown(value) }),
        });
      continue;
    }
    const field = request.fields[child.field]!,
      read = fieldValueOf(field, value);
    if (typeof read === 'object' && 'wrong' in read)
      problems.push({ path: at, message: read.wrong, ...(field.sensitive ? {} : { got: shown(value) }) });
    else values[child.field] = read;
  }
}

/** Whether it holds anything that nobody may see: what was sent in its place may be just that. */
const isSensitive = (request: RequestStruct, { field, children }: FieldTree): boolean =>
  field >= 0 ? request.fields[field]!.sensitive : children.some((child) => isSensitive(request, child));

interface Wrong {
  readonly wrong: string;
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 64) ?? '';
const isObject = (value: unknown): value is PlainRow =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

function fieldValueOf(field: InputField, value: unknown): FieldValue | Wrong {
  if (field.tensor === undefined) return scalarOf(field, value);
  if (field.tensor.from === 'binary') return bytesOf(field, value);
  if (field.tensor.from === 'list') {
    if (!Array.isArray(value)) return { wrong: 'must be a list' };
    return elementsOf(field, value.flat(field.tensor.shape.length - 1));
  }
  if (!isObject(value)) return { wrong: 'must be an object, by its keys' };
  const { keys = [] } = field.tensor,
    unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    return {
      wrong: `must have no other keys than ${keys.join(', ')}${field.sensitive ? '' : didYouMean(unknown, keys)}`,
    };
  return elementsOf(
    field,
    keys.map((key) => value[key]),
  );
}

function elementsOf(field: InputField, elements: readonly unknown[]): FieldValue | Wrong {
  const read: (string | number | boolean | undefined)[] = [];
  for (const element of elements) {
    const one = element === undefined || element === null ? undefined : scalarOf(field, element);
    if (typeof one === 'object') return { wrong: `each value ${one.wrong}` };
    if (one === undefined && field.tensor!.from === 'list' && field.type !== 'double' && field.type !== 'string')
      return { wrong: `cannot leave out values, because ${field.type} has nothing that says so` };
    read.push(one);
  }
  return read;
}

function scalarOf(field: InputField, value: unknown): string | number | boolean | Wrong {
  const { type } = field;
  if (type === 'string') return typeof value === 'string' ? value : { wrong: 'must be a string' };
  if (type === 'bool') return typeof value === 'boolean' ? value : { wrong: 'must be true or false' };
  const number = type === 'enum' ? enumNumber(field, value) : value;
  if (typeof number !== 'number') return { wrong: type === 'enum' ? choices(field) : 'must be a number' };
  if (type === 'double') return number;
  if (!Number.isInteger(number)) return { wrong: 'must be a whole number' };
  const held = type === 'enum' ? 'i32' : type;
  return isWithin(number, INTEGER_RANGES[held]!) ? number : { wrong: `must fit into ${held}` };
}

/** Of what is beyond, the upper bits would be dropped, and the server see another number. An end above 2^53 is the next one. */
const isWithin = (number: number, [low, high]: readonly [number, number]): boolean =>
  number >= low && (Number.isSafeInteger(high) ? number <= high : number < high);

function enumNumber({ enum: choice }: InputField, value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return choice!.members.find((member) => member.label === value || member.name === value)?.value;
}

const choices = ({ enum: choice }: InputField): string =>
  `must be one of ${choice!.members
    .filter((member) => member.value !== 0)
    .map((member) => member.label)
    .join(', ')}`;

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

function bytesOf({ tensor }: InputField, value: unknown): Uint8Array | Wrong {
  if (value instanceof Uint8Array) return value;
  const { dataType } = tensor!;
  if (typeof value === 'string' && BASE64.test(value)) return Buffer.from(value, 'base64');
  const numbers = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : undefined;
  if (dataType === undefined || numbers === undefined || !numbers.every((each) => typeof each === 'number'))
    return { wrong: `must be bytes in base64${dataType === undefined ? '' : `, or a list of numbers (${dataType})`}` };
  const bytes = new Uint8Array(numbers.length * DATA_TYPES[dataType].bytes),
    elements = rawElements(dataType, bytes) as Float64Array | BigInt64Array;
  const range = ELEMENT_RANGES[dataType];
  for (const [i, each] of numbers.entries()) {
    if (range !== undefined && Number.isInteger(each) && !isWithin(each as number, range))
      return { wrong: `must be numbers that fit into ${dataType}` };
    if (elements instanceof BigInt64Array || (elements as unknown) instanceof BigUint64Array) {
      if (!Number.isInteger(each)) return { wrong: 'must be whole numbers' };
      (elements as BigInt64Array)[i] = BigInt(each as number);
    } else (elements as Float64Array)[i] = each as number;
  }
  return bytes;
}
