/**
 * Requests as whole frames, length and all, made once and sent many times.
 *
 * A frame's sequence id is a place holder: before it is sent, the generator writes another one over it, of as many bytes.
 * Compact varints are as long as their value, so all ids come from a range in which they take four bytes.
 */

import type { ContractMethod, ContractService } from '../contract/contract.js';
import { DATA_TYPES, type Tensor } from '../model/tensor.js';
import { type FieldValue, writeRow } from '../rpc/typed/row-values.js';
import { BinaryWriter } from '../rpc/wire/binary.js';
import { CompactWriter } from '../rpc/wire/compact.js';
import { CALL, I32, I64, LIST, STRING, STRUCT, type WireWriter } from '../rpc/wire/protocol.js';

/** The first sequence id, and how many there are: from 2^21 to 2^28 a varint has four bytes. */
export const FIRST_SEQUENCE = 1 << 21,
  SEQUENCES = 1 << 27;

export type Protocol = 'binary' | 'compact';

/** A whole call. @param args writes the arguments' fields */
export function callFrame(protocol: Protocol, name: string, args: (writer: WireWriter) => void): Buffer {
  const writer = protocol === 'binary' ? new BinaryWriter() : new CompactWriter();
  // Four bytes for the length, which every writer has room for.
  writer.buffer = Buffer.alloc(1024);
  writer.at = 4;
  writer.messageBegin(Buffer.from(name), CALL, FIRST_SEQUENCE);
  writer.structBegin();
  args(writer);
  writer.structEnd();
  writer.buffer.writeInt32BE(writer.at - 4, 0);
  return Buffer.from(writer.buffer.subarray(0, writer.at));
}

/** `Operations.ping` with a token: a connection remembers the last one that it showed. */
export const pingFrame = (protocol: Protocol, token: string): Buffer =>
  callFrame(protocol, 'ping', (writer) => {
    writer.field(STRUCT, 1);
    writer.structBegin();
    writer.field(STRUCT, 1);
    writer.structBegin();
    writer.field(STRING, 3);
    writer.text(token);
    writer.structEnd();
    writer.structEnd();
  });

export interface PredictCall {
  readonly model: string;
  readonly reference?: string;
  readonly timeoutMs?: number;
  /** Which outputs to return; all when absent. */
  readonly outputs?: readonly string[];
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** `Prediction.predict`. */
export const predictFrame = (
  protocol: Protocol,
  { model, reference, timeoutMs, outputs, inputs }: PredictCall,
): Buffer =>
  callFrame(protocol, 'predict', (writer) => {
    writer.field(STRUCT, 1);
    writer.structBegin();
    if (timeoutMs !== undefined) writeContext(writer, 1, timeoutMs);
    writer.field(STRING, 2);
    writer.text(model);
    if (reference !== undefined) {
      writer.field(STRING, 3);
      writer.text(reference);
    }
    if (outputs !== undefined) {
      writer.field(LIST, 5);
      writer.listBegin(STRING, outputs.length);
      for (const name of outputs) writer.text(name);
    }
    const tensors = Object.entries(inputs);
    writer.field(LIST, 6);
    writer.listBegin(STRUCT, tensors.length);
    for (const [name, tensor] of tensors) writeTensor(writer, name, tensor);
    writer.structEnd();
  });

function writeTensor(writer: WireWriter, name: string, { dataType, shape, data }: Tensor): void {
  writer.structBegin();
  writer.field(STRING, 1);
  writer.text(name);
  writer.field(I32, 2);
  writer.i32(DATA_TYPES[dataType].number);
  writer.field(LIST, 3);
  writer.listBegin(I64, shape.length);
  for (const extent of shape) writer.i64(extent);
  if (Array.isArray(data)) {
    writer.field(LIST, 4);
    writer.listBegin(STRING, data.length);
    for (const text of data) writer.text(text);
  } else {
    writer.field(STRING, 5);
    writer.bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  writer.structEnd();
}

function writeContext(writer: WireWriter, id: number, timeoutMs: number): void {
  writer.field(STRUCT, id);
  writer.structBegin();
  writer.field(I32, 2);
  writer.i32(timeoutMs);
  writer.structEnd();
}

export type { FieldValue } from '../rpc/typed/row-values.js';

export interface TypedCall {
  readonly service: ContractService;
  readonly method: ContractMethod;
  readonly timeoutMs?: number;
  /** In the order of the request's fields; several where the method takes a list. */
  readonly rows: readonly (readonly FieldValue[])[];
}

/** A typed service's method, by its multiplexed name. */
export const typedFrame = (protocol: Protocol, { service, method, timeoutMs, rows }: TypedCall): Buffer =>
  callFrame(protocol, `${service.name}:${method.name}`, (writer) => {
    writer.field(method.many ? LIST : STRUCT, method.argument.id);
    if (method.many) writer.listBegin(STRUCT, rows.length);
    for (const row of rows) writeRow(writer, method.request, row);
    if (timeoutMs !== undefined && method.contextId !== undefined) writeContext(writer, method.contextId, timeoutMs);
  });
