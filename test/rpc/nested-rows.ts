/** A row of nested-model.ts's contract as values, and what it is made of. */
import { BOOL, DOUBLE, I32, MAP, STRING } from '#parley/rpc/wire/protocol.js';
import { bool, double, type Fields, i32, list, struct, text } from './hostile-cases.js';
import { PIXELS } from './nested-model.js';
import type { Value } from './wire-values.js';

export const doubles = (...values: number[]): Value => list(DOUBLE, values.map(double));
export const map = (key: number, element: number, ...entries: (readonly [Value, Value])[]): Value => ({
  type: MAP,
  key,
  element,
  entries,
});
export const floats = (...values: number[]): Value => text(Buffer.from(Float32Array.from(values).buffer));
export const bytes = (...values: number[]): Value => text(Buffer.from(values));

const FIELDS: Fields = [
  [1, struct([1, double(40)], [3, struct([1, i32(7)])])],
  [2, struct([1, double(3)])],
  [3, doubles(1, 2, 3, 4, 5, 6)],
  [4, list(I32, [i32(1), i32(2), i32(3)])],
  [5, list(STRING, [text('red'), text('green')])],
  [6, list(BOOL, [bool(true), bool(false)])],
  [7, map(I32, DOUBLE, [i32(1), double(0.25)], [i32(7), double(0.75)])],
  [8, map(STRING, I32, [text('nut'), i32(1)], [text('bolt'), i32(2)])],
  [9, floats(0, 0.5, 1, -1)],
  [10, text(Buffer.alloc(PIXELS, 7))],
  [11, text('alpha')],
  [12, text('AB12')],
  [13, text(Buffer.alloc(16))],
  [14, bytes(1, 9)],
];
/** The row, with other values; undefined leaves a field out. */
export const row = (...changes: readonly (readonly [number, Value | undefined])[]): Value =>
  struct(
    ...FIELDS.map(([id, value]) => [id, changes.find(([changed]) => changed === id)?.[1] ?? value] as const).filter(
      ([id]) => !changes.some(([changed, value]) => changed === id && value === undefined),
    ),
  );
