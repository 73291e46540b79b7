/**
 * The messages of ONNX, as far as Parley writes and reads them.
 *
 * Field numbers are those of onnx/onnx-ml.proto (ONNX IR version 13). The schema is built in memory, so that nothing is
 * loaded from disk. Reading leaves out the weights: to inspect a graph of a gigabyte, its gigabyte is not copied.
 */
import protobuf from 'protobufjs/light.js';

/** TensorProto.DataType, by its ONNX name in lower case. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
  float6e2m3: 27,
  float6e3m2: 28,
} as const;

/** AttributeProto.AttributeType, of the attributes that Parley writes. */
export const ATTRIBUTE_TYPES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** TensorProto.DataLocation.EXTERNAL: the tensor's bytes are in another file. */
export const EXTERNAL = 1;

export interface TensorMessage {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian, row-major; strings are in `stringData` instead. */
  readonly rawData?: Uint8Array;
  readonly stringData?: readonly Uint8Array[];
}

export interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorMessage;
  readonly g?: GraphMessage;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface NodeMessage {
  readonly name: string;
  readonly opType: string;
  readonly domain?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

export interface DimensionMessage {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

export interface ValueInfoMessage {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly elemType: number; readonly shape: { readonly dim: readonly DimensionMessage[] } };
  };
}

export interface GraphMessage {
  readonly name: string;
  readonly node: readonly NodeMessage[];
  readonly initializer: readonly TensorMessage[];
  readonly input: readonly ValueInfoMessage[];
  readonly output: readonly ValueInfoMessage[];
}

export interface ModelMessage {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: GraphMessage;
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
}

/** What reading gives: absent messages are null, absent lists empty, absent scalars '' or 0, and every int64 a number. */
export interface ReadTensor {
  readonly name: string;
  readonly dataType: number;
  readonly dataLocation: number;
  readonly externalData: readonly unknown[];
}

export interface ReadSparseTensor {
  readonly values: ReadTensor | null;
  readonly indices: ReadTensor | null;
}

export interface ReadAttribute {
  readonly t: ReadTensor | null;
  readonly g: ReadGraph | null;
  readonly sparseTensor: ReadSparseTensor | null;
  readonly tensors: readonly ReadTensor[];
  readonly graphs: readonly ReadGraph[];
  readonly sparseTensors: readonly ReadSparseTensor[];
}

export interface ReadNode {
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly ReadAttribute[];
}

export interface ReadTensorType {
  readonly elemType: number;
  readonly shape: { readonly dim: readonly DimensionMessage[] } | null;
}

/** One of the members is set; none where a graph leaves a value's type out. */
export interface ReadType {
  readonly tensorType?: ReadTensorType;
  readonly sparseTensorType?: ReadTensorType;
  readonly sequenceType?: unknown;
  readonly mapType?: unknown;
  readonly optionalType?: unknown;
  readonly opaqueType?: unknown;
}

export interface ReadValueInfo {
  readonly name: string;
  readonly type: ReadType | null;
}

export interface ReadGraph {
  readonly name: string;
  readonly node: readonly ReadNode[];
  readonly initializer: readonly ReadTensor[];
  readonly sparseInitializer: readonly ReadSparseTensor[];
  readonly input: readonly ReadValueInfo[];
  readonly output: readonly ReadValueInfo[];
}

export interface ReadFunction {
  readonly name: string;
  readonly domain: string;
  readonly node: readonly ReadNode[];
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
}

export interface ReadModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: ReadGraph | null;
  readonly functions: readonly ReadFunction[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
}

/** A field: its number and its type; `[]` after the type means repeated. */
type Fields = Readonly<Record<string, readonly [id: number, type: string]>>;

const message = (fields: Fields, oneof?: readonly string[]): protobuf.IType => ({
  ...(oneof === undefined ? {} : { oneofs: { value: { oneof: [...oneof] } } }),
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type]]) => [
      name,
      type.endsWith('[]')
        ? { id, type: type.slice(0, -2), rule: 'repeated', ...(PACKED.has(name) ? { options: { packed: true } } : {}) }
        : { id, type },
    ]),
  ),
});

/** Lists of numbers that are written packed; a reader of protocol buffers takes both forms. */
const PACKED = new Set(['floats', 'ints']);

/** What is the same whether a graph is written or read. */
const COMMON: Record<string, protobuf.IType> = {
  ModelProto: message({
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto[]'],
    metadataProps: [14, 'StringStringEntryProto[]'],
    functions: [25, 'FunctionProto[]'],
  }),
  GraphProto: message({
    node: [1, 'NodeProto[]'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto[]'],
    input: [11, 'ValueInfoProto[]'],
    output: [12, 'ValueInfoProto[]'],
    sparseInitializer: [15, 'SparseTensorProto[]'],
  }),
  FunctionProto: message({
    name: [1, 'string'],
    node: [7, 'NodeProto[]'],
    opsetImport: [9, 'OperatorSetIdProto[]'],
    domain: [10, 'string'],
  }),
  SparseTensorProto: message({ values: [1, 'TensorProto'], indices: [2, 'TensorProto'] }),
  ValueInfoProto: message({ name: [1, 'string'], type: [2, 'TypeProto'] }),
  TypeProto: message(
    {
      tensorType: [1, 'TensorTypeProto'],
      sequenceType: [4, 'AnyProto'],
      mapType: [5, 'AnyProto'],
      opaqueType: [7, 'AnyProto'],
      sparseTensorType: [8, 'TensorTypeProto'],
      optionalType: [9, 'AnyProto'],
    },
    ['tensorType', 'sequenceType', 'mapType', 'opaqueType', 'sparseTensorType', 'optionalType'],
  ),
  TensorTypeProto: message({ elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] }),
  AnyProto: message({}),
  TensorShapeProto: message({ dim: [1, 'DimensionProto[]'] }),
  DimensionProto: message({ dimValue: [1, 'int64'], dimParam: [2, 'string'] }, ['dimValue', 'dimParam']),
  OperatorSetIdProto: message({ domain: [1, 'string'], version: [2, 'int64'] }),
  StringStringEntryProto: message({ key: [1, 'string'], value: [2, 'string'] }),
};

const WRITTEN: Record<string, protobuf.IType> = {
  ...COMMON,
  NodeProto: message({
    input: [1, 'string[]'],
    output: [2, 'string[]'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto[]'],
    domain: [7, 'string'],
  }),
  AttributeProto: message({
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float[]'],
    ints: [8, 'int64[]'],
    strings: [9, 'bytes[]'],
    type: [20, 'int32'],
  }),
  TensorProto: message({
    dims: [1, 'int64[]'],
    dataType: [2, 'int32'],
    stringData: [6, 'bytes[]'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
  }),
};

const READ: Record<string, protobuf.IType> = {
  ...COMMON,
  NodeProto: message({ opType: [4, 'string'], attribute: [5, 'AttributeProto[]'], domain: [7, 'string'] }),
  AttributeProto: message({
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    tensors: [10, 'TensorProto[]'],
    graphs: [11, 'GraphProto[]'],
    sparseTensor: [22, 'SparseTensorProto'],
    sparseTensors: [23, 'SparseTensorProto[]'],
  }),
  TensorProto: message({
    dataType: [2, 'int32'],
    name: [8, 'string'],
    externalData: [13, 'StringStringEntryProto[]'],
    dataLocation: [14, 'int32'],
  }),
};

const typeOf = (nested: Record<string, protobuf.IType>) => protobuf.Root.fromJSON({ nested }).lookupType('ModelProto');

const writtenModel = typeOf(WRITTEN);
const readModel = typeOf(READ);

/** Serializes a model; the same message gives the same bytes. */
export function encodeModel(model: ModelMessage): Uint8Array {
  return writtenModel.encode(writtenModel.create({ ...model })).finish();
}

/** Serializes one part of a graph, to be put into another one. */
const encoderOf = <Message extends object>(name: string): ((message: Message) => Uint8Array) => {
  const type = writtenModel.root.lookupType(name);
  return (message) => type.encode(type.create({ ...message })).finish();
};
export const encodeNode = encoderOf<NodeMessage>('NodeProto');
export const encodeTensor = encoderOf<TensorMessage>('TensorProto');
export const encodeValueInfo = encoderOf<ValueInfoMessage>('ValueInfoProto');

/**
 * Reads a model without its weights.
 *
 * @throws RangeError or Error of protobufjs where the bytes are not a protocol buffer of this schema
 */
export function decodeModel(bytes: Uint8Array): ReadModel {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = true;
  const decoded = readModel.toObject(readModel.decode(reader), { longs: Number, defaults: true });
  return decoded as ReadModel;
}
