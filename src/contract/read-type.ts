/** The type of a request's field: a scalar, or many values and how many. */
import type { FieldDefinition } from '@creditkarma/thrift-parser';
import { DATA_TYPES, type DataType } from '../model/tensor.js';
import type { ContractEnum, FieldTensor, FieldType, ImageEncoding } from './contract.js';
import { elementsOf } from './raw-bytes.js';
import type { AnnotationSet } from './read-annotations.js';
import type { Reader } from './reader.js';
import type { Resolved } from './resolve.js';
import type { Scope } from './scope.js';

export interface ValueType {
  readonly type: FieldType;
  readonly enum?: ContractEnum;
  readonly tensor?: FieldTensor;
}

/** Values of one row; a picture of 4096 x 4096 has three times as many. */
const MOST_ELEMENTS = 2 ** 26;
const MOST_PIXELS_A_SIDE = 16_384;
const ENCODINGS: readonly ImageEncoding[] = ['rgb8', 'png', 'jpeg'];
/** What raw bytes may hold: float16 has no array type, strings have no size. */
const RAW_TYPES = (Object.keys(DATA_TYPES) as DataType[]).filter((name) => name !== 'string' && name !== 'float16');

/** Undefined when a graph cannot be fed with it; why is reported. */
export function readValueType(
  reader: Reader,
  scope: Scope,
  syntax: FieldDefinition,
  resolved: Resolved,
  annotations: AnnotationSet,
): ValueType | undefined {
  const name = syntax.name.value;
  const refuse = (message: string) => {
    reader.problems.add(scope.source.at(syntax.name.loc), message);
    return undefined;
  };
  switch (resolved.kind) {
    case 'scalar':
      return { type: resolved.type };
    case 'enum': {
      const read = reader.enumOf(resolved);
      return hasChoices(read) ? { type: 'enum', enum: read } : refuse(noChoice(read));
    }
    case 'list':
      return readList(name, resolved.element, annotations, refuse);
    case 'map':
      return readMap(reader, name, resolved, annotations, refuse);
    case 'binary':
      return readBinary(name, annotations, refuse);
    case 'parley':
      return refuse(`${name} is a parley.${resolved.name}, which is not fed to a model; a context is an argument`);
    case 'unsupported':
      if (resolved.what === 'a set') return refuse(`${name} is a set, which has no order; write a list`);
      return refuse(`${name} is ${resolved.what}, which a request cannot hold`);
    default:
      return undefined;
  }
}

type Refuse = (message: string) => undefined;

const hasChoices = ({ members }: ContractEnum): boolean => members.some((member) => member.value !== 0);

const noChoice = ({ name }: ContractEnum): string =>
  `the enum ${name} has no member but 0, which is never a valid choice`;

function readList(name: string, element: Resolved, annotations: AnnotationSet, refuse: Refuse): ValueType | undefined {
  if (element.kind === 'unknown') return undefined;
  if (element.kind !== 'scalar') {
    const instead =
      element.kind === 'list'
        ? 'write one list, row by row, with shape = "2,3"'
        : element.kind === 'enum'
          ? 'write list<string> with values = "…"'
          : 'send several rows, or a list of numbers for each of its fields';
    return refuse(`${name} is a list of something else than numbers, booleans or strings; ${instead}`);
  }
  const shape = readShape(annotations) ?? [-1];
  return { type: element.type, tensor: { from: 'list', shape } };
}

function readMap(
  reader: Reader,
  name: string,
  { key, value }: Extract<Resolved, { readonly kind: 'map' }>,
  annotations: AnnotationSet,
  refuse: Refuse,
): ValueType | undefined {
  if (key.kind === 'unknown' || value.kind === 'unknown') return undefined;
  if (value.kind !== 'scalar' || value.type === 'string') {
    return refuse(`${name} is a map to something else than numbers, which a graph cannot be fed with; use a struct`);
  }
  if (key.kind === 'enum') {
    const keyEnum = reader.enumOf(key);
    if (!hasChoices(keyEnum)) return refuse(noChoice(keyEnum));
    const keys = keyEnum.members.filter((member) => member.value !== 0).map((member) => member.label);
    return { type: value.type, tensor: { from: 'map', shape: [keys.length], keys, keyEnum } };
  }
  if (key.kind !== 'scalar' || key.type !== 'string') {
    return refuse(`${name} is a map whose keys are neither an enum nor strings; key it by an enum`);
  }
  const keys = annotations.list('values');
  if (keys === undefined) {
    if (annotations.get('values') !== undefined) return undefined;
    return refuse(`${name} is a map whose keys are not known; name them, as in (values = "a,b"), or key it by an enum`);
  }
  return { type: value.type, tensor: { from: 'map', shape: [keys.length], keys } };
}

function readBinary(name: string, annotations: AnnotationSet, refuse: Refuse): ValueType | undefined {
  if (annotations.get('encoding') !== undefined) return readPicture(name, annotations, refuse);
  const dataType = annotations.choice('data_type', RAW_TYPES);
  if (dataType !== undefined) {
    return { type: 'byte', tensor: { from: 'binary', shape: readShape(annotations) ?? [-1], dataType } };
  }
  if (annotations.get('data_type') !== undefined) return undefined;
  const raw = '(shape = "128", data_type = "float32")';
  const picture = '(encoding = "rgb8,png,jpeg", height = "32", width = "32")';
  return refuse(`${name} is binary, and nothing says of what; write ${raw} for numbers or ${picture} for a picture`);
}

function readPicture(name: string, annotations: AnnotationSet, refuse: Refuse): ValueType | undefined {
  const written = annotations.list('encoding');
  const unknown = written?.find((encoding) => !ENCODINGS.some((known) => known === encoding));
  if (unknown !== undefined) {
    const message = `encoding must be one or more of ${ENCODINGS.join(', ')}, not "${unknown}"`;
    annotations.report(annotations.get('encoding')!, message);
  }
  const [height, width] = ['height', 'width'].map((key) => annotations.count(key, MOST_PIXELS_A_SIDE));
  if (annotations.get('height') === undefined || annotations.get('width') === undefined) {
    return refuse(`${name} is a picture, and needs its size: (height = "32", width = "32")`);
  }
  if (height === undefined || width === undefined || written === undefined || unknown !== undefined) return undefined;
  const encodings = ENCODINGS.filter((encoding) => written.includes(encoding));
  return { type: 'byte', tensor: { from: 'binary', shape: [height, width, 3], encodings } };
}

/** Extents separated by commas; -1 alone is any length, as is no shape. */
export function readShape(annotations: AnnotationSet): readonly number[] | undefined {
  const text = annotations.text('shape');
  if (text === undefined) return undefined;
  const shape = text.split(',').map((extent) => (/^\s*(?:-1|\d{1,9})\s*$/.test(extent) ? Number(extent) : Number.NaN));
  const isOpen = shape.length === 1 && shape[0] === -1;
  if (!isOpen && !shape.every((extent) => extent >= 1)) {
    const message = 'shape must be whole numbers from 1 on, separated by commas, as in "2,3"; or "-1" for any length';
    return annotations.report(annotations.get('shape')!, message);
  }
  if (shape.length > 8 || elementsOf(shape) > MOST_ELEMENTS) {
    return annotations.report(annotations.get('shape')!, `shape has more than 8 extents, or ${MOST_ELEMENTS} values`);
  }
  return shape;
}

export function article(type: FieldType): string {
  return type.startsWith('i') || type === 'enum' ? `an ${type}` : `a ${type}`;
}

/** For messages: `a double`, `a list of i32`, `a picture`. */
export function described({ type, tensor }: ValueType): string {
  if (tensor === undefined) return article(type);
  if (tensor.encodings !== undefined) return 'a picture';
  return tensor.from === 'binary' ? `bytes of ${tensor.dataType}` : `a ${tensor.from} of ${type}`;
}
