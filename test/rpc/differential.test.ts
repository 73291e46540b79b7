/** The hot codecs against code that the Thrift compiler made, and against the `thrift` package's protocols. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import Int64 from 'node-int64';
import thrift from 'thrift';
import types from '#gen/parley_types.js';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import {
  BOOL,
  BYTE,
  DOUBLE,
  EXCEPTION,
  I16,
  I32,
  I64,
  LIST,
  REPLY,
  STRING,
  STRUCT,
} from '#parley/rpc/wire/protocol.js';
import { skip } from '../skip.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller, framed } from './caller.js';
import { field, READ, rewritten, WRITE } from './generated-replies.js';
import { call, message, openReply, outcomeOf, type Writable } from './messages.js';
import { fillStore, PENGUINS_IDL, type Served, SHAPED, serve, TENSOR_TYPES, TENSORS } from './served.js';
import { encode, PROTOCOL_NAMES, packageRead, packageWrite, packageWriter, type Value } from './wire-values.js';

const SIZES = { rows: 4, width: 2 };

/** Tensors for all inputs of the model that repeats them. */
const tensors = fc.integer({ min: 1, max: SIZES.rows }).chain((rows) =>
  fc.tuple(
    ...TENSOR_TYPES.map((type) => {
      const shape = [new Int64(rows), new Int64(SIZES.width)],
        count = rows * SIZES.width;
      const common = { name: `${type}_in`, data_type: DATA_TYPES[type].number, shape };
      return type === 'string'
        ? fc
            .array(fc.string({ unit: 'grapheme' }), { minLength: count, maxLength: count })
            .map((strings) => new types.Tensor({ ...common, strings } as never))
        : bytesOf(type, count).map((data) => new types.Tensor({ ...common, data } as never));
    }),
  ),
);

/** Tensors of shapes of their own, empty ones too, for the model that repeats them one request at a time. */
const shapedTensors = fc.tuple(
  ...TENSOR_TYPES.map((type) =>
    fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })).chain(([rows, width]) => {
      const count = rows * width,
        shape = [new Int64(rows), new Int64(width)];
      const common = { name: `${type}_in`, data_type: DATA_TYPES[type].number, shape };
      return type === 'string'
        ? fc
            .array(fc.string({ unit: 'grapheme' }), { minLength: count, maxLength: count })
            .map((strings) => new types.Tensor({ ...common, strings } as never))
        : bytesOf(type, count).map((data) => new types.Tensor({ ...common, data } as never));
    }),
  ),
);

/** Some outputs, in any order; at least one. */
const someOutputs = fc.shuffledSubarray(
  TENSOR_TYPES.map((type) => `${type}_out`),
  { minLength: 1 },
);

function bytesOf(type: DataType, count: number): fc.Arbitrary<Buffer> {
  const size = count * DATA_TYPES[type].bytes,
    max = type === 'bool' ? 1 : 255;
  return fc.uint8Array({ minLength: size, maxLength: size, max }).map((bytes) => Buffer.from(bytes));
}

describe('the hot codecs', () => {
  const redis = sharedRedis();
  let world: World, served: Served, caller: Caller, penguinsVersion: string;
  before(async function () {
    this.timeout(60_000);
    world = new World(redis);
    penguinsVersion = await fillStore(world.store);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  after(async () => {
    caller?.close();
    await served?.close();
    await world?.close();
  });

  const ask = async (frame: Buffer): Promise<Buffer> => {
    const reply = await caller.send(frame).reply();
    expect(reply, 'a reply').to.not.equal(undefined);
    return reply as Buffer;
  };

  for (const protocol of PROTOCOL_NAMES) {
    for (const prefix of ['', 'Prediction:']) {
      const name = `${prefix}predict`;
      describe(`${name}, ${protocol}`, () => {
        const predict = (request: object, sequenceId?: number) =>
          ask(call(protocol, name, new types.PredictRequest(request as never), sequenceId));

        it('answers with the tensors that it was sent, written as generated code writes them', async () => {
          await fc.assert(
            fc.asyncProperty(tensors, fc.integer(), async (inputs, sequenceId) => {
              const reply = await predict({ model: TENSORS, inputs: [...inputs].reverse() }, sequenceId);
              const { header, struct } = field(reply, 0, types.PredictResponse);
              expect(header).to.deep.equal({ name: 'predict', type: REPLY, sequenceId });
              expect(rewritten(protocol, header, 0, struct)).to.equal(reply.toString('hex'));
              expect(struct.outputs!.map(({ name: each }) => each)).to.deep.equal(
                TENSOR_TYPES.map((type) => `${type}_out`),
              );
              struct.outputs!.forEach((output, i) => {
                const { data, strings, shape, data_type } = inputs[i] as types.Tensor;
                expect(output).to.deep.include({ data_type, shape });
                if (strings) expect(output.strings).to.deep.equal(strings);
                else expect(String(output.data)).to.equal(String(data));
              });
            }),
            { numRuns: 25 },
          );
        });

        for (const [model, inputsOf] of [
          [TENSORS, tensors],
          [SHAPED, shapedTensors],
        ] as const) {
          it(`answers with the outputs of "${model}" that are asked for, whatever their order and shapes`, async () => {
            await fc.assert(
              fc.asyncProperty(inputsOf, someOutputs, fc.option(fc.integer()), async (inputs, outputs, sequenceId) => {
                const reply = await predict({ model, inputs, outputs }, sequenceId ?? undefined);
                const { header, struct } = field(reply, 0, types.PredictResponse);
                expect(rewritten(protocol, header, 0, struct)).to.equal(reply.toString('hex'));
                expect(struct.outputs!.map(({ name: each }) => each)).to.deep.equal(outputs);
                for (const output of struct.outputs!) {
                  const named = String(output.name).replace('_out', '_in');
                  const input = (inputs as types.Tensor[]).find((each) => String(each.name) === named)!;
                  expect(output).to.deep.include({ data_type: input.data_type, shape: input.shape });
                  if (input.strings) expect(output.strings ?? []).to.deep.equal(input.strings);
                  else expect(String(output.data)).to.equal(String(input.data));
                }
              }),
              { numRuns: 25 },
            );
          });
        }

        it('says which version answered, and by which alias', async () => {
          const inputs = fc.sample(tensors, { numRuns: 1, seed: 1 })[0] as types.Tensor[];
          const { struct: byDefault } = field(await predict({ model: TENSORS, inputs }), 0, types.PredictResponse);
          const { version } = byDefault.provenance!;
          expect(byDefault.provenance).to.deep.include({ model: TENSORS, alias_name: 'production' });
          const named = { model: TENSORS, reference: version!.slice(0, 9), inputs };
          const { struct } = field(await predict(named), 0, types.PredictResponse);
          expect(struct.provenance).to.deep.include({ model: TENSORS, version, alias_name: null });
          expect(struct.provenance!.prediction_id).to.match(/^[0-9a-z]{20}$/);
        });

        it('answers with the outputs that are asked for, in the order asked', async () => {
          const inputs = fc.sample(tensors, { numRuns: 1, seed: 2 })[0] as types.Tensor[];
          const outputs = ['string_out', 'bool_out'];
          const { struct } = field(await predict({ model: TENSORS, inputs, outputs }), 0, types.PredictResponse);
          expect(struct.outputs!.map(({ name: each }) => each)).to.deep.equal(outputs);
        });

        it('writes an error as generated code writes it', async () => {
          const context = new types.RequestContext({ request_id: 'abc-1' } as never);
          const reply = await predict({ context, model: TENSORS, inputs: [new types.Tensor({ name: 'x' } as never)] });
          const { header, struct } = field(reply, 1, types.ParleyError);
          expect(rewritten(protocol, header, 1, struct)).to.equal(reply.toString('hex'));
          expect(struct).to.deep.include({
            code: types.ErrorCode.INVALID_INPUT,
            request_id: 'abc-1',
            retryable: false,
          });
          expect(struct.problems![0]).to.deep.include({ path: 'inputs[0].name', got: 'x' });
        });

        it('names the request in the error of a version that has to be looked for', async () => {
          const context = new types.RequestContext({ request_id: 'abc-2' } as never);
          const inputs = [new types.Tensor({ name: 'x' } as never)];
          const reply = await predict({ context, model: TENSORS, reference: 'nowhere', inputs });
          const { struct } = field(reply, 1, types.ParleyError);
          expect(struct).to.deep.include({ code: types.ErrorCode.NOT_FOUND, request_id: 'abc-2' });
        });

        it('passes over fields that it does not know', async () => {
          const [inputs] = fc.sample(tensors, { numRuns: 1, seed: 3 }) as [types.Tensor[]];
          const unknown: Value = {
            type: STRUCT,
            fields: [[1, { type: LIST, element: BOOL, values: [{ type: BOOL, value: true }] }]],
          };
          const frame = message(protocol, name, (output) => {
            output.writeStructBegin('arguments');
            output.writeFieldBegin('later', STRUCT, 900);
            packageWrite(output, unknown);
            output.writeFieldBegin('request', STRUCT, 1);
            (new types.PredictRequest({ model: TENSORS, inputs } as never) as unknown as Writable)[WRITE](output);
            output.writeFieldBegin('later', BOOL, 901);
            output.writeBool(true);
            output.writeFieldStop();
            output.writeStructEnd();
          });
          expect(outcomeOf(await ask(framed(frame))).kind).to.equal('answer');
        });
      });
    }

    describe(`a contract's methods, ${protocol}`, () => {
      /** A call whose arguments are given as fields; the result's one field as a value. */
      const ask1 = async (name: string, ...fields: [number, Value][]): Promise<{ id: number; value: Value }> => {
        const body = encode(protocol, { type: STRUCT, fields });
        const { output, bytes } = packageWriter(protocol);
        output.writeMessageBegin(name, 1, 3);
        const { header, input } = openReply(await ask(framed(Buffer.concat([bytes(), body]))));
        expect(header).to.deep.equal({ name: name.split(':').pop(), type: REPLY, sequenceId: 3 });
        const { fields: found } = packageRead(input, STRUCT) as Extract<Value, { type: typeof STRUCT }>;
        expect(found).to.have.length(1);
        return { id: found[0][0], value: found[0][1] };
      };

      const scalars = fc.record({
        flag: fc.boolean(),
        tiny: fc.integer({ min: -128, max: 127 }),
        short: fc.integer({ min: -1000, max: 1000 }),
        number: fc.integer(),
        long: fc.integer({ min: -1e12, max: 1e12 }),
        real: fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })),
        text: fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
        size: fc.constantFrom(1, 7),
      });
      type Row = typeof scalars extends fc.Arbitrary<infer T> ? T : never;
      const rowOf = (row: Row): Value => ({
        type: STRUCT,
        fields: [
          [300, { type: I32, value: row.size }],
          [1, { type: BOOL, value: row.flag }],
          [2, { type: BYTE, value: row.tiny }],
          [5, { type: I64, value: row.long }],
          [40, { type: I16, value: row.short }],
          [4, { type: I32, value: row.number }],
          ...(row.real === null ? [] : ([[6, { type: DOUBLE, value: row.real }]] as const)),
          ...(row.text === null ? [] : ([[7, { type: STRING, value: row.text }]] as const)),
          [9, { type: STRING, value: 'a key' }],
        ],
      });
      /** In the graph's order of addition. */
      const sumOf = ({ flag, tiny, short, number, long, real }: Row): Value => ({
        type: STRUCT,
        fields: [[3, { type: DOUBLE, value: Number(flag) + tiny + short + number + long + (real ?? Number.NaN) }]],
      });

      for (const prefix of ['Scales:', '']) {
        it(`take every scalar type in any order of fields, as ${prefix || 'a plain name of another service than the default'}`, async () => {
          if (prefix === '') {
            const frame = framed(
              message(protocol, 'add', (output) => packageWrite(output, { type: STRUCT, fields: [] })),
            );
            expect(outcomeOf(await ask(frame)))
              .to.include({ kind: 'exception', code: 1 })
              .and.have.property('message')
              .that.includes('"Scales:add"');
            return;
          }
          await fc.assert(
            fc.asyncProperty(fc.array(scalars, { minLength: 1, maxLength: 20 }), async (rows) => {
              expect(await ask1('Scales:add', [7, rowOf(rows[0])])).to.deep.equal({ id: 0, value: sumOf(rows[0]) });
              expect(
                await ask1('Scales:add_many', [1, { type: LIST, element: STRUCT, values: rows.map(rowOf) }]),
              ).to.deep.equal({ id: 0, value: { type: LIST, element: STRUCT, values: rows.map(sumOf) } });
            }),
            { numRuns: 40 },
          );
        });
      }

      it('answer a label that is a number as that number', async () => {
        const side = async (real: number) => {
          const { value } = await ask1('Parity:side', [
            1,
            { type: STRUCT, fields: [[1, { type: DOUBLE, value: real }]] },
          ]);
          return (value as Extract<Value, { type: typeof STRUCT }>).fields[0];
        };
        expect(await side(3)).to.deep.equal([1, { type: I16, value: 11 }]);
        expect(await side(-3)).to.deep.equal([1, { type: I16, value: -5 }]);
      });

      it('without a declared error tell it as a TApplicationException', async () => {
        const frame = message(protocol, 'Scales:add_many', (output) =>
          packageWrite(output, { type: STRUCT, fields: [[1, { type: LIST, element: STRUCT, values: [] }]] }),
        );
        const { header, input } = openReply(await ask(framed(frame)));
        expect(header).to.deep.equal({ name: 'add_many', type: EXCEPTION, sequenceId: 7 });
        const exception = new thrift.Thrift.TApplicationException();
        (exception as unknown as Writable)[READ](input);
        expect(exception).to.include({ type: 6 });
        expect(exception.message).to.match(/^INVALID_INPUT: rows/);
      });
    });
  }

  describe('with the stubs of the Thrift compiler', () => {
    // biome-ignore lint/suspicious/noExplicitAny: made while the test runs
    let stubs: Record<'Penguins' | 'penguins_types', any>;
    before(function () {
      const folder = 'dist-test/rpc/stubs';
      mkdirSync(folder, { recursive: true });
      const made = spawnSync('thrift', ['-r', '--gen', 'js:node,es6', '-I', 'idl', '-out', folder, PENGUINS_IDL]);
      if (made.status !== 0) skip(this, 'no Thrift compiler on PATH');
      writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
      const require = createRequire(join(process.cwd(), folder, 'x.js'));
      stubs = { Penguins: require('./Penguins.js'), penguins_types: require('./penguins_types.js') };
    });

    const ADELIE = {
      bill_length_mm: 39.1,
      bill_depth_mm: 18.7,
      flipper_length_mm: 181,
      body_mass_g: 3750,
      island: 'Torgersen',
      sex: 'MALE',
    };
    const GENTOO = {
      bill_length_mm: 50,
      bill_depth_mm: 15.2,
      flipper_length_mm: 218,
      body_mass_g: 5700,
      island: 'Biscoe',
    };

    for (const protocol of PROTOCOL_NAMES) {
      for (const prefix of ['', 'Penguins:']) {
        /** A call through the stub's client, with its frames passed by hand. */
        const through = async (method: 'identify' | 'identify_many', ...parameters: unknown[]) => {
          const frames: Buffer[] = [];
          const Framed = thrift.TFramedTransport as unknown as new (...parts: unknown[]) => thrift.TTransport;
          const Protocol = protocol === 'binary' ? thrift.TBinaryProtocol : thrift.TCompactProtocol;
          class Named extends (Protocol as unknown as new (transport: unknown) => thrift.TProtocol) {
            override writeMessageBegin(name: string, type: number, sequenceId: number) {
              super.writeMessageBegin(prefix + name, type, sequenceId);
            }
          }
          const client = new stubs.Penguins.Client(new Framed(undefined, (frame: Buffer) => frames.push(frame)), Named);
          const answer = client[method](...parameters);
          const input = new Protocol(new Framed(await ask(frames[0])));
          const { mtype, rseqid } = input.readMessageBegin();
          client[`recv_${method}`](input, mtype, rseqid);
          return answer;
        };

        it(`identifies penguins as ${prefix}identify and ${prefix}identify_many, ${protocol}`, async () => {
          const { Penguin } = stubs.penguins_types;
          const one = await through(
            'identify',
            new Penguin(ADELIE),
            new types.RequestContext({ timeout_ms: 5000 } as never),
          );
          expect(one.species).to.equal(1);
          expect(one.provenance).to.include({ model: 'penguins', version: penguinsVersion, alias_name: 'production' });
          const sum = [1, 2, 3].reduce((total, key) => total + one.probability[key], 0);
          expect(sum).to.be.closeTo(1, 1e-5);
          expect(one.confidence).to.equal(one.probability[1]);
          const many = await through('identify_many', [new Penguin(GENTOO), new Penguin(ADELIE)]);
          expect(many.map(({ species }: { species: number }) => species)).to.deep.equal([3, 1]);
          expect(many[1].probability).to.deep.equal(one.probability);
        });

        it(`raises ParleyError from ${prefix}identify, ${protocol}`, async () => {
          const { Penguin } = stubs.penguins_types;
          const context = new types.RequestContext({ request_id: 'r' } as never);
          const error = await through('identify', new Penguin({ ...ADELIE, island: 'Elba' }), context).catch(
            (raised: unknown) => raised,
          );
          expect(error).to.be.instanceOf(Error);
          expect(error).to.deep.include({ code: types.ErrorCode.INVALID_INPUT, retryable: false, request_id: 'r' });
          expect(error.problems[0]).to.include({ path: 'penguin.island', got: 'Elba' });
        });
      }
    }
  });
});
