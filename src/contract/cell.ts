/**
 * A cell of a table whose field holds many values: JSON for lists and maps, base64 for binary.
 *
 * What stands for a missing value (`missing`) stands for each one of a list's or a map's that is null or not there.
 */
import type { Problem } from '../errors.js';
import { allocate, DATA_TYPES } from '../model/tensor.js';
import type { InputField } from './contract.js';
import { didYouMean } from './nearest.js';
import { bytesProblem, elementsOf } from './raw-bytes.js';
import { isMissing, listed, missingProblem, problemWith, valueProblem } from './value.js';

/** Numbers (booleans as 0 and 1) or strings, row-major, a map's in the order of its keys; a binary field's bytes. */
export type CellValues = Float64Array | string[] | Uint8Array;

/**
 * One cell of a field with a `tensor`, checked.
 *
 * @param path for the problem; an element's has its index or key: `bill[3]`, `counts[Adelie]`
 * @returns a problem has no `values`
 */
export function parseCell(
  field: InputField,
  text: string,
  path: string = field.name,
): { readonly values: CellValues } | Problem {
  if (text === '') return field.missing.kind === 'refused' ? missingProblem(path) : { values: missingValues(field) };
  if (field.tensor!.from === 'binary') return parseBytes(field, text, path);
  const parsed = parseJson(text);
  return field.tensor!.from === 'list' ? parseList(field, parsed, text, path) : parseMap(field, parsed, text, path);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseList(field: InputField, parsed: unknown, text: string, path: string) {
  if (!Array.isArray(parsed)) return problemWith(field, path, 'must be a list in JSON, such as [1, 2]', text);
  const { shape } = field.tensor!;
  const count = shape[0] === -1 ? undefined : elementsOf(shape);
  if (count !== undefined && parsed.length !== count) {
    const extents = shape.length === 1 ? '' : ` (${shape.join(' x ')})`;
    return problemWith(field, path, `must have ${count} values${extents}`, `${parsed.length} values`);
  }
  if (parsed.length === 0 && field.missing.kind === 'refused') return missingProblem(path);
  return parseElements(field, parsed, (index) => `${path}[${index}]`);
}

function parseMap(field: InputField, parsed: unknown, text: string, path: string) {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return problemWith(field, path, 'must be a map in JSON, such as {"a": 1}', text);
  }
  const keys = field.tensor!.keys!;
  const entries = new Map<string, unknown>(Object.entries(parsed));
  const unknown = [...entries.keys()].find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const near = field.sensitive ? '' : didYouMean(unknown, keys);
    return problemWith(field, path, `must have no key but ${listed(keys)}${near}`, unknown);
  }
  const elements = keys.map((key) => entries.get(key));
  return parseElements(field, elements, (index) => `${path}[${keys[index]}]`);
}

/** The first that is wrong, or all of them; what is missing among them is what the field says. */
function parseElements(field: InputField, elements: readonly unknown[], pathOf: (index: number) => string) {
  const missing = missingValue(field);
  const values: (number | string)[] = [];
  for (const [index, element] of elements.entries()) {
    const value = scalarOf(element);
    if (value === null) {
      const kind = field.type === 'string' ? 'a string' : 'a number';
      return problemWith(field, pathOf(index), `must be ${kind}`, JSON.stringify(element));
    }
    const problem = valueProblem(field, value, pathOf(index));
    if (problem !== undefined) return problem;
    values.push(value === undefined || isMissing(value) ? missing : value);
  }
  return { values: field.type === 'string' ? (values as string[]) : Float64Array.from(values as number[]) };
}

/** Null for what no cell holds. */
function scalarOf(element: unknown): number | string | undefined | null {
  if (element === undefined || element === null) return undefined;
  if (typeof element === 'number' || typeof element === 'string') return element;
  return typeof element === 'boolean' ? Number(element) : null;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function parseBytes(field: InputField, text: string, path: string) {
  if (!BASE64.test(text)) return problemWith(field, path, 'must be bytes in base64', text);
  const values = new Uint8Array(Buffer.from(text, 'base64'));
  return bytesProblem(field, values, path) ?? { values };
}

/** What stands for one missing value: NaN, '', or the contract's own. */
export function missingValue({ type, missing }: InputField): number | string {
  if (missing.kind === 'default') return missing.value;
  return type === 'string' || type === 'enum' ? '' : Number.NaN;
}

/** What stands for the whole of a missing field: nothing where its length is open. */
export function missingValues(field: InputField): CellValues {
  const { from, shape, dataType } = field.tensor!;
  const count = shape[0] === -1 ? 0 : elementsOf(shape);
  const value = missingValue(field);
  if (from !== 'binary') {
    return typeof value === 'string' ? new Array<string>(count).fill(value) : new Float64Array(count).fill(value);
  }
  if (dataType === undefined) return new Uint8Array(0);
  const raw = allocate(dataType, count) as Exclude<ReturnType<typeof allocate>, string[]>;
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) raw.fill(BigInt(value));
  else raw.fill(Number(value));
  return new Uint8Array(raw.buffer, 0, count * DATA_TYPES[dataType].bytes);
}
