/** A `binary` field's bytes: raw elements, or a picture by the bytes that its kind of file begins with. */
import type { Problem } from '../errors.js';
import { DATA_TYPES, type DataType } from '../model/tensor.js';
import type { FieldTensor, ImageEncoding, InputField } from './contract.js';
import { problemWith, valueProblem } from './value.js';

/** Of a shape without open extents. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/**
 * What is wrong with the bytes: their number, or an element out of bounds. A PNG or JPEG is not decoded here.
 *
 * @param path of an element, `scan[17]`, where one is wrong
 */
export function bytesProblem(field: InputField, bytes: Uint8Array, path: string): Problem | undefined {
  const tensor = field.tensor!;
  const problem = (message: string): Problem => problemWith(field, path, message, `${bytes.length} bytes`);
  if (field.maxBytes !== undefined && bytes.length > field.maxBytes) {
    return problem(`must be at most ${field.maxBytes} bytes`);
  }
  if (tensor.encodings !== undefined) {
    const encoding = imageEncodingOf(tensor, bytes);
    return encoding === undefined ? problem(notAPicture(tensor)) : undefined;
  }
  const size = DATA_TYPES[tensor.dataType!].bytes;
  const count = bytes.length / size;
  const isOpen = tensor.shape[0] === -1;
  if (isOpen ? !Number.isInteger(count) : count !== elementsOf(tensor.shape)) {
    const wanted = isOpen ? 'elements' : `${elementsOf(tensor.shape)} elements`;
    const total = isOpen ? `a multiple of ${size}` : String(size * elementsOf(tensor.shape));
    return problem(`must be ${wanted} of ${tensor.dataType}, ${total} bytes`);
  }
  return elementProblem(field, rawElements(tensor.dataType!, bytes), path);
}

function elementProblem(field: InputField, elements: ArrayLike<number | bigint>, path: string): Problem | undefined {
  const isBool = field.tensor!.dataType === 'bool';
  for (let index = 0; index < elements.length; index++) {
    const value = Number(elements[index]);
    const at = () => `${path}[${index}]`;
    if (isBool && value > 1) return problemWith(field, at(), 'must be 0 or 1', value);
    if (value >= (field.min ?? -Number.MAX_VALUE) && value <= (field.max ?? Number.MAX_VALUE)) continue;
    const problem = valueProblem(field, value, at());
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A view where the bytes are aligned, a copy where they are not. Little-endian, as all machines that Node runs on. */
export function rawElements(dataType: DataType, bytes: Uint8Array): ArrayLike<number | bigint> {
  const { bytes: size } = DATA_TYPES[dataType];
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  const view = <View>(make: new (buffer: ArrayBufferLike, offset: number, length: number) => View): View =>
    new make(buffer, byteOffset, length / size);
  switch (dataType) {
    case 'float32':
      return view(Float32Array);
    case 'float64':
      return view(Float64Array);
    case 'int8':
      return view(Int8Array);
    case 'int16':
      return view(Int16Array);
    case 'int32':
      return view(Int32Array);
    case 'int64':
      return view(BigInt64Array);
    case 'uint16':
      return view(Uint16Array);
    case 'uint32':
      return view(Uint32Array);
    case 'uint64':
      return view(BigUint64Array);
    default:
      return view(Uint8Array);
  }
}

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff);

/** By the first bytes of a file, or by the number of bytes of raw pixels; undefined: none that the field takes. */
export function imageEncodingOf({ encodings = [], shape }: FieldTensor, bytes: Uint8Array): ImageEncoding | undefined {
  const found = startsWith(bytes, PNG) ? 'png' : startsWith(bytes, JPEG) ? 'jpeg' : undefined;
  if (found !== undefined && encodings.includes(found)) return found;
  return encodings.includes('rgb8') && bytes.length === elementsOf(shape) ? 'rgb8' : undefined;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, index) => bytes[index] === byte);
}

function notAPicture({ encodings = [], shape }: FieldTensor): string {
  const kinds = encodings.map((encoding) =>
    encoding === 'rgb8' ? `${elementsOf(shape)} bytes of RGB pixels (${shape.join(' x ')})` : encoding.toUpperCase(),
  );
  return `must be a picture: ${kinds.join(', or ')}`;
}
