/** A connection that asks again and again is answered by what is in force now, not by what was when it asked first. */
import { expect } from 'chai';
import Int64 from 'node-int64';
import types from '#gen/parley_types.js';
import { parseContract } from '#parley/contract/parse.js';
import { serialize } from '#parley/model-types/tabular-regressor/serializer.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { sharedRedis } from '../store/redis-server.js';
import { BY, sha256, World } from '../store/world.js';
import { Caller } from './caller.js';
import { call, openReply, type Writable } from './messages.js';
import { type Served, serve } from './served.js';
import type { ProtocolName } from './wire-values.js';

const IDL = `include "parley.thrift"
namespace js shift
struct Number { 1: optional double x (max = "10") }
struct Shifted { 1: optional double value (role = "value") }
service Shift { Shifted shift(1: Number number) throws (1: parley.ParleyError error) } (model = "shift")
`;

/** Answers x + `by`, and x. */
function envelope(by: number): Uint8Array {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [-1, 1]);
  const addend = builder.constant('by', { dataType: 'float32', shape: [], data: Float32Array.of(by) });
  builder.output('value', builder.node('Add', [x, addend]), 'float32', [-1, 1]);
  builder.output('same', x, 'float32', [-1, 1]);
  const graph = builder.serialize();
  return serialize({ modelType: 'tabular-regressor', signature: inspectGraph(graph).signature, metadata: {}, graph });
}

describe('a connection that asks again', () => {
  const redis = sharedRedis();
  const [one, two] = [1, 2].map((by) => ({ bytes: envelope(by), version: sha256(envelope(by)) }));
  let world: World, served: Served, caller: Caller;
  beforeEach(async () => {
    world = new World(redis);
    for (const model of ['shift', 'other']) {
      for (const { bytes, version } of [one!, two!])
        await world.store.publishVersion({
          ...BY,
          model,
          bytes,
          record: { version, modelType: 'tabular-regressor', metrics: {} },
        });
    }
    await point('shift', 'production', one!.version);
    await point('shift', 'candidate', two!.version);
    await point('other', 'production', two!.version);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  afterEach(async () => {
    caller.close();
    await served.close();
    await world.close();
  });

  const point = (model: string, aliasName: string, version: string) =>
    world.store.moveAlias({ ...BY, model, aliasName, version, action: 'promote' });

  /** The outputs by name, or the error's code. */
  async function ask(
    request: object,
    x = 20,
    protocol: ProtocolName = 'binary',
  ): Promise<Record<string, number> | number> {
    const data = Buffer.from(Float32Array.of(x).buffer);
    const tensor = { name: 'x', data_type: 1, shape: [new Int64(1), new Int64(1)], data };
    const inputs = [new types.Tensor(tensor as never)];
    await caller.send(call(protocol, 'predict', new types.PredictRequest({ ...request, inputs } as never)));
    const { input } = openReply((await caller.reply())!);
    input.readStructBegin();
    const { fid } = input.readFieldBegin();
    const struct = fid === 0 ? new types.PredictResponse() : new types.ParleyError();
    (struct as unknown as Writable)[Symbol.for('read')]!(input);
    if (struct instanceof types.ParleyError) return struct.code!;
    return Object.fromEntries(struct.outputs!.map(({ name, data: bytes }) => [name, (bytes as Buffer).readFloatLE()]));
  }

  /** Asks until the answer is another one than before `act`. */
  async function changedBy(act: () => Promise<unknown>): Promise<Record<string, number> | number> {
    const before = JSON.stringify(await ask({ model: 'shift' }));
    await act();
    for (;;) {
      const now = await ask({ model: 'shift' });
      if (JSON.stringify(now) !== before) return now;
    }
  }

  it('is answered by each model, reference and choice of outputs in turn', async () => {
    for (let turn = 0; turn < 2; turn++) {
      for (const protocol of ['binary', 'compact'] as const) {
        expect(await ask({ model: 'shift' }, 20, protocol)).to.deep.equal({ value: 21, same: 20 });
        expect(await ask({ model: 'shift', reference: 'candidate' }, 20, protocol)).to.deep.equal({
          value: 22,
          same: 20,
        });
        expect(await ask({ model: 'other' }, 20, protocol)).to.deep.equal({ value: 22, same: 20 });
        expect(await ask({ model: 'shift', outputs: ['same'] }, 20, protocol)).to.deep.equal({ same: 20 });
        expect(await ask({ model: 'shift', outputs: ['same', 'value'] }, 20, protocol)).to.have.keys('same', 'value');
        expect(await ask({ model: 'shift', outputs: [] }, 20, protocol)).to.deep.equal({ value: 21, same: 20 });
        expect(await ask({ model: 'shift', reference: one!.version }, 20, protocol)).to.deep.include({ value: 21 });
        expect(await ask({ model: 'shif' }, 20, protocol)).to.equal(types.ErrorCode.NOT_FOUND);
      }
    }
  });

  it('is answered by the version that its alias has moved to', async () => {
    const answer = await changedBy(() => point('shift', 'production', two!.version));
    expect(answer).to.deep.equal({ value: 22, same: 20 });
  });

  it('is held to a contract that was put in force since', async () => {
    const { fingerprint } = parseContract({ file: 'shift.thrift', idl: IDL, includes: {} });
    const contract = { fingerprint, idl: IDL, includes: {}, services: ['Shift'] };
    const answer = await changedBy(() => world.store.publishContract({ ...BY, model: 'shift', contract }));
    expect(answer).to.equal(types.ErrorCode.INVALID_INPUT);
    expect(await ask({ model: 'shift' }, 9)).to.deep.equal({ value: 10, same: 9 });
  });
});
