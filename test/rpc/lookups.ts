/** A server with one small model that can fail, asked in every way there is: typed, generic and by a generated method. */
import Int64 from 'node-int64';
import thrift from 'thrift';
import types from '#gen/parley_types.js';
import { parseContract } from '#parley/contract/parse.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { envelopeOf, lookup } from '../serving/models.js';
import { BY, type World } from '../store/world.js';
import { type Caller, framed } from './caller.js';
import { call, message, type Outcome, outcomeOf, type Writable } from './messages.js';
import type { ProtocolName } from './wire-values.js';

export const LOOKUPS = 'lookups';
/** The graph fails for an x of 10 or more; the contract allows up to 100. */
export const BROKEN_X = 50,
  FORBIDDEN_X = 1_000;

const IDL = `include "parley.thrift"
namespace js lookups
struct Question { 1: optional double x (max = "100") }
struct Found { 1: optional double value (role = "value") }
service Lookups {
  Found find(1: Question question, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
} (model = "${LOOKUPS}")
`;

/** Puts the model into production. @returns its version */
export async function placeLookups({ store }: Pick<World, 'store'>): Promise<string> {
  const { fingerprint } = parseContract({ file: 'lookups.thrift', idl: IDL, includes: {} });
  await store.publishContract({
    ...BY,
    model: LOOKUPS,
    contract: { fingerprint, idl: IDL, includes: {}, services: ['Lookups'] },
  });
  const bytes = envelopeOf(lookup()),
    version = digestOf(bytes);
  const record = { version, modelType: 'tabular-regressor', metrics: {} } as const;
  await store.publishVersion({ ...BY, model: LOOKUPS, bytes, record });
  await store.moveAlias({ ...BY, model: LOOKUPS, aliasName: 'production', version, action: 'promote' });
  return version;
}

export interface Context {
  readonly request_id?: string;
  readonly auth_token?: string;
  readonly timeout_ms?: number;
  readonly trace?: Readonly<Record<string, string>>;
}

async function outcome(caller: Caller, frame: Buffer): Promise<Outcome> {
  await caller.send(frame);
  const reply = await caller.reply();
  if (reply === undefined) throw new Error('the connection ended');
  return outcomeOf(reply);
}

/** `Lookups.find`. */
export function typed(caller: Caller, x: number, context: Context = {}, protocol: ProtocolName = 'binary') {
  const { Type } = thrift.Thrift;
  const struct = (id: number, fields: (output: thrift.TProtocol) => void, output: thrift.TProtocol) => {
    output.writeFieldBegin('', Type.STRUCT, id);
    fields(output);
    output.writeFieldEnd();
  };
  const frame = message(protocol, 'Lookups:find', (output) => {
    output.writeStructBegin('');
    const question = (to: thrift.TProtocol) => {
      to.writeStructBegin('');
      to.writeFieldBegin('x', Type.DOUBLE, 1);
      to.writeDouble(x);
      to.writeFieldEnd();
      to.writeFieldStop();
      to.writeStructEnd();
    };
    struct(1, question, output);
    const told = new types.RequestContext(context as never) as unknown as Writable;
    struct(2, (to) => told[Symbol.for('write')]!(to), output);
    output.writeFieldStop();
    output.writeStructEnd();
  });
  return outcome(caller, framed(frame));
}

/** `Prediction.predict`. */
export function generic(
  caller: Caller,
  values: readonly number[],
  { context = {}, ...request }: { context?: Context; model?: string; reference?: string } = {},
  protocol: ProtocolName = 'binary',
) {
  const shape = [new Int64(values.length), new Int64(1)],
    data = Buffer.from(Float64Array.from(values).buffer);
  const inputs = [new types.Tensor({ name: 'x', data_type: DATA_TYPES.float64.number, shape, data } as never)];
  const asked = new types.PredictRequest({
    model: LOOKUPS,
    ...request,
    context: new types.RequestContext(context as never),
    inputs,
  } as never);
  return outcome(caller, call(protocol, 'predict', asked));
}

/** `Prediction.describe`, by the generated code. */
export function describeModel(caller: Caller, model: string, context: Context = {}, protocol: ProtocolName = 'binary') {
  const asked = new types.DescribeRequest({ model, context: new types.RequestContext(context as never) } as never);
  return outcome(caller, call(protocol, 'Prediction:describe', asked));
}
