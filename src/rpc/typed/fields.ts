/** The table that typed requests are read by, made of the contract and of how it is bound to a graph. */
import type { InputBinding, PictureBinding } from '../../contract/bind.js';
import { missingValue } from '../../contract/cell.js';
import type { FieldTensor, FieldType, InputField, RequestStruct } from '../../contract/contract.js';
import { MAX_FLOAT32 } from '../../contract/value.js';
import type { DataType, TensorData } from '../../model/tensor.js';
import type { Slot } from '../../serving/servable.js';
import { BOOL, BYTE, DOUBLE, I16, I32, I64, LIST, MAP, STRING } from '../wire/protocol.js';
import { Vocabulary } from './vocabulary.js';

export const WIRE_TYPES: Readonly<Record<FieldType, number>> = {
  bool: BOOL,
  byte: BYTE,
  i16: I16,
  i32: I32,
  i64: I64,
  double: DOUBLE,
  string: STRING,
  enum: I32,
};

/** Doubles next to it are more than an int64 holds: the largest i64 itself is read as 2^63. */
const MAX_INT64 = 2n ** 63n - 1n;

/** How a field stands in a struct: as its one value, or as what holds several. */
export function wireTypeOf({ type, tensor }: InputField): number {
  if (tensor === undefined) return WIRE_TYPES[type];
  return tensor.from === 'list' ? LIST : tensor.from === 'map' ? MAP : STRING;
}

/** A union's member that a field is part of. */
export interface Choice {
  /** Its place among the request's unions. */
  readonly union: number;
  readonly member: number;
}

/** How one field of the request is read, checked and stored. */
export interface TypedField {
  readonly field: InputField;
  readonly wireType: number;
  /** Of one value. */
  readonly elementType: number;
  readonly tensor: FieldTensor | undefined;
  /** Values of a row; 0: of any number. */
  readonly width: number;
  readonly index: number;
  /** Where it goes; -1: it is checked and not fed. */
  readonly input: number;
  readonly column: number;
  readonly rowWidth: number;
  readonly dataType: DataType | undefined;
  readonly picture: PictureBinding | undefined;
  readonly min: number;
  readonly max: number;
  readonly vocabulary: Vocabulary | undefined;
  /** A map's keys. */
  readonly keys: Vocabulary | undefined;
  readonly keyNumbers: ReadonlyMap<number, number> | undefined;
  readonly enumLabels: ReadonlyMap<number, string> | undefined;
  /** What stands for a missing value: NaN, '', or the contract's default; undefined: it must not be missing. */
  readonly missing: number | string | undefined;
  /** What stands there where another member of a union was chosen. */
  readonly blank: number | string;
  /** Outermost first. */
  readonly choices: readonly Choice[];
}

export function typedField(
  field: InputField,
  index: number,
  { unions = [] }: Pick<RequestStruct, 'unions'>,
  inputs: readonly InputBinding[],
  slots: readonly Slot[],
): TypedField {
  const binding = inputs.find((input) => input.field.name === field.name),
    slot = binding === undefined ? undefined : slots[binding.input];
  const { tensor, values } = field,
    missing = stands(field),
    isBits = tensor?.dataType === 'bool',
    most = slot?.dataType === 'float32' ? MAX_FLOAT32 : Number.MAX_VALUE;
  return {
    field,
    wireType: wireTypeOf(field),
    elementType: WIRE_TYPES[field.type],
    tensor,
    width: tensor === undefined ? 1 : widthOf(tensor.shape),
    index,
    input: binding?.input ?? -1,
    column: binding?.column ?? 0,
    rowWidth: slot?.rowWidth ?? 0,
    dataType: slot?.dataType,
    picture: binding?.picture,
    min: Math.max(field.min ?? (isBits ? 0 : -Number.MAX_VALUE), -most),
    max: Math.min(field.max ?? (isBits ? 1 : Number.MAX_VALUE), most),
    vocabulary: values && field.type === 'string' ? new Vocabulary(values) : undefined,
    keys: tensor?.keys && tensor.keyEnum === undefined ? new Vocabulary(tensor.keys) : undefined,
    keyNumbers: tensor?.keyEnum && numbersOf(tensor),
    enumLabels: field.enum && labelsOf(field.enum.members),
    missing,
    blank: missingValue(field),
    choices: unions.flatMap(({ path }, union) =>
      path.length < field.path.length && path.every((id, depth) => field.path[depth] === id)
        ? [{ union, member: field.path[path.length]! }]
        : [],
    ),
  };
}

/** Values of one row; 0 where they may be any number. */
export const widthOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * Math.max(0, extent), 1);

const labelsOf = (members: readonly { value: number; label: string }[]): ReadonlyMap<number, string> =>
  new Map(members.filter(({ value }) => value !== 0).map(({ value, label }) => [value, label]));

/** Of an enum's values, the places of their labels among the keys. */
const numbersOf = ({ keys = [], keyEnum }: FieldTensor): ReadonlyMap<number, number> =>
  new Map(keyEnum!.members.flatMap(({ value, label }) => (keys.includes(label) ? [[value, keys.indexOf(label)]] : [])));

/** What stands for a value that is not sent, where it need not be. */
const stands = (field: InputField): number | string | undefined =>
  field.missing.kind === 'refused' ? undefined : missingValue(field);

/** Where rows are written: a batch, or one row with columns of its own. */
export interface Columns {
  readonly columns: TensorData[];
}

/** Writes the one value of a field into a row. */
export function store({ columns }: Columns, field: TypedField, row: number, value: number | string): void {
  if (field.input >= 0) put(columns[field.input]!, row * field.rowWidth + field.column, value);
}

/** Integers have no NaN; it stands in them only where another member of a union was chosen. */
export function put(column: TensorData, at: number, value: number | string): void {
  if (column instanceof BigInt64Array)
    column[at] = Number.isNaN(value) ? 0n : Number(value) >= 2 ** 63 ? MAX_INT64 : BigInt(value);
  else if (column instanceof BigUint64Array) column[at] = Number.isNaN(value) ? 0n : BigInt(value);
  else (column as (number | string)[])[at] = value;
}
