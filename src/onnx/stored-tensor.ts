/** A TensorProto of a file, with its values: raw bytes, or the list that its element type has. */
import { modelBroken, unsupported } from '../errors.js';
import { allocate, DATA_TYPES, type DataType, type Tensor } from '../model/tensor.js';
import { concatenated, fieldOf, integersOf, payloadsOf, textOf } from './fields.js';
import { ELEMENT_TYPES } from './proto.js';

/** Field numbers of TensorProto. */
const DIMS = 1,
  DATA_TYPE = 2,
  FLOATS = 4,
  INT32S = 5,
  STRINGS = 6,
  INT64S = 7,
  NAME = 8,
  RAW = 9,
  DOUBLES = 10,
  UINT64S = 11;

/**
 * @throws ParleyError MODEL_BROKEN where there are not as many values as the shape says; UNSUPPORTED for an element type
 *   that tensors here do not have
 */
export function storedTensor(bytes: Uint8Array): Tensor {
  const name = textOf(fieldOf(bytes, NAME)?.payload);
  const number = Number(fieldOf(bytes, DATA_TYPE)?.varint ?? 0n);
  const dataType = (Object.keys(DATA_TYPES) as DataType[]).find((type) => ELEMENT_TYPES[type] === number);
  if (dataType === undefined) throw unsupported(`the constant "${name}" has the element type number ${number}`);
  const shape = integersOf(bytes, DIMS).map(Number);
  const length = shape.reduce((product, extent) => product * extent, 1);
  const wrong = (found: number) =>
    modelBroken(`the constant "${name}" has ${found} values for the shape (${shape.join(', ')})`);
  if (dataType === 'string') {
    const texts = payloadsOf(bytes, STRINGS).map(textOf);
    if (texts.length !== length) throw wrong(texts.length);
    return { dataType, shape, data: texts };
  }
  const size = DATA_TYPES[dataType].bytes,
    raw = fieldOf(bytes, RAW)?.payload ?? listed(bytes, dataType);
  if (raw.length !== length * size) throw wrong(raw.length / size);
  const data = allocate(dataType, length) as Exclude<Tensor['data'], string[]>;
  new Uint8Array(data.buffer).set(raw);
  return { dataType, shape, data };
}

/** The values of the list that is used where there are no raw bytes, as little-endian bytes. */
function listed(bytes: Uint8Array, dataType: DataType): Uint8Array {
  const of = (values: readonly (bigint | number)[], store: (target: DataView, at: number, value: never) => void) => {
    const size = DATA_TYPES[dataType].bytes,
      view = new DataView(new ArrayBuffer(values.length * size));
    for (const [index, value] of values.entries()) store(view, index * size, value as never);
    return new Uint8Array(view.buffer);
  };
  switch (dataType) {
    case 'float32':
      return concatenated(payloadsOf(bytes, FLOATS));
    case 'float64':
      return concatenated(payloadsOf(bytes, DOUBLES));
    case 'int64':
      return of(integersOf(bytes, INT64S), (view, at, value) => view.setBigInt64(at, value, true));
    case 'uint64':
      return of(integersOf(bytes, UINT64S), (view, at, value) => view.setBigUint64(at, value, true));
    case 'uint32':
      return of(integersOf(bytes, UINT64S).map(Number), (view, at, value) => view.setUint32(at, value, true));
    default: {
      const values = integersOf(bytes, INT32S).map(Number);
      if (DATA_TYPES[dataType].bytes === 1) return of(values, (view, at, value) => view.setUint8(at, value));
      if (DATA_TYPES[dataType].bytes === 2) return of(values, (view, at, value) => view.setUint16(at, value, true));
      return of(values, (view, at, value) => view.setInt32(at, value, true));
    }
  }
}
