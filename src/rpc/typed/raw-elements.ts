/** Elements of raw tensors, as they lie in their bytes: little-endian. */
import type { DataType } from '../../model/tensor.js';

export type RawType = Exclude<DataType, 'string' | 'float16'>;

/** Strings have no bytes of a fixed count, and no contract has raw float16. */
export const READ_RAW: Readonly<Record<RawType, (view: DataView, at: number) => number | bigint>> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  int8: (view, at) => view.getInt8(at),
  int16: (view, at) => view.getInt16(at, true),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => view.getBigInt64(at, true),
  uint8: (view, at) => view.getUint8(at),
  uint16: (view, at) => view.getUint16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  uint64: (view, at) => view.getBigUint64(at, true),
  bool: (view, at) => view.getUint8(at),
};
