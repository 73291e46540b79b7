/** Typed arrays and the tensors of parley.thrift that carry them, both ways. */
import types from '../../../gen/parley_types.js';
import { internal, invalidInput } from '../../errors.js';
import { allocate, DATA_TYPES, type DataType, type TensorData } from '../../model/tensor.js';
import { DATA_TYPE_NAMES, wireInt } from '../registry-mapping.js';

/** Row-major; the name stands beside it. */
export interface NamedTensor {
  readonly data: TensorData;
  readonly shape: readonly number[];
  /** What the array says when absent; to be given for `bool` (Uint8Array) and `float16` (Uint16Array, its bits). */
  readonly dataType?: DataType;
}

/** As generated code reads one; what the compiler writes of its types does not hold for programs without its library's. */
interface WireTensor {
  readonly name?: string | null | undefined;
  readonly data_type?: number | null | undefined;
  readonly shape?: readonly unknown[] | null | undefined;
  readonly strings?: readonly string[] | null | undefined;
  readonly data?: unknown;
}

const TYPE_OF: Readonly<Record<string, DataType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Buffer: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
  Array: 'string',
};

/** @throws ParleyError INVALID_INPUT */
export function tensorToWire(name: string, { data, shape, dataType }: NamedTensor): object {
  const own = TYPE_OF[(data as object | undefined)?.constructor.name ?? ''],
    type = dataType ?? own;
  const refuse = (problem: string): Error =>
    invalidInput(`inputs.${name}: ${problem}`, { problems: [{ path: `inputs.${name}`, message: problem }] });
  if (own === undefined || type === undefined)
    throw refuse(
      'data must be a typed array, or an array of strings; for plain numbers write Float64Array.of(1, 2, 3)',
    );
  if (type !== own && allocate(type, 0).constructor.name !== data.constructor.name)
    throw refuse(`a ${data.constructor.name} cannot hold ${type}`);
  if (!Array.isArray(shape)) throw refuse('there is no shape; give the extents, such as [rows, 1]');
  const volume = shape.reduce((product, extent) => product * extent, 1);
  if (volume !== data.length)
    throw refuse(`shape [${shape.join(', ')}] has ${volume} elements, and data has ${data.length}`);
  const common = { name, data_type: DATA_TYPES[type].number, shape: shape.map(wireInt) };
  if (!ArrayBuffer.isView(data)) return new types.Tensor({ ...common, strings: data } as never);
  const bytes = Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return new types.Tensor({ ...common, data: bytes } as never);
}

/** @returns its name, and a copy of what is in it */
export function tensorFromWire(tensor: WireTensor): [string, Required<NamedTensor>] {
  const dataType = DATA_TYPE_NAMES.get(tensor.data_type ?? 0),
    shape = (tensor.shape ?? []).map(Number);
  if (dataType === undefined)
    throw internal(`the server answered a tensor of type ${tensor.data_type}; it may be of a newer release`);
  if (dataType === 'string') return [tensor.name ?? '', { dataType, shape, data: [...(tensor.strings ?? [])] }];
  const bytes = (tensor.data ?? Buffer.alloc(0)) as Buffer,
    data = allocate(dataType, bytes.length / DATA_TYPES[dataType].bytes) as Exclude<TensorData, string[]>;
  // Frames align nothing.
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes);
  return [tensor.name ?? '', { dataType, shape, data }];
}
