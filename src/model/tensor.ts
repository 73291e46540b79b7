/** Dense arrays as they travel between wire, features and runtime: names, element types, shapes. */

/** Element types; the names are those of `DataType` in idl/parley.thrift, in lower case. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'float16'
  | 'string';

/** Each type's number on the wire and its size in bytes (0: strings have none). */
export const DATA_TYPES: Readonly<Record<DataType, { readonly number: number; readonly bytes: number }>> = {
  float32: { number: 1, bytes: 4 },
  float64: { number: 2, bytes: 8 },
  int8: { number: 3, bytes: 1 },
  int16: { number: 4, bytes: 2 },
  int32: { number: 5, bytes: 4 },
  int64: { number: 6, bytes: 8 },
  uint8: { number: 7, bytes: 1 },
  uint16: { number: 8, bytes: 2 },
  uint32: { number: 9, bytes: 4 },
  uint64: { number: 10, bytes: 8 },
  bool: { number: 11, bytes: 1 },
  float16: { number: 12, bytes: 2 },
  string: { number: 13, bytes: 0 },
};

/** Extents that a tensor of a call may have. */
export const MOST_RANK = 16;

/** What a tensor's values are kept in; bool as 0 and 1, float16 as its bits. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** Row-major. */
export interface Tensor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Shape extents: -1 means any. The first extent of a batched tensor is the rows. */
export interface TensorSpec {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/** What a graph takes and gives, in the graph's own order. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** An empty array of the element type, of `length` elements; strings start as ''. */
export function allocate(dataType: DataType, length: number): TensorData {
  switch (dataType) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    case 'uint16':
    case 'float16':
      return new Uint16Array(length);
    case 'uint32':
      return new Uint32Array(length);
    case 'uint64':
      return new BigUint64Array(length);
    case 'string':
      return new Array<string>(length).fill('');
  }
}
