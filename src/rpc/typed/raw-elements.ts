/** Elements of raw tensors, as they lie in their bytes: little-endian. */
import type { DataType } from '../../model/tensor.js';

/** Strings have no bytes of a fixed count. float16 is read as its bits. */
export const READ_RAW: Readonly<Record<Exclude<DataType, 'string'>, (view: DataView, at: number) => number | bigint>> =
  {
    float16: (view, at) => view.getUint16(at, true),
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

/** What the bits of a float16 mean (IEEE 754 binary16). */
export function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31,
    fraction = bits & 1023,
    sign = bits >> 15 === 0 ? 1 : -1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
