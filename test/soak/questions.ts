/**
 * What a soak asks and what each version answers: the sum of two numbers and a constant of the version's own, so that an
 * answer tells whether it is of the version that it names.
 *
 * Hot: frames are made beforehand and only their sequence ids are written; replies are read in place.
 */
import { DATA_TYPES } from '#parley/model/tensor.js';
import { BinaryReader } from '#parley/rpc/wire/binary.js';
import { CompactReader } from '#parley/rpc/wire/compact.js';
import { CALL, DOUBLE, I64, LIST, REPLY, STOP, STRING, STRUCT, type WireReader } from '#parley/rpc/wire/protocol.js';
import { framed } from '../rpc/caller.js';
import { double, header, i32, i64, list, struct, text } from '../rpc/hostile-cases.js';
import { encode, PROTOCOL_NAMES, type ProtocolName } from '../rpc/wire-values.js';

export const MODEL = 'scores';

export const IDL = `include "parley.thrift"
struct Question {
  1: optional double a (min = "-1000", max = "1000")
  2: optional double b (min = "-1000", max = "1000")
}
struct Answer { 1: optional double value (role = "value"), 15: optional parley.Provenance provenance }
service Scores {
  Answer score(1: Question question) throws (1: parley.ParleyError error)
} (model = "${MODEL}", accept.mae = "<= 0.5")
`;

/** The constants of the versions: exact in float32, and all within the contract's bound of the fixtures. */
export const BIASES = [0, 0.0625, 0.125, 0.1875, 0.25] as const;
export const FIXTURES = 'a,b,value\n1,2,3\n4,5,9\n10,20,30\n7,1,8\n';

/** Questions of each kind of call. */
const QUESTIONS = 64;
/** Sequence ids from here to 2^31 - 1 are five bytes in the compact protocol too. */
const FIRST_SEQUENCE = 2 ** 28;

interface Kind {
  readonly protocol: ProtocolName;
  readonly typed: boolean;
  /** Where the sequence id stands. */
  readonly at: number;
  readonly frames: readonly Buffer[];
}

const numbersOf = (question: number): [a: number, b: number] => [question % 8, (question >> 3) * 0.5];

function tensor(name: string, value: number) {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return struct(
    [1, text(name)],
    [2, i32(DATA_TYPES.float64.number)],
    [3, list(I64, [i64(1), i64(1)])],
    [5, text(data)],
  );
}

function kindOf(protocol: ProtocolName, typed: boolean): Kind {
  const name = typed ? 'Scores:score' : 'Prediction:predict';
  const head = header(protocol, name, CALL, FIRST_SEQUENCE);
  const frames = Array.from({ length: QUESTIONS }, (_, question) => {
    const [a, b] = numbersOf(question);
    const body = typed
      ? struct([1, struct([1, double(a)], [2, double(b)])])
      : struct([1, struct([2, text(MODEL)], [6, list(STRUCT, [tensor('a', a), tensor('b', b)])])]);
    return framed(Buffer.concat([head, encode(protocol, body)]));
  });
  return { protocol, typed, at: protocol === 'binary' ? 12 + name.length : 6, frames };
}

const KINDS: readonly Kind[] = PROTOCOL_NAMES.flatMap((protocol) => [kindOf(protocol, true), kindOf(protocol, false)]);

/** Room for the kind and the question in a sequence id, which thereby says what was asked. */
const FORMS = KINDS.length * QUESTIONS;

/** The sequence id of a connection's call number `count`, in some kind and about some question. */
export const sequenceOf = (count: number, form: number): number =>
  FIRST_SEQUENCE + (((count * FORMS) % FIRST_SEQUENCE) + (form % FORMS));

/** The whole frame of a call: a copy, which may be sent. */
export function frameOf(sequence: number): Buffer {
  const form = (sequence - FIRST_SEQUENCE) % FORMS;
  const { protocol, at, frames } = KINDS[form % KINDS.length] as Kind;
  const frame = Buffer.from(frames[(form / KINDS.length) | 0] as Buffer);
  if (protocol === 'binary') frame.writeInt32BE(sequence, at);
  else for (let i = 0; i < 5; i++) frame[at + i] = ((sequence >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  return frame;
}

const isTyped = (sequence: number): boolean =>
  (KINDS[((sequence - FIRST_SEQUENCE) % FORMS) % KINDS.length] as Kind).typed;

/** What a version with this constant answers to a call. */
export function answerOf(sequence: number, bias: number): number {
  const [a, b] = numbersOf((((sequence - FIRST_SEQUENCE) % FORMS) / KINDS.length) | 0);
  return Math.fround(a + b + bias);
}

export interface Reply {
  readonly sequence: number;
  /** Absent where it is no answer. */
  readonly version?: string;
  readonly value?: number;
}

const binary = new BinaryReader(),
  compact = new CompactReader();

/** @param end the frame begins at `start` and ends there, without its length */
export function replyOf(bytes: Buffer, start: number, end: number): Reply {
  const reader: WireReader = bytes[start] === 0x82 ? compact : binary;
  reader.reset(bytes, start, end);
  reader.messageBegin();
  const sequence = reader.sequenceId;
  if (reader.messageType !== REPLY) return { sequence };
  reader.structBegin();
  if (reader.field() !== STRUCT || reader.fieldId !== 0) return { sequence };
  return isTyped(sequence) ? typedAnswer(reader, sequence) : tensorAnswer(reader, sequence);
}

function typedAnswer(reader: WireReader, sequence: number): Reply {
  let value = Number.NaN,
    version = '';
  reader.structBegin();
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    if (reader.fieldId === 1 && type === DOUBLE) value = reader.double();
    else if (reader.fieldId === 15 && type === STRUCT) version = versionOf(reader);
    else reader.skip(type);
  }
  return { sequence, version, value };
}

function tensorAnswer(reader: WireReader, sequence: number): Reply {
  let value = Number.NaN,
    version = '';
  reader.structBegin();
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    if (reader.fieldId === 1 && type === STRUCT) version = versionOf(reader);
    else if (reader.fieldId === 2 && type === LIST) {
      reader.listBegin();
      const { size } = reader;
      for (let i = 0; i < size; i++) {
        const found = namedValue(reader);
        if (found !== undefined) value = found;
      }
    } else reader.skip(type);
  }
  reader.structEnd();
  return { sequence, version, value };
}

/** The one float32 of the tensor "value"; undefined for another one. */
function namedValue(reader: WireReader): number | undefined {
  let wanted = false,
    value: number | undefined;
  reader.structBegin();
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    if (reader.fieldId === 1 && type === STRING) {
      const length = reader.span();
      wanted = reader.buffer.toString('latin1', reader.spanAt, reader.spanAt + length) === 'value';
    } else if (reader.fieldId === 5 && type === STRING) {
      const length = reader.span();
      value = length === 4 ? reader.buffer.readFloatLE(reader.spanAt) : Number.NaN;
    } else reader.skip(type);
  }
  reader.structEnd();
  return wanted ? value : undefined;
}

function versionOf(reader: WireReader): string {
  let version = '';
  reader.structBegin();
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    if (reader.fieldId === 3 && type === STRING) {
      const length = reader.span();
      version = reader.buffer.toString('latin1', reader.spanAt, reader.spanAt + length);
    } else reader.skip(type);
  }
  reader.structEnd();
  return version;
}
