/** Replies read and written again by generated code, which the hot codecs must equal byte for byte. */
import { expect } from 'chai';
import type thrift from 'thrift';
import { LIST, STRUCT } from '#parley/rpc/wire/protocol.js';
import { type Header, openReply, type Writable } from './messages.js';
import { type ProtocolName, packageWriter } from './wire-values.js';

export const READ = Symbol.for('read'),
  WRITE = Symbol.for('write');

/** The result's one field, read by generated code. */
export function field<Struct>(frame: Buffer, id: number, Struct: new () => Struct): { header: Header; struct: Struct } {
  const { header, input } = openReply(frame);
  input.readStructBegin();
  const { ftype, fid } = input.readFieldBegin();
  expect({ ftype, fid }).to.deep.equal({ ftype: STRUCT, fid: id });
  const struct = new Struct();
  (struct as unknown as Writable)[READ](input);
  input.readFieldEnd();
  expect(input.readFieldBegin().ftype).to.equal(0);
  return { header, struct };
}

/** The same reply, written by generated code. */
export function rewritten(
  protocol: ProtocolName,
  { name, type, sequenceId }: Header,
  id: number,
  struct: object,
): string {
  const { output, bytes } = packageWriter(protocol);
  output.writeMessageBegin(name, type, sequenceId);
  output.writeStructBegin('result');
  output.writeFieldBegin('field', STRUCT, id);
  (struct as Writable)[WRITE](output);
  output.writeFieldEnd();
  output.writeFieldStop();
  output.writeStructEnd();
  return bytes().toString('hex');
}

/** A field that is a list of generated structs. */
export function writeStructs(output: thrift.TProtocol, id: number, structs: readonly object[]): void {
  output.writeFieldBegin('field', LIST, id);
  output.writeListBegin(STRUCT, structs.length);
  for (const struct of structs) (struct as Writable)[WRITE](output);
  output.writeListEnd();
  output.writeFieldEnd();
}

/** The result's one field, a list read by generated code. */
export function readStructs<Struct>(input: thrift.TProtocol, Struct: new () => Struct): Struct[] {
  input.readStructBegin();
  const { ftype, fid } = input.readFieldBegin();
  expect({ ftype, fid }).to.deep.equal({ ftype: LIST, fid: 0 });
  const { size } = input.readListBegin();
  const structs = Array.from({ length: size }, () => {
    const struct = new Struct();
    (struct as unknown as Writable)[READ](input);
    return struct;
  });
  input.readListEnd();
  input.readFieldEnd();
  expect(input.readFieldBegin().ftype).to.equal(0);
  return structs;
}
