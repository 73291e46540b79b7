/** Fields that have many values a row: lists, maps with a closed set of keys, raw tensors and pictures. */
import { allocate, DATA_TYPES, type TensorData } from '../../model/tensor.js';
import { DOUBLE, I32, STRING, TYPE_NAMES, type WireReader } from '../wire/protocol.js';
import type { CallPictures } from './call-pictures.js';
import { type Columns, put, type TypedField } from './fields.js';
import { numberOf } from './numbers.js';
import type { RequestProblems } from './problems.js';
import { type RawType, READ_RAW } from './raw-elements.js';
import { textOf } from './text.js';

export class SeveralValues {
  readonly #problems: RequestProblems;
  readonly #pictures: CallPictures;
  /** Of the map at hand, the keys that it has. */
  #has = new Uint8Array(0);

  constructor(problems: RequestProblems, pictures: CallPictures) {
    this.#problems = problems;
    this.#pictures = pictures;
  }

  read(reader: WireReader, field: TypedField, into: Columns, row: number): void {
    if (field.tensor!.encodings !== undefined) this.#pictures.read(reader, field, into, row, this.#problems);
    else if (field.wireType === STRING) this.#raw(reader, field, into, row);
    else if (field.tensor!.from === 'map') this.#map(reader, field, into, row);
    else this.#list(reader, field, into, row);
  }

  /** All of a field's values are the same one: what stands for a missing one. */
  fill(field: TypedField, into: Columns, row: number, value: number | string): void {
    const column = columnOf(field, into, 0),
      at = placeOf(field, row);
    if (column !== undefined) for (let i = 0; i < field.width; i++) put(column, at + i, value);
  }

  // ------------------------------------------------------------------ lists

  #list(reader: WireReader, field: TypedField, into: Columns, row: number): void {
    reader.listBegin();
    const { size, elementType } = reader;
    if (!this.#isListOf(field, elementType, size)) {
      for (let i = 0; i < size; i++) reader.skip(elementType);
      return;
    }
    const column = columnOf(field, into, size),
      at = placeOf(field, row);
    if (elementType === DOUBLE && (column instanceof Float64Array || column instanceof Float32Array)) {
      const { min, max } = field;
      for (let i = 0; i < size; i++) {
        const value = reader.double();
        if (value >= min && value <= max) column[at + i] = value;
        else this.#number(field, column, at + i, i, value);
      }
    } else for (let i = 0; i < size; i++) this.#value(reader, field, column, at + i, i);
  }

  #isListOf({ field, elementType: wanted, width, tensor, missing }: TypedField, type: number, size: number): boolean {
    const add = (message: string, got: string) => {
      this.#problems.add(field, '', message, got);
      return false;
    };
    if (size > 0 && type !== wanted)
      return add(`must be list<${TYPE_NAMES[wanted]}>, as the contract says`, `list<${TYPE_NAMES[type]}>`);
    if (width > 0 && size !== width)
      return add(`must have ${width} elements, as its shape (${tensor!.shape.join(', ')}) says`, `${size}`);
    if (size === 0 && missing === undefined) return add('must have at least one element', '0');
    return true;
  }

  // ------------------------------------------------------------------ maps

  #map(reader: WireReader, field: TypedField, into: Columns, row: number): void {
    reader.mapBegin();
    const { size, keyType, elementType } = reader,
      wantedKey = field.keyNumbers === undefined ? STRING : I32;
    const fits = size === 0 || (keyType === wantedKey && elementType === field.elementType);
    if (!fits) {
      const named = (key: number, value: number) => `map<${TYPE_NAMES[key]}, ${TYPE_NAMES[value]}>`;
      const expected = named(wantedKey, field.elementType);
      this.#problems.add(field.field, '', `must be ${expected}, as the contract says`, named(keyType, elementType));
    }
    if (this.#has.length < field.width) this.#has = new Uint8Array(field.width);
    const has = this.#has.fill(0),
      column = columnOf(field, into, field.width),
      at = placeOf(field, row);
    for (let i = 0; i < size; i++) {
      const key = fits ? this.#key(reader, field) : -1;
      if (!fits) reader.skip(keyType);
      if (key < 0) reader.skip(elementType);
      else {
        has[key] = 1;
        this.#value(reader, field, column, at + key, field.tensor!.keys![key]!);
      }
    }
    if (fits)
      for (let key = 0; key < field.width; key++)
        if (has[key] === 0) this.#missing(field, column, at + key, field.tensor!.keys![key]!);
  }

  /** @returns the key's place; -1: it is none of the contract's, which is told */
  #key(reader: WireReader, { field, keys, keyNumbers, tensor }: TypedField): number {
    const problems = this.#problems;
    let place: number, got: string;
    if (keyNumbers !== undefined) {
      const number = reader.i32();
      place = keyNumbers.get(number) ?? -1;
      got = String(number);
    } else {
      const length = reader.span();
      place = keys!.find(reader.buffer, reader.spanAt, length);
      got =
        place < 0 && !problems.full
          ? problems.quoted(reader.buffer.subarray(reader.spanAt, reader.spanAt + length))
          : '';
    }
    if (place < 0 && !problems.countsOnly())
      problems.add(field, '', `must have no other keys than ${keyNames(tensor!, keyNumbers)}`, got);
    return place;
  }

  // ------------------------------------------------------------------ raw tensors

  #raw(reader: WireReader, field: TypedField, into: Columns, row: number): void {
    const bytes = reader.span(),
      { dataType = 'uint8', shape } = field.tensor!,
      each = DATA_TYPES[dataType].bytes,
      size = field.width > 0 ? field.width : Math.floor(bytes / each);
    if (bytes === 0) {
      this.#absent(field, into, row);
      return;
    }
    const { maxBytes = bytes } = field.field;
    if (bytes > maxBytes) {
      this.#problems.add(field.field, '', `must be at most ${maxBytes} bytes`, `${bytes} bytes`);
      return;
    }
    if (bytes !== size * each) {
      const wanted = field.width > 0 ? `${size * each}` : `a multiple of ${each}`;
      this.#problems.add(
        field.field,
        '',
        `must be ${wanted} bytes, as ${dataType} of shape (${shape.join(', ')}) is`,
        `${bytes}`,
      );
      return;
    }
    const view = new DataView(reader.buffer.buffer, reader.buffer.byteOffset + reader.spanAt, bytes);
    this.#elements(field, view, each, columnOf(field, into, size), placeOf(field, row), size);
  }

  #elements(
    field: TypedField,
    view: DataView,
    each: number,
    column: TensorData | undefined,
    at: number,
    size: number,
  ): void {
    const read = READ_RAW[field.tensor!.dataType as RawType],
      { min, max } = field;
    for (let i = 0; i < size && !this.#problems.full; i++) {
      const raw = read(view, i * each),
        value = Number(raw);
      if (!(value >= min && value <= max)) this.#number(field, column, at + i, i, value);
      // Exact, also above 2^53.
      else if (column instanceof BigInt64Array || column instanceof BigUint64Array) column[at + i] = BigInt(raw);
      else this.#store(column, at + i, value);
    }
  }

  #absent(field: TypedField, into: Columns, row: number): void {
    if (field.missing === undefined) this.#problems.value(field.field, '', undefined);
    else this.fill(field, into, row, field.missing);
  }

  // ------------------------------------------------------------------ one value

  /** @param place its index, or its key */
  #value(
    reader: WireReader,
    field: TypedField,
    column: TensorData | undefined,
    at: number,
    place: number | string,
  ): void {
    if (field.elementType !== STRING) {
      this.#number(field, column, at, place, numberOf(reader, field.elementType));
      return;
    }
    const length = reader.span(),
      { buffer, spanAt } = reader,
      text = textOf(buffer, spanAt, length, field);
    if (text !== undefined) this.#store(column, at, text);
    else if (length === 0) this.#missing(field, column, at, place);
    else this.#problems.text(field.field, `[${place}]`, buffer.subarray(spanAt, spanAt + length));
  }

  #number(field: TypedField, column: TensorData | undefined, at: number, place: number | string, value: number): void {
    if (field.enumLabels !== undefined) {
      const label = field.enumLabels.get(value);
      if (label === undefined) this.#problems.enumValue(field.field, `[${place}]`, field.enumLabels, value);
      else this.#store(column, at, label);
    } else if (value >= field.min && value <= field.max) this.#store(column, at, value);
    else if (Number.isNaN(value)) this.#missing(field, column, at, place);
    else this.#problems.value(field.field, `[${place}]`, value);
  }

  #missing(field: TypedField, column: TensorData | undefined, at: number, place: number | string): void {
    if (field.missing === undefined) this.#problems.value(field.field, `[${place}]`, undefined);
    else this.#store(column, at, field.missing);
  }

  #store(column: TensorData | undefined, at: number, value: number | string): void {
    if (column !== undefined) put(column, at, value);
  }
}

/** What a field's values are written into; undefined: nothing. Lists of any length are alone in theirs, made anew for each. */
function columnOf({ input, width, dataType }: TypedField, into: Columns, size: number): TensorData | undefined {
  if (input < 0) return undefined;
  return width > 0 ? into.columns[input] : (into.columns[input] = allocate(dataType!, size));
}

const placeOf = ({ width, rowWidth, column }: TypedField, row: number): number =>
  width > 0 ? row * rowWidth + column : 0;

function keyNames({ keys = [] }: NonNullable<TypedField['tensor']>, numbers: TypedField['keyNumbers']): string {
  return numbers === undefined
    ? keys.join(', ')
    : [...numbers].map(([number, key]) => `${number} (${keys[key]})`).join(', ');
}
