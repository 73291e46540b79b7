/** Inputs for whoever has none at hand: within the contract where there is one, and the same in every run. */

import { INTEGER_RANGES } from '../contract/check.js';
import { type ContractMethod, type FieldTensor, type InputField, unionOf } from '../contract/contract.js';
import { elementsOf } from '../contract/raw-bytes.js';
import { invalidInput } from '../errors.js';
import { allocate, type DataType, type Tensor, type TensorSpec } from '../model/tensor.js';
import { bytesOf } from '../serving/batch.js';
import type { FieldValue } from './frames.js';
import { madeUpPicture } from './made-up-picture.js';

/** Uniform numbers of [0, 1). */
export type Chance = () => number;

/** Mulberry32 (Ettinger), which is enough to make rows differ. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What an extent is that may be anything and is not the rows'. */
export const OPEN_EXTENT = 16;
/** Whole numbers without a range: small ones, which are indices into most tables. */
const MOST_WHOLE = 2;

/** Of each union one member, by chance. */
export function madeUpRow({ request }: ContractMethod, chance: Chance): FieldValue[] {
  const chosen = new Map((request.unions ?? []).map((union) => [union, choose(union.members, chance)?.id]));
  return request.fields.map((field) => {
    const union = unionOf(request, field);
    if (union !== undefined && field.path[union.path.length] !== chosen.get(union)) return undefined;
    if (field.pattern !== undefined) return fitting(field);
    return field.tensor === undefined ? fieldValue(field, chance) : severalValues(field, field.tensor, chance);
  });
}

/** What matches a pattern is not found by chance. */
function fitting({ name, missing, pattern }: InputField): undefined {
  if (missing.kind === 'refused')
    throw invalidInput(`${name} must match ${pattern}, which cannot be made up; give rows of your own with --data`);
}

function severalValues(field: InputField, tensor: FieldTensor, chance: Chance): FieldValue {
  if (tensor.encodings !== undefined) return madeUpPicture(field.name, tensor, chance);
  const count = tensor.shape[0] === -1 ? OPEN_EXTENT : elementsOf(tensor.shape);
  if (tensor.from !== 'binary') return Array.from({ length: count }, () => fieldValue(field, chance));
  const data = allocate(tensor.dataType!, count),
    isReal = tensor.dataType!.startsWith('float'),
    // Raw elements have their own type; whole ones are drawn small, which all types hold.
    { min = field.max === undefined ? 0 : Math.min(0, field.max), max = Math.max(min, 1) } = field;
  for (let i = 0; i < count; i++) {
    const value = isReal ? min + (max - min) * chance() : Math.ceil(min) + Math.floor(chance() * (max - min + 1));
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(value);
    else (data as Float64Array)[i] = value;
  }
  return bytesOf(data)!;
}

function fieldValue(field: InputField, chance: Chance): string | number | boolean {
  const members = field.enum?.members.filter((member) => member.value !== 0);
  if (members !== undefined) return choose(members, chance)!.value;
  if (field.type === 'bool') return chance() < 0.5;
  if (field.type === 'string') return text(field, chance);
  return number(field, chance);
}

const choose = <T>(all: readonly T[], chance: Chance): T | undefined => all[Math.floor(chance() * all.length)];

function text({ values, maxBytes }: InputField, chance: Chance): string {
  if (values !== undefined) return choose(values, chance) ?? '';
  const word = `row ${Math.floor(chance() * 1e6)}`;
  return maxBytes === undefined ? word : word.slice(0, maxBytes);
}

function number({ type, min, max }: InputField, chance: Chance): number {
  const whole = INTEGER_RANGES[type];
  const low = min ?? (max === undefined ? 0 : max - 1),
    high = max ?? (min === undefined ? 1 : min + 1);
  if (whole === undefined) return low + (high - low) * chance();
  const [from, to] = [Math.ceil(Math.max(low, whole[0])), Math.floor(Math.min(high, whole[1]))];
  return from + Math.floor(chance() * (to - from + 1));
}

/**
 * An input of `rows` rows.
 *
 * @param field the contract's of the same name: its range and values hold for the tensor too
 * @throws ParleyError INVALID_INPUT where the graph takes another number of rows
 */
export function madeUpTensor(spec: TensorSpec, rows: number, chance: Chance, field?: InputField): Tensor {
  const shape = shapeOf(spec, rows),
    length = shape.reduce((product, extent) => product * extent, 1);
  const data = allocate(spec.dataType, length);
  for (let i = 0; i < length; i++) (data as unknown[])[i] = element(spec.dataType, chance, field);
  return { dataType: spec.dataType, shape, data };
}

export function shapeOf({ name, shape }: TensorSpec, rows: number): number[] {
  const [first] = shape;
  if (rows > 1 && first !== undefined && first >= 0 && first !== rows)
    throw invalidInput(`--rows ${rows}: input "${name}" of this model takes ${first} rows a call`);
  return shape.map((extent, index) => (extent >= 0 ? extent : index === 0 ? rows : OPEN_EXTENT));
}

function element(dataType: DataType, chance: Chance, field: InputField | undefined): string | number | bigint {
  if (dataType === 'string') return field === undefined ? `row ${Math.floor(chance() * 1e6)}` : labelOf(field, chance);
  const value = field === undefined || field.enum !== undefined ? undefined : Number(fieldValue(field, chance));
  switch (dataType) {
    case 'float32':
    case 'float64':
      return value ?? chance();
    case 'float16':
      return 0x3000 + Math.floor(chance() * 0x800); // 0.125 to 0.5
    case 'int64':
    case 'uint64':
      return BigInt(Math.round(value ?? chance() * (MOST_WHOLE - 1)));
    default:
      return Math.round(value ?? chance() * (MOST_WHOLE - 1));
  }
}

/** As graphs spell it. */
function labelOf(field: InputField, chance: Chance): string {
  const value = fieldValue(field, chance);
  return field.enum?.members.find((member) => member.value === value)?.label ?? String(value);
}
