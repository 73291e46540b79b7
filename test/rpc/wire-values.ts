/** Any Thrift value as data: made by fast-check, written and read by Parley's wire code and by the `thrift` package. */
import fc from 'fast-check';
import Int64 from 'node-int64';
import thrift from 'thrift';
import { BinaryReader, BinaryWriter } from '#parley/rpc/wire/binary.js';
import { CompactReader, CompactWriter } from '#parley/rpc/wire/compact.js';
import {
  BOOL,
  BYTE,
  DOUBLE,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  SET,
  STOP,
  STRING,
  STRUCT,
  type WireReader,
  type WireWriter,
} from '#parley/rpc/wire/protocol.js';

export type Value =
  | { readonly type: typeof BOOL; readonly value: boolean }
  | { readonly type: typeof BYTE | typeof I16 | typeof I32 | typeof I64 | typeof DOUBLE; readonly value: number }
  | { readonly type: typeof STRING; readonly value: string | Buffer }
  | { readonly type: typeof LIST | typeof SET; readonly element: number; readonly values: readonly Value[] }
  | {
      readonly type: typeof MAP;
      readonly key: number;
      readonly element: number;
      readonly entries: readonly (readonly [Value, Value])[];
    }
  | { readonly type: typeof STRUCT; readonly fields: readonly (readonly [id: number, value: Value])[] };

type Scalar = Extract<Value, { value: unknown }>['type'];

// ---------------------------------------------------------------- arbitrary values

/** What every element of a container must be alike in. */
type Shape =
  | { readonly type: Scalar }
  | { readonly type: typeof LIST | typeof SET; readonly element: Shape }
  | { readonly type: typeof MAP; readonly key: Shape; readonly element: Shape }
  | { readonly type: typeof STRUCT; readonly fields: readonly (readonly [number, Shape])[] };

const fieldIds = fc.uniqueArray(
  fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: -32768, max: 32767 }),
    fc.constantFrom(15, 16, 17, 32767),
  ),
  { maxLength: 6 },
);

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type: fc.constantFrom<Scalar[]>(BOOL, BYTE, I16, I32, I64, DOUBLE, STRING) }),
    fc.record({ type: fc.constantFrom<(typeof LIST | typeof SET)[]>(LIST, SET), element: tie('shape') }),
    fc.record({ type: fc.constant<typeof MAP>(MAP), key: tie('shape'), element: tie('shape') }),
    fc.record({
      type: fc.constant<typeof STRUCT>(STRUCT),
      fields: fieldIds.chain((ids) => fc.tuple(...ids.map((id) => fc.tuple(fc.constant(id), tie('shape'))))),
    }),
  ),
}));

const integers = (bits: number) =>
  fc.oneof(
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }),
    fc.constantFrom(0, 1, -1, 63, 64, -64, -65, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))),
  );

const SAFE = Number.MAX_SAFE_INTEGER;
const scalars: Readonly<Record<Scalar, fc.Arbitrary<Value>>> = {
  [BOOL]: fc.record({ type: fc.constant<typeof BOOL>(BOOL), value: fc.boolean() }),
  [BYTE]: fc.record({ type: fc.constant<typeof BYTE>(BYTE), value: integers(8) }),
  [I16]: fc.record({ type: fc.constant<typeof I16>(I16), value: integers(16) }),
  [I32]: fc.record({ type: fc.constant<typeof I32>(I32), value: integers(32) }),
  [I64]: fc.record({
    type: fc.constant<typeof I64>(I64),
    value: fc.oneof(
      fc.maxSafeInteger(),
      integers(32),
      fc.constantFrom(SAFE, -SAFE, 2 ** 30, 2 ** 31, 2 ** 32, -(2 ** 30) - 1, -(2 ** 31) - 1, -(2 ** 32)),
    ),
  }),
  // The package writes -0 as 0, and computes the bits of numbers near the ends of the range only roughly.
  [DOUBLE]: fc.record({
    type: fc.constant<typeof DOUBLE>(DOUBLE),
    value: fc
      .oneof(fc.double({ min: -1e300, max: 1e300 }), fc.constantFrom(Number.NaN, Infinity, -Infinity))
      .map((value) => (Math.abs(value) < 1e-300 ? 0 : value)),
  }),
  [STRING]: fc.record({
    type: fc.constant<typeof STRING>(STRING),
    value: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'x'.repeat(127), 'é'.repeat(100))),
  }),
};

function ofShape(shape: Shape): fc.Arbitrary<Value> {
  switch (shape.type) {
    case LIST:
    case SET: {
      const { type, element } = shape;
      return fc
        .oneof(
          fc.array(ofShape(element), { maxLength: 3 }),
          fc.array(ofShape(element), { minLength: 14, maxLength: 16 }),
        )
        .map((values) => ({ type, element: element.type, values }));
    }
    case MAP:
      return fc
        .array(fc.tuple(ofShape(shape.key), ofShape(shape.element)), { maxLength: 3 })
        .map((entries) => ({ type: MAP, key: shape.key.type, element: shape.element.type, entries }));
    case STRUCT:
      return fc
        .tuple(...shape.fields.map(([id, field]) => fc.tuple(fc.constant(id), ofShape(field))))
        .map((fields) => ({ type: STRUCT, fields }));
    default:
      return scalars[shape.type];
  }
}

export const values: fc.Arbitrary<Value> = shape.chain(ofShape);

/** A struct, as every message has it. */
export const structs: fc.Arbitrary<Value> = fc
  .tuple(fieldIds, fc.array(values, { minLength: 6, maxLength: 6 }))
  .map(([ids, fields]) => ({ type: STRUCT, fields: ids.map((id, i) => [id, fields[i]] as const) }));

// ---------------------------------------------------------------- Parley's code

export const PROTOCOLS = {
  binary: { Reader: BinaryReader, Writer: BinaryWriter, Package: thrift.TBinaryProtocol },
  compact: { Reader: CompactReader, Writer: CompactWriter, Package: thrift.TCompactProtocol },
} as const;
export type ProtocolName = keyof typeof PROTOCOLS;
export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

export function write(writer: WireWriter, value: Value): void {
  switch (value.type) {
    case BOOL:
      writer.bool(value.value);
      break;
    case BYTE:
      writer.byte(value.value);
      break;
    case I16:
      writer.i16(value.value);
      break;
    case I32:
      writer.i32(value.value);
      break;
    case I64:
      writer.i64(value.value);
      break;
    case DOUBLE:
      writer.double(value.value);
      break;
    case STRING:
      if (typeof value.value === 'string') writer.text(value.value);
      else writer.bytes(value.value);
      break;
    case LIST:
    case SET:
      writer.listBegin(value.element, value.values.length);
      for (const each of value.values) write(writer, each);
      break;
    case MAP:
      writer.mapBegin(value.key, value.element, value.entries.length);
      for (const [key, each] of value.entries) {
        write(writer, key);
        write(writer, each);
      }
      break;
    case STRUCT:
      writer.structBegin();
      for (const [id, field] of value.fields) {
        if (field.type === BOOL) writer.fieldBool(id, field.value);
        else {
          writer.field(field.type, id);
          write(writer, field);
        }
      }
      writer.structEnd();
  }
}

export function read(reader: WireReader, type: number): Value {
  switch (type) {
    case BOOL:
      return { type, value: reader.bool() };
    case BYTE:
      return { type, value: reader.byte() };
    case I16:
      return { type, value: reader.i16() };
    case I32:
      return { type, value: reader.i32() };
    case I64:
      return { type, value: reader.i64() };
    case DOUBLE:
      return { type, value: reader.double() };
    case STRING: {
      const length = reader.span();
      return { type, value: reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + length) };
    }
    case LIST:
    case SET: {
      reader.listBegin();
      const { elementType: element, size } = reader;
      return { type, element, values: Array.from({ length: size }, () => read(reader, element)) };
    }
    case MAP: {
      reader.mapBegin();
      const { keyType: key, elementType: element, size } = reader;
      const entries = Array.from({ length: size }, () => [read(reader, key), read(reader, element)] as const);
      return { type, key, element, entries };
    }
    case STRUCT: {
      const fields: [number, Value][] = [];
      reader.structBegin();
      for (let inner = reader.field(); inner !== STOP; inner = reader.field())
        fields.push([reader.fieldId, read(reader, inner)]);
      reader.structEnd();
      return { type, fields };
    }
    default:
      throw new Error(`type ${type}`);
  }
}

export function encode(protocol: ProtocolName, value: Value): Buffer {
  const writer = new PROTOCOLS[protocol].Writer();
  // So small that it must grow on the way.
  writer.buffer = Buffer.alloc(1);
  write(writer, value);
  return Buffer.from(writer.buffer.subarray(0, writer.at));
}

export function readerOf(protocol: ProtocolName, bytes: Buffer, before = 0, behind = 0): WireReader {
  const reader = new PROTOCOLS[protocol].Reader();
  const framed = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(behind, 0xff)]);
  reader.reset(framed, before, before + bytes.length);
  return reader;
}

// ---------------------------------------------------------------- the package's code

const FramedTransport = thrift.TFramedTransport as unknown as new (
  input?: Buffer,
  onFlush?: (frame: Buffer) => void,
) => thrift.TTransport;

export function packageWriter(protocol: ProtocolName): { output: thrift.TProtocol; bytes(): Buffer } {
  let frame: Buffer = Buffer.alloc(4);
  const transport = new FramedTransport(undefined, (flushed) => {
    frame = flushed;
  });
  return {
    output: new PROTOCOLS[protocol].Package(transport),
    bytes() {
      transport.flush();
      return frame.subarray(4);
    },
  };
}

export const packageReader = (protocol: ProtocolName, bytes: Buffer): thrift.TProtocol =>
  new PROTOCOLS[protocol].Package(new FramedTransport(bytes));

export function packageWrite(output: thrift.TProtocol, value: Value): void {
  switch (value.type) {
    case BOOL:
      output.writeBool(value.value);
      break;
    case BYTE:
      output.writeByte(value.value);
      break;
    case I16:
      output.writeI16(value.value);
      break;
    case I32:
      output.writeI32(value.value);
      break;
    case I64:
      output.writeI64(new Int64(value.value));
      break;
    case DOUBLE:
      output.writeDouble(value.value);
      break;
    case STRING:
      output.writeString(value.value as string);
      break;
    case LIST:
    case SET:
      output[value.type === LIST ? 'writeListBegin' : 'writeSetBegin'](value.element, value.values.length);
      for (const each of value.values) packageWrite(output, each);
      break;
    case MAP:
      output.writeMapBegin(value.key, value.element, value.entries.length);
      for (const [key, each] of value.entries) {
        packageWrite(output, key);
        packageWrite(output, each);
      }
      break;
    case STRUCT:
      output.writeStructBegin('');
      for (const [id, field] of value.fields) {
        output.writeFieldBegin('', field.type, id);
        packageWrite(output, field);
        output.writeFieldEnd();
      }
      output.writeFieldStop();
      output.writeStructEnd();
  }
}

export function packageRead(input: thrift.TProtocol, type: number): Value {
  switch (type) {
    case BOOL:
      return { type, value: input.readBool() };
    case BYTE:
      return { type, value: input.readByte() };
    case I16:
      return { type, value: input.readI16() };
    case I32:
      return { type, value: input.readI32() };
    case I64:
      return { type, value: Number(input.readI64()) };
    case DOUBLE:
      return { type, value: input.readDouble() };
    case STRING:
      return { type, value: String(input.readString()) };
    case LIST:
    case SET: {
      const { etype: element, size } = type === LIST ? input.readListBegin() : input.readSetBegin();
      return { type, element, values: Array.from({ length: size }, () => packageRead(input, element)) };
    }
    case MAP: {
      const { ktype: key, vtype: element, size } = input.readMapBegin();
      const entries = Array.from(
        { length: size },
        () => [packageRead(input, key), packageRead(input, element)] as const,
      );
      return { type, key, element, entries };
    }
    case STRUCT: {
      const fields: [number, Value][] = [];
      input.readStructBegin();
      for (let field = input.readFieldBegin(); field.ftype !== STOP; field = input.readFieldBegin()) {
        fields.push([field.fid, packageRead(input, field.ftype)]);
        input.readFieldEnd();
      }
      input.readStructEnd();
      return { type, fields };
    }
    default:
      throw new Error(`type ${type}`);
  }
}

/**
 * The value as a reader gives it back: an empty map has no types in the compact protocol.
 *
 * @param bools what becomes of a bool in a container: the package's compact reader makes every one false
 */
export function asRead(protocol: ProtocolName, value: Value, bools: 'kept' | 'lost' = 'kept', inside = false): Value {
  const again = (each: Value) => asRead(protocol, each, bools, true);
  switch (value.type) {
    case BOOL:
      return bools === 'lost' && inside && protocol === 'compact' ? { type: BOOL, value: false } : value;
    case LIST:
    case SET:
      return { ...value, values: value.values.map(again) };
    case MAP:
      if (value.entries.length === 0 && protocol === 'compact') return { ...value, key: STOP, element: STOP };
      return { ...value, entries: value.entries.map(([key, each]) => [again(key), again(each)] as const) };
    case STRUCT:
      return {
        ...value,
        fields: value.fields.map(([id, each]) => [id, asRead(protocol, each, bools, false)] as const),
      };
    default:
      return value;
  }
}
