/** Messages made with the `thrift` package and the generated code, and replies told apart. */
import thrift from 'thrift';
import { CALL, EXCEPTION, REPLY } from '#parley/rpc/wire/protocol.js';
import { framed } from './caller.js';
import { type ProtocolName, packageReader, packageWriter } from './wire-values.js';

/** What the Thrift compiler's structs can do. */
export interface Writable {
  [method: symbol]: (protocol: thrift.TProtocol) => void;
}
const WRITE = Symbol.for('write'),
  READ = Symbol.for('read');

export function message(
  protocol: ProtocolName,
  name: string | Buffer,
  writeArguments: (output: thrift.TProtocol) => void,
  { type = CALL, sequenceId = 7 }: { type?: number; sequenceId?: number } = {},
): Buffer {
  const { output, bytes } = packageWriter(protocol);
  output.writeMessageBegin(name as string, type, sequenceId);
  writeArguments(output);
  output.writeMessageEnd();
  return Buffer.from(bytes());
}

/** The arguments' struct of a method that takes one request struct as field 1. */
export const argument =
  (request: object, id = 1) =>
  (output: thrift.TProtocol): void => {
    output.writeStructBegin('arguments');
    output.writeFieldBegin('request', thrift.Thrift.Type.STRUCT, id);
    (request as Writable)[WRITE](output);
    output.writeFieldEnd();
    output.writeFieldStop();
    output.writeStructEnd();
  };

export const call = (protocol: ProtocolName, name: string | Buffer, request: object, sequenceId?: number): Buffer =>
  framed(message(protocol, name, argument(request), sequenceId === undefined ? {} : { sequenceId }));

export interface Header {
  readonly name: string;
  readonly type: number;
  readonly sequenceId: number;
}

export function protocolOf(frame: Buffer): ProtocolName {
  return frame[0] === 0x82 ? 'compact' : 'binary';
}

/** Reads a reply's header, then what follows. */
export function openReply(frame: Buffer): { header: Header; input: thrift.TProtocol } {
  const input = packageReader(protocolOf(frame), frame);
  const { fname, mtype, rseqid } = input.readMessageBegin();
  return { header: { name: String(fname), type: mtype, sequenceId: rseqid | 0 }, input };
}

/** A result read by generated code. */
export function readResult<Result>(frame: Buffer, Result: new () => Result): { header: Header; result: Result } {
  const { header, input } = openReply(frame);
  const result = new Result();
  (result as Writable)[READ](input);
  return { header, result };
}

export interface Outcome {
  readonly kind: 'answer' | 'error' | 'exception';
  /** Of an error: the ParleyError's code. Of an exception: its type. */
  readonly code?: number;
  readonly message?: string;
  readonly header: Header;
}

/** What a reply is, whatever the method: fields of the result that are not 0 are declared errors. */
export function outcomeOf(frame: Buffer): Outcome {
  const { header, input } = openReply(frame);
  const { Type } = thrift.Thrift;
  if (header.type === EXCEPTION) {
    const found = readFlat(input);
    return { kind: 'exception', code: Number(found.get(2)), message: String(found.get(1)), header };
  }
  if (header.type !== REPLY) throw new Error(`a message of type ${header.type} came as a reply`);
  input.readStructBegin();
  const { ftype, fid } = input.readFieldBegin();
  if (fid === 0 && ftype !== Type.STOP) {
    input.skip(ftype);
    return { kind: 'answer', header };
  }
  if (ftype !== Type.STRUCT) throw new Error('a result without answer and error');
  const found = readFlat(input);
  return { kind: 'error', code: Number(found.get(1)), message: String(found.get(2)), header };
}

/** The numbers and strings of a struct, by field id. */
function readFlat(input: thrift.TProtocol): Map<number, string | number> {
  const { Type } = thrift.Thrift,
    found = new Map<number, string | number>();
  input.readStructBegin();
  for (let field = input.readFieldBegin(); field.ftype !== Type.STOP; field = input.readFieldBegin()) {
    if (field.ftype === Type.STRING) found.set(field.fid, String(input.readString()));
    else if (field.ftype === Type.I32) found.set(field.fid, input.readI32());
    else input.skip(field.ftype);
    input.readFieldEnd();
  }
  input.readStructEnd();
  return found;
}
