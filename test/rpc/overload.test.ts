/** A server that has more to do than it can, over the wire: what it takes it answers, what it refuses it refuses at once. */
import { expect } from 'chai';
import Int64 from 'node-int64';
import thrift from 'thrift';
import types from '#gen/parley_types.js';
import { serialize } from '#parley/model-types/tabular-regressor/serializer.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import type { ModelSettings } from '#parley/serving/model-settings.js';
import { QueueBound } from '#parley/serving/queue-bound.js';
import type { Servable } from '#parley/serving/servable.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, sha256, World } from '../store/world.js';
import { Caller, framed } from './caller.js';
import { header, list, struct, tensor, text } from './hostile-cases.js';
import { argument, call, message, openReply, type Writable } from './messages.js';
import { PARITY_IDL, parityModel, place, type Served, serve } from './served.js';
import { encode, type ProtocolName } from './wire-values.js';

const MODEL = 'slow',
  OTHER = 'fast';
const { MessageType, Type } = thrift.Thrift;
const CALL = MessageType.CALL,
  STRUCT = Type.STRUCT;
const DEADLINE_EXCEEDED = 6,
  OVERLOADED = 5;

/** Answers its input. */
function envelope(): Uint8Array {
  const builder = new GraphBuilder();
  builder.output('same', builder.node('Identity', [builder.input('x', 'float32', [-1, 1])]), 'float32', [-1, 1]);
  const graph = builder.serialize();
  return serialize({ modelType: 'tabular-regressor', signature: inspectGraph(graph).signature, metadata: {}, graph });
}

function request(x: number, context?: { timeout_ms?: number; request_id?: string }, model = MODEL): object {
  const data = Buffer.from(Float32Array.of(x).buffer);
  const tensor = { name: 'x', data_type: 1, shape: [new Int64(1), new Int64(1)], data };
  return new types.PredictRequest({
    model,
    inputs: [new types.Tensor(tensor as never)],
    ...(context && { context: new types.RequestContext(context as never) }),
  } as never);
}

/** Any struct: its fields' values by id. */
type Fields = ReadonlyMap<number, unknown>;

function readAny(input: thrift.TProtocol, type: number): unknown {
  const { Type } = thrift.Thrift;
  if (type === Type.BOOL) return input.readBool();
  if (type === Type.I32) return input.readI32();
  if (type === Type.I16) return input.readI16();
  if (type === Type.STRING) return String(input.readString());
  if (type !== Type.STRUCT) {
    input.skip(type);
    return undefined;
  }
  const fields = new Map<number, unknown>();
  input.readStructBegin();
  for (let field = input.readFieldBegin(); field.ftype !== Type.STOP; field = input.readFieldBegin())
    fields.set(field.fid, readAny(input, field.ftype));
  return fields;
}

interface Answer {
  readonly sequenceId: number;
  readonly value?: Fields;
  readonly error?: Fields;
}

function answerOf(frame: Buffer): Answer {
  const { header, input } = openReply(frame);
  const result = readAny(input, thrift.Thrift.Type.STRUCT) as Map<number, Fields>;
  const [value, error] = [result.get(0), result.get(1)];
  return { sequenceId: header.sequenceId, ...(value && { value }), ...(error && { error }) };
}

for (const protocol of ['binary', 'compact'] as const satisfies ProtocolName[])
  describe(`a server with more to do than it can, asked in the ${protocol} protocol`, () => {
    const redis = sharedRedis();
    let world: World, served: Served, caller: Caller, servable: Servable;
    let runs: number[];
    const start = async (settings: Partial<ModelSettings> = {}) => {
      served = await serve(world.store, {}, undefined, {}, settings);
      caller = await Caller.open(served);
      await caller.send(call(protocol, 'predict', request(0))).reply();
      [servable] = served.factory.servablesOf(MODEL) as [Servable];
    };
    /** Runs of eight rows, each of some milliseconds. */
    const slow = (ms: number) => {
      runs = [];
      // As if that had been measured when the version was loaded.
      const queue = new QueueBound(ms / 8);
      queue.maxMs = servable.queue.maxMs;
      Object.assign(servable, { maxRows: 8, queue });
      const { session } = servable,
        run = session.run.bind(session);
      session.run = (feeds, fetches, done) => {
        runs.push(Number(Object.values(feeds)[0]!.dims[0]));
        const endMs = performance.now() + ms;
        while (performance.now() < endMs);
        run(feeds, fetches, done);
      };
    };
    const asked = (count: number, context?: Parameters<typeof request>[1]) =>
      Buffer.concat(Array.from({ length: count }, (_, i) => call(protocol, 'predict', request(i % 7, context), i + 1)));
    const codes = (answers: readonly Answer[], code: number) => answers.filter(({ error }) => error?.get(1) === code);

    beforeEach(async () => {
      world = new World(redis);
      const bytes = envelope(),
        version = sha256(bytes);
      const record = { version, modelType: 'tabular-regressor' as const, metrics: {} };
      for (const model of [MODEL, OTHER]) {
        await world.store.publishVersion({ ...BY, model, bytes, record });
        await world.store.moveAlias({ ...BY, model, aliasName: 'production', version, action: 'promote' });
      }
    });
    afterEach(async () => {
      caller.close();
      await served.close();
      await world.close();
    });

    it('refuses at once what has no room, says when there will be some, and answers all the rest', async () => {
      await start({ maxQueueMs: 20 });
      slow(5);
      caller.send(asked(400));
      const answers = (await caller.heard(400)).map(answerOf);
      expect(answers.map(({ sequenceId }) => sequenceId).sort((a, b) => a - b)).to.deep.equal(
        Array.from({ length: 400 }, (_, i) => i + 1),
      );
      const refused = codes(answers, OVERLOADED),
        answered = answers.filter(({ value }) => value !== undefined);
      expect(refused.length + answered.length).to.equal(400);
      expect(answered.length).to.be.at.least(64);
      expect(refused.length).to.be.at.least(1);
      for (const { error } of refused) {
        expect(error!.get(2)).to.match(
          /^model "slow" has more to do than it can: .* \(max_queue_ms\); try again in \d+ ms$/,
        );
        expect(error!.get(3)).to.equal(true);
        expect(error!.get(4)).to.be.within(1, 10_000);
      }
      expect(runs.reduce((a, b) => a + b)).to.equal(answered.length);
      expect(servable.queue).to.include({ rows: 0, calls: 0, bytes: 0, refused: refused.length });
      // And nothing of it stays.
      caller.frames.length = 0;
      caller.send(asked(1));
      expect(answerOf((await caller.reply())!).value).to.not.equal(undefined);
    });

    it('answers calls of another model between those that it refuses, on the same connection', async () => {
      await start({ maxQueueMs: 20 });
      await caller.send(call(protocol, 'predict', request(0, undefined, OTHER))).reply();
      slow(5);
      const calls = Array.from({ length: 400 }, (_, i) =>
        call(protocol, 'predict', request(i, undefined, i % 10 === 9 ? OTHER : MODEL), i + 1),
      );
      caller.send(Buffer.concat(calls));
      const answers = (await caller.heard(400)).map(answerOf),
        refused = codes(answers, OVERLOADED).map(({ sequenceId }) => sequenceId);
      expect(refused.length).to.be.at.least(20);
      expect(refused.filter((sequenceId) => sequenceId % 10 === 0)).to.deep.equal([]);
    });

    it('answers them also where the model stands behind the inputs', async () => {
      await start({ maxQueueMs: 20 });
      await caller.send(call(protocol, 'predict', request(0, undefined, OTHER))).reply();
      slow(5);
      const input = tensor({ name: 'x', dataType: 1, shape: [1, 1], data: Buffer.alloc(4) });
      const calls = Array.from({ length: 400 }, (_, i) => {
        const model = text(i % 10 === 9 ? OTHER : MODEL),
          fields = struct([1, struct([6, list(STRUCT, [input])], [2, model])]);
        return framed(Buffer.concat([header(protocol, 'predict', CALL, i + 1), encode(protocol, fields)]));
      });
      caller.send(Buffer.concat(calls));
      const answers = (await caller.heard(400)).map(answerOf),
        refused = codes(answers, OVERLOADED).map(({ sequenceId }) => sequenceId);
      expect(refused.length).to.be.at.least(20);
      expect(refused.filter((sequenceId) => sequenceId % 10 === 0)).to.deep.equal([]);
    });

    it('gives a refused call its own id back', async () => {
      await start({ maxQueueMs: 0 });
      slow(5);
      caller.send(asked(400, { request_id: 'mine' }));
      const refused = codes((await caller.heard(400)).map(answerOf), OVERLOADED);
      expect(refused.length).to.be.at.least(1);
      for (const { error } of refused) expect(error!.get(6)).to.equal('mine');
    });

    it('refuses or drops what would be too late, and runs nothing that is', async () => {
      await start();
      slow(20);
      caller.send(asked(200, { timeout_ms: 100 }));
      const answers = (await caller.heard(200)).map(answerOf);
      const late = codes(answers, DEADLINE_EXCEEDED),
        refused = codes(answers, OVERLOADED),
        answered = answers.filter(({ value }) => value !== undefined);
      expect(late.length + refused.length + answered.length).to.equal(200);
      expect(answered.length).to.be.at.least(1);
      expect(late.length + refused.length).to.be.at.least(1);
      expect(runs.reduce((a, b) => a + b)).to.equal(answered.length);
      for (const { error } of late)
        expect(error!.get(2)).to.match(/waited \d{3,} ms for its turn, its timeout_ms is 100/);
    });

    it('does not run the calls of a connection that has closed', async () => {
      await start();
      slow(8);
      const gone = await Caller.open(served);
      gone.send(asked(400));
      await gone.heard(1);
      gone.close();
      caller.send(asked(1));
      expect(answerOf((await caller.reply())!).value).to.not.equal(undefined);
      await until('the queue to be empty', () => servable.queue.calls === 0);
      expect(servable.tally.cancelled).to.be.at.least(1);
      expect(runs.reduce((a, b) => a + b) + servable.tally.cancelled).to.equal(401);
      expect(servable.users.any).to.equal(false);
    });

    it('answers what it has taken when it is told to stop', async () => {
      await start();
      slow(8);
      caller.send(asked(200));
      await caller.heard(1);
      const closed = served.close();
      const answers = (await caller.ended()).map(answerOf);
      await closed;
      expect(answers.filter(({ value }) => value !== undefined).length).to.equal(200);
      served.close = async () => {};
    });

    it('says of an answer that it was kept, with an id of its own and the same bytes', async () => {
      await start({ cache: 10 });
      const [first, again] = [
        await caller.send(asked(1, { request_id: 'a' })).reply(),
        await caller.send(asked(1, { request_id: 'b' })).reply(),
      ].map((frame) => {
        const { input } = openReply(frame!);
        input.readStructBegin();
        input.readFieldBegin();
        const response = new types.PredictResponse();
        (response as unknown as Writable)[Symbol.for('read')]!(input);
        return response;
      });
      // The first call of `start` asked the same.
      expect([first!.provenance!.cached, again!.provenance!.cached]).to.deep.equal([true, true]);
      expect(first!.provenance!.prediction_id).to.not.equal(again!.provenance!.prediction_id);
      expect(again!.outputs).to.deep.equal(first!.outputs);
      expect(servable.tally).to.include({ runs: 1, succeeded: 3 });
    });

    it('says so in typed answers, which share what is kept with generic ones', async () => {
      await place(world.store, 'parity', parityModel(), PARITY_IDL);
      await start({ cache: 10 });
      const ask = async (real: number) => {
        const number = (output: thrift.TProtocol) => {
          const { Type } = thrift.Thrift;
          output.writeStructBegin('arguments');
          output.writeFieldBegin('number', Type.STRUCT, 1);
          output.writeStructBegin('number');
          output.writeFieldBegin('real', Type.DOUBLE, 1);
          output.writeDouble(real);
          output.writeFieldEnd();
          output.writeFieldStop();
          output.writeStructEnd();
          output.writeFieldEnd();
          output.writeFieldStop();
          output.writeStructEnd();
        };
        const { value } = answerOf((await caller.send(framed(message(protocol, 'Parity:side', number))).reply())!);
        return [value!.get(1), (value!.get(15) as Fields).get(7)];
      };
      expect([await ask(2), await ask(2), await ask(-2), await ask(2)]).to.deep.equal([
        [11, undefined],
        [11, true],
        [-5, undefined],
        [11, true],
      ]);
      const data = Buffer.from(Float64Array.of(2).buffer);
      const tensor = new types.Tensor({ data_type: 2, shape: [new Int64(1), new Int64(1)], data } as never);
      const generic = new types.PredictRequest({ model: 'parity', inputs: [tensor] } as never);
      const { value } = answerOf((await caller.send(framed(message(protocol, 'predict', argument(generic)))).reply())!);
      expect((value!.get(1) as Fields).get(7)).to.equal(true);
    });
  });
