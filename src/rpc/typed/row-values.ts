/** Rows as values, in the order of the request's fields, and how callers write them: what a generated stub would send. */
import type { InputField, RequestStruct } from '../../contract/contract.js';
import { BOOL, BYTE, DOUBLE, I16, I32, I64, LIST, MAP, STRING, STRUCT, type WireWriter } from '../wire/protocol.js';
import { WIRE_TYPES } from './fields.js';

/**
 * One field's value; undefined: it is left out. Of an enum its number. A list's elements; a map's values in the order of
 * its keys, of which NaN and undefined are left out; bytes of what is binary.
 */
export type FieldValue = string | number | boolean | Uint8Array | SeveralValues | undefined;
export type SeveralValues = Float64Array | readonly (number | string | boolean | undefined)[];

/** A request's struct, or one in it: what stands in it by id, in order. */
export interface FieldTree {
  readonly id: number;
  readonly name: string;
  /** Of what is no struct, its place among the request's fields. */
  readonly field: number;
  readonly children: readonly FieldTree[];
}

const trees = new WeakMap<RequestStruct, FieldTree>();

export function treeOf(request: RequestStruct): FieldTree {
  let tree = trees.get(request);
  if (tree === undefined) {
    tree = {
      id: 0,
      name: request.name,
      field: -1,
      children: childrenOf(request.fields, [...request.fields.keys()], 0),
    };
    trees.set(request, tree);
  }
  return tree;
}

function childrenOf(fields: readonly InputField[], within: readonly number[], depth: number): FieldTree[] {
  const byId = new Map<number, number[]>();
  for (const index of within) {
    const id = fields[index]!.path[depth]!;
    byId.set(id, [...(byId.get(id) ?? []), index]);
  }
  return [...byId].map(([id, indices]) => {
    const [first] = indices as [number],
      name = fields[first]!.name.split('.')[depth]!;
    return fields[first]!.path.length === depth + 1
      ? { id, name, field: first, children: [] }
      : { id, name, field: -1, children: childrenOf(fields, indices, depth + 1) };
  });
}

/** A whole row: structs of which nothing is there are left out. */
export function writeRow(writer: WireWriter, request: RequestStruct, values: readonly FieldValue[]): void {
  writeStruct(writer, request.fields, treeOf(request), values);
}

function writeStruct(
  writer: WireWriter,
  fields: readonly InputField[],
  { children }: FieldTree,
  values: readonly FieldValue[],
): void {
  writer.structBegin();
  for (const child of children) {
    if (child.field >= 0) writeField(writer, fields[child.field]!, values[child.field]);
    else if (hasAny(child, values)) {
      writer.field(STRUCT, child.id);
      writeStruct(writer, fields, child, values);
    }
  }
  writer.structEnd();
}

const hasAny = ({ field, children }: FieldTree, values: readonly FieldValue[]): boolean =>
  field >= 0 ? values[field] !== undefined : children.some((child) => hasAny(child, values));

function writeField(writer: WireWriter, field: InputField, value: FieldValue): void {
  const { id, type, tensor } = field;
  if (value === undefined) return;
  if (value instanceof Uint8Array) {
    writer.field(STRING, id);
    writer.bytes(value);
  } else if (tensor !== undefined) writeSeveral(writer, field, value as SeveralValues);
  else if (type === 'bool') writer.fieldBool(id, Boolean(value));
  else {
    writer.field(WIRE_TYPES[type], id);
    writeValue(writer, WIRE_TYPES[type], value as string | number);
  }
}

function writeSeveral(writer: WireWriter, { id, type, tensor }: InputField, values: SeveralValues): void {
  const element = WIRE_TYPES[type];
  if (tensor!.from === 'list') {
    writer.field(LIST, id);
    writer.listBegin(element, values.length);
    for (const value of values) writeValue(writer, element, value ?? (type === 'string' ? '' : Number.NaN));
    return;
  }
  const { keys = [], keyEnum } = tensor!,
    there = keys.flatMap((key, i) => {
      const value = values[i];
      return value === undefined || Number.isNaN(value) ? [] : [[key, value] as const];
    });
  writer.field(MAP, id);
  writer.mapBegin(keyEnum === undefined ? STRING : I32, element, there.length);
  for (const [key, value] of there) {
    if (keyEnum === undefined) writer.text(key);
    else writer.i32(keyEnum.members.find(({ label }) => label === key)!.value);
    writeValue(writer, element, value);
  }
}

function writeValue(writer: WireWriter, wireType: number, value: string | number | boolean): void {
  if (wireType === STRING) writer.text(String(value));
  else if (wireType === DOUBLE) writer.double(Number(value));
  else if (wireType === BOOL) writer.bool(Boolean(value));
  else if (wireType === I64) writer.i64(Number(value));
  else if (wireType === I16) writer.i16(Number(value));
  else if (wireType === BYTE) writer.byte(Number(value));
  else writer.i32(Number(value));
}
