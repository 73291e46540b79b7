/**
 * Calls of a contract's typed service from its text alone: plain values in, plain values out.
 *
 * What the CLI's `predict` uses. The values go over the wire exactly as a generated stub would send them.
 */
import type { ContractMethod, ContractService, OutputField } from '../../contract/contract.js';
import { unsupported } from '../../errors.js';
import { receivedError } from '../error-mapping.js';
import { writeRow } from '../typed/row-values.js';
import { BinaryReader, BinaryWriter } from '../wire/binary.js';
import {
  BOOL,
  BYTE,
  CALL,
  DOUBLE,
  EXCEPTION,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  STOP,
  STRING,
  STRUCT,
  type WireReader,
} from '../wire/protocol.js';
import type { ClientConnection } from './connection.js';
import { type PlainRow, valuesOfRow } from './plain-rows.js';
import { type CallContext, type WireCall, writeContext } from './wire-call.js';

export type { PlainRow } from './plain-rows.js';

/** An answer by field name: enum values by their label, provenance by the names of parley.thrift. */
export type PlainAnswer = Readonly<Record<string, unknown>>;

export interface CallOptions extends CallContext {
  readonly many: boolean;
}

/** @returns one answer per row */
export async function callTyped(
  connection: ClientConnection,
  service: ContractService,
  rows: readonly PlainRow[],
  options: CallOptions,
): Promise<readonly PlainAnswer[]> {
  const method = methodFor(service, options.many);
  const answers: PlainAnswer[] = [];
  for (const batch of options.many === method.many ? [rows] : rows.map((row) => [row])) {
    const sequenceId = connection.nextSequence();
    const reply = await connection.exchange(
      sequenceId,
      encodeCall(service, method, batch, sequenceId, options),
      options.timeoutMs,
    );
    answers.push(...decodeReply(method, reply));
  }
  return answers;
}

/** The first method of the wanted kind; the first of the other kind where there is none. */
function methodFor(service: ContractService, many: boolean): ContractMethod {
  return service.methods.find((method) => method.many === many) ?? service.methods[0]!;
}

/** A call by name; one that takes no list is given one row. */
export function typedCall(
  service: ContractService,
  method: ContractMethod,
  rows: readonly PlainRow[],
): WireCall<readonly PlainAnswer[]> {
  return {
    name: `${service.name}:${method.name}`,
    takesContext: method.contextId !== undefined,
    idempotent: true,
    encode: (sequenceId, context) => encodeCall(service, method, rows, sequenceId, context),
    decode: (reply) => decodeReply(method, reply),
  };
}

function encodeCall(
  service: ContractService,
  method: ContractMethod,
  rows: readonly PlainRow[],
  sequenceId: number,
  context: CallContext,
): Buffer {
  const writer = new BinaryWriter();
  writer.at = 4;
  writer.messageBegin(Buffer.from(`${service.name}:${method.name}`), CALL, sequenceId);
  writer.structBegin();
  writer.field(method.many ? LIST : STRUCT, method.argument.id);
  if (method.many) writer.listBegin(STRUCT, rows.length);
  rows.forEach((row, index) => {
    const path = method.many ? `${method.argument.name}[${index}]` : method.argument.name;
    writeRow(writer, method.request, valuesOfRow(method.request, row, path));
  });
  if (method.contextId !== undefined) writeContext(writer, method.contextId, context);
  writer.structEnd();
  writer.buffer.writeInt32BE(writer.at - 4, 0);
  return writer.buffer.subarray(0, writer.at);
}

// -------------------------------------------------------------------- answers

function decodeReply(method: ContractMethod, frame: Buffer): PlainAnswer[] {
  const reader = new BinaryReader();
  reader.reset(frame, 0, frame.length);
  reader.messageBegin();
  const names = (type: number) => (reader.messageType === EXCEPTION && type === STRING ? 'message' : undefined);
  let answers: PlainAnswer[] | undefined;
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    const { fieldId } = reader;
    if (names(type) !== undefined) throw unsupported(`the server does not take the call: ${textOf(reader)}`);
    if (fieldId === 0 && type === STRUCT) answers = [readAnswer(reader, method.response.fields)];
    else if (fieldId === 0 && type === LIST)
      answers = readList(reader, () => readAnswer(reader, method.response.fields)) as PlainAnswer[];
    else if (fieldId === method.errorId && type === STRUCT) throw receivedError(readError(reader));
    else reader.skip(type);
  }
  if (answers === undefined) throw unsupported('the server answered nothing; it may be of another release');
  return answers;
}

const textOf = (reader: WireReader): string => {
  const length = reader.span();
  return reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + length);
};

function readList<T>(reader: WireReader, element: (type: number) => T): T[] {
  reader.listBegin();
  const { elementType, size } = reader;
  return Array.from({ length: size }, () => element(elementType));
}

function readAnswer(reader: WireReader, fields: readonly OutputField[]): PlainAnswer {
  const answer: Record<string, unknown> = {};
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    const field = fields.find(({ id }) => id === reader.fieldId);
    if (field === undefined) reader.skip(type);
    else if (field.role === 'provenance') answer[field.name] = readNamed(reader, PROVENANCE);
    else if (type === MAP) answer[field.name] = readMap(reader, field);
    else if (type === LIST) answer[field.name] = readList(reader, (element) => readScalar(reader, element));
    else answer[field.name] = labelled(field, readScalar(reader, type));
  }
  return answer;
}

function readMap(reader: WireReader, field: OutputField): Record<string, unknown> {
  reader.mapBegin();
  const { keyType, elementType, size } = reader,
    map: Record<string, unknown> = {};
  for (let i = 0; i < size; i++) {
    const key = labelled(field, readScalar(reader, keyType));
    map[String(key)] = readScalar(reader, elementType);
  }
  return map;
}

const labelled = (field: OutputField, value: unknown): unknown =>
  field.enum === undefined ? value : (field.enum.members.find((member) => member.value === value)?.label ?? value);

function readScalar(reader: WireReader, type: number): unknown {
  switch (type) {
    case BOOL:
      return reader.bool();
    case BYTE:
      return reader.byte();
    case DOUBLE:
      return reader.double();
    case I16:
      return reader.i16();
    case I32:
      return reader.i32();
    case I64:
      return reader.i64();
    case STRING:
      return textOf(reader);
    default:
      reader.skip(type);
      return undefined;
  }
}

const PROVENANCE: Readonly<Record<number, string>> = {
  1: 'prediction_id',
  2: 'model',
  3: 'version',
  4: 'alias_name',
  5: 'queue_us',
  6: 'compute_us',
  7: 'cached',
};
const ERROR: Readonly<Record<number, string>> = {
  1: 'code',
  2: 'message',
  3: 'retryable',
  4: 'retry_after_ms',
  5: 'problems',
  6: 'request_id',
};
const PROBLEM: Readonly<Record<number, string>> = { 1: 'path', 2: 'message', 3: 'got' };

function readNamed(reader: WireReader, names: Readonly<Record<number, string>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    const name = names[reader.fieldId];
    const value =
      type === LIST
        ? readList(reader, (element) => (element === STRUCT ? readNamed(reader, PROBLEM) : readScalar(reader, element)))
        : readScalar(reader, type);
    if (name !== undefined) found[name] = value;
  }
  return found;
}

const readError = (reader: WireReader): Parameters<typeof receivedError>[0] =>
  readNamed(reader, ERROR) as Parameters<typeof receivedError>[0];
