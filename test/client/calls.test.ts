/** `parley/client` against a real server: what goes in and comes out, by the contract and by stubs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import operations from '#gen/Operations.js';
import registry from '#gen/Registry.js';
import { type ContractCall, connect, type Parley, type StubClient } from '#parley/client/index.js';
import { KINDS_IDL, PARITY_IDL, placeSmall, SCALARS_IDL, type Served, serve, TENSORS } from '../rpc/served.js';
import { sharedRedis, temporaryFolder } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { StubFolder } from './world.js';

const KINDS = {
  flag: true,
  tiny: 1,
  short_number: 2,
  number: 3,
  long_number: 4,
  real: 5,
  text: 'a',
  word: 'red',
  size: 'small',
  key: 'k',
};
/** 1 / (1 + 2^-n) of the sum of its numbers, 2.5 of its default among them. */
const GOOD = 1 / (1 + 2 ** -18.5);

interface Judges {
  readonly judges: { readonly judge: ContractCall; readonly judge_many: ContractCall };
}

describe('the client', function () {
  this.timeout(30_000);
  const redis = sharedRedis();
  let world: World, served: Served, address: string;
  const open: { close(): void }[] = [];
  const kept = <T extends { close(): void }>(client: T): T => {
    open.push(client);
    return client;
  };

  before(async () => {
    world = new World(redis);
    await placeSmall(world.store);
    served = await serve(world.another());
    address = `${served.host}:${served.port}`;
  });
  after(async () => {
    await served.close();
    await world.close();
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });

  describe('typed from the contract alone', () => {
    const connected = async () => kept(await connect<Judges>(address, { contract: { idl: KINDS_IDL } }));

    it('answers a row with labels, and says which model answered', async () => {
      const { judges } = await connected();
      const answer = await judges.judge(KINDS);
      expect(answer).to.deep.include({ verdict: 'good' });
      expect(answer.sure).to.be.closeTo(GOOD, 1e-6);
      expect(answer.shares).to.have.all.keys('good', 'bad');
      expect(answer.provenance).to.deep.include({ model: 'kinds', alias_name: 'production' });
    });

    it('answers many rows in their order', async () => {
      const { judges } = await connected();
      const answers = await judges.judge_many([KINDS, { ...KINDS, real: -10, number: -7, tiny: -5 }, KINDS]);
      expect(answers.map(({ verdict }) => verdict)).to.deep.equal(['good', 'bad', 'good']);
    });

    it('reads the contract from a file, and its includes', async () => {
      const folder = temporaryFolder(),
        file = join(folder, 'kinds.thrift');
      const [sizes] = /enum Size .*\n/.exec(KINDS_IDL)!;
      writeFileSync(join(folder, 'sizes.thrift'), `namespace js sizes\n${sizes}`);
      writeFileSync(
        file,
        KINDS_IDL.replace(sizes, '')
          .replace('include "parley.thrift"', 'include "parley.thrift"\ninclude "sizes.thrift"')
          .replace('optional Size size', 'optional sizes.Size size'),
      );
      const { judges } = kept(await connect<Judges>(address, { contract: file }));
      expect(await judges.judge(KINDS)).to.deep.include({ verdict: 'good' });
    });

    it('says where a contract that is not there was named', async () => {
      const { code, message } = await failure(connect(address, { contract: 'nowhere.thrift' }));
      expect([code, message]).to.deep.equal([
        'NOT_FOUND',
        'option contract: no file "nowhere.thrift"; expected a Thrift file. Make it, or correct the name',
      ]);
    });

    it('refuses a row where rows are taken, a list where one is, and what is no row', async () => {
      const { judges } = await connected();
      for (const [call, input, message] of [
        [judges.judge, [KINDS], /judges\.judge takes one row, an object of its fields, and was given a list/],
        [judges.judge_many, KINDS, /judges\.judge_many takes a list of rows, and was given object/],
        [judges.judge_many, [KINDS, null], /judges\.judge_many: row 1 is null/],
        [judges.judge, { ...KINDS, reall: 1 }, /kinds\.reall: there is no such field/],
      ] as const) {
        const error = await failure(call(input as never));
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.match(message);
      }
    });

    it('reaches services by their names too, and says which there are', async () => {
      const client = kept(await connect(address, { contract: { idl: KINDS_IDL } }));
      expect(Object.keys(client)).to.include.members(['judges', 'words']);
      expect(await client.service('Words').word!(KINDS)).to.deep.include({ verdict: 'good' });
      expect(() => client.service('Penguins')).to.throw(
        'there is no service "Penguins"; the contract has judges, words',
      );
    });

    it('gets every problem of a row in one typed error with the id of the call', async () => {
      const { judges } = await connected();
      const error = await failure(
        judges.judge_many([KINDS, { ...KINDS, tiny: 9, word: 'blue' }], { requestId: 'mine' }),
      );
      expect(error).to.include({ code: 'INVALID_INPUT', retryable: false, requestId: 'mine' });
      expect(error.problems.map(({ path }) => path)).to.deep.equal(['rows[1].tiny', 'rows[1].word']);
    });
  });

  describe('typed from stubs', () => {
    /** As the compiler writes its types. */
    interface JudgesClient {
      judge(kinds: object, context: { request_id?: string; auth_token?: string }): Promise<Record<string, unknown>>;
      judge(kinds: object, context: object, callback: () => void): void;
      judge_many(rows: object[], context: { request_id?: string; auth_token?: string }): Promise<{ verdict: number }[]>;
      judge_many(rows: object[], context: object, callback: () => void): void;
    }
    interface ScalesClient {
      add(scalars: object, context: { request_id?: string; auth_token?: string }): Promise<{ sum: number }>;
      add(scalars: object, context: object, callback: () => void): void;
      add_many(rows: object[]): Promise<{ sum: number }[]>;
      add_many(rows: object[], callback: () => void): void;
    }
    let kinds: StubFolder, scalars: StubFolder, heirs: StubFolder;
    before(function () {
      kinds = new StubFolder(this, 'kinds', KINDS_IDL);
      scalars = new StubFolder(this, 'scalars', SCALARS_IDL);
      heirs = new StubFolder(
        this,
        'heirs',
        PARITY_IDL.replace('service Parity', 'service Base').concat('service Parity extends Base {}\n'),
      );
    });
    after(() => {
      for (const folder of [kinds, scalars, heirs]) folder?.remove();
    });

    it('answers by the methods of the class, plain objects or its own', async () => {
      const client: StubClient<JudgesClient> = kept(await connect(address, kinds.load<JudgesClient>('Judges')));
      const row = { ...KINDS, size: 1 };
      const answer = await client.judge(row);
      expect(answer).to.have.property('verdict', 9);
      expect(answer).to.be.instanceOf(kinds.require('kinds_types').Judged);
      const answers = await client.judge_many([row, { ...row, real: -10, number: -7, tiny: -5 }]);
      expect(answers.map(({ verdict }) => verdict)).to.deep.equal([9, 3]);
    });

    it('gets refusals as ParleyErrors, and sends id and options in the context', async () => {
      const client = kept(await connect(address, kinds.load<JudgesClient>('Judges')));
      const error = await failure(client.judge({ ...KINDS, size: 1, tiny: 9 }, { requestId: 'mine' }));
      expect(error).to.include({ code: 'INVALID_INPUT', requestId: 'mine' });
      expect(error.problems).to.deep.equal([{ path: 'kinds.tiny', message: 'must be between -5 and 5', got: '9' }]);
      const late = await failure(client.judge({ ...KINDS, size: 1 }, { timeoutMs: 0 }));
      expect(late.message).to.equal('option timeoutMs is 0; it must be a number of 1 or more, and below 2^31');
      const many = await failure((client.judge as (...given: unknown[]) => Promise<unknown>)({}, {}, 1));
      expect(many.message).to.equal('judge takes 1 arguments and options, and was given 3');
    });

    it('calls methods without a context', async () => {
      const client = kept(await connect(address, scalars.load<ScalesClient>('Scales')));
      const row = { flag: true, tiny: 1, short_number: 2, number: 3, long_number: 4, real: 5, size: 1, text: '' };
      expect(await client.add(row)).to.have.property('sum', 16);
      expect((await client.add_many([row, row])).map(({ sum }) => sum)).to.deep.equal([16, 16]);
    });

    it('takes the name of a service that has no method of its own', async () => {
      interface Parity {
        side(number: object): Promise<{ side: number }>;
        side(number: object, callback: () => void): void;
      }
      const client = kept(await connect(address));
      const parity = client.of<Parity>(heirs.load('Parity'), 'Parity');
      expect(await parity.side({ real: 3 })).to.have.property('side', 11);
      // Under the name of the class that has the method it is no service.
      expect(await failure(client.of<Parity>(heirs.load('Base')).side({ real: 3 }))).to.have.property(
        'code',
        'UNSUPPORTED',
      );
    });

    it('refuses what is no stubs', async () => {
      const client = kept(await connect(address));
      for (const wrong of [{}, class Nothing {}, 'Penguins', null])
        expect(() => client.of(wrong as never), String(wrong)).to.throw(/stubs/);
    });
  });

  describe('for the generic services', () => {
    const connected = async (): Promise<Parley> => kept(await connect(address));

    it('pings and describes', async () => {
      const client = await connected();
      const { services, ...said } = await client.ping();
      expect(said).to.deep.equal({ serverVersion: 'test', ready: true, storeConnected: true });
      expect(services).to.include.members(['Prediction', 'Judges', 'Words', 'Scales', 'Parity']);
      const described = await client.describe('parity');
      expect(described).to.deep.include({
        model: 'parity',
        contractService: 'Parity',
        modelType: 'tabular-classifier',
      });
      expect(described.inputs).to.deep.equal([{ name: 'real', dataType: 'float64', shape: [-1, 1] }]);
    });

    it('predicts typed arrays of every type', async () => {
      const client = await connected();
      const { inputs } = await client.describe(TENSORS);
      const made = {
        float32: Float32Array.of(1.5, -2, 3, 4),
        float64: Float64Array.of(Number.MIN_VALUE, -2, 3, 4),
        int8: Int8Array.of(-128, 127, 3, 4),
        int16: Int16Array.of(-32768, 2, 3, 4),
        int32: Int32Array.of(-(2 ** 31), 2, 3, 4),
        int64: BigInt64Array.of(-(2n ** 63n), 2n, 3n, 4n),
        uint8: Uint8Array.of(255, 2, 3, 4),
        uint16: Uint16Array.of(65535, 2, 3, 4),
        uint32: Uint32Array.of(2 ** 32 - 1, 2, 3, 4),
        uint64: BigUint64Array.of(2n ** 64n - 1n, 2n, 3n, 4n),
        bool: Uint8Array.of(1, 0, 0, 1),
        float16: Uint16Array.of(0x3c00, 2, 3, 4),
        string: ['a', '', 'ü', 'd'],
      };
      expect(inputs.map(({ dataType }) => dataType)).to.have.members(Object.keys(made));
      const { outputs, provenance } = await client.predict({
        model: TENSORS,
        inputs: Object.fromEntries(
          Object.entries(made).map(([dataType, data]) => [
            `${dataType}_in`,
            { data, shape: [2, 2], ...(/bool|float16/.test(dataType) && { dataType: dataType as 'bool' }) },
          ]),
        ),
      });
      expect(provenance).to.include({ model: TENSORS, alias_name: 'production' });
      for (const [dataType, data] of Object.entries(made))
        expect(outputs[`${dataType}_out`], dataType).to.deep.equal({ dataType, shape: [2, 2], data });
    });

    it('refuses tensors that cannot be, before they are sent', async () => {
      const client = await connected();
      const refused = async (tensor: object) =>
        (await failure(client.predict({ model: 'parity', inputs: { real: tensor as never } }))).message;
      expect(await refused({ data: Float64Array.of(1, 2), shape: [3] })).to.equal(
        'inputs.real: shape [3] has 3 elements, and data has 2',
      );
      expect(await refused({ data: Float64Array.of(1) })).to.include('there is no shape');
      expect(await refused({ data: 5, shape: [] })).to.include('data must be a typed array');
      expect(await refused({ data: Float64Array.of(1), shape: [1], dataType: 'int8' })).to.include('cannot hold int8');
      expect((await failure(client.predict({ model: 'parity', inputs: {} }))).message).to.include(
        'there are no inputs',
      );
    });

    it('hands labels through, and what the server says of them', async () => {
      const client = await connected();
      const error = await failure(client.recordLabels('parity', [{ predictionId: 'x', value: '11' }]));
      expect(error.code).to.equal('UNSUPPORTED');
    });

    it('calls any service by its stubs, whose context is completed', async () => {
      const client = await connected();
      const { versions } = await client.of(registry).list_versions({ model: 'parity' } as never);
      expect(versions).to.have.lengthOf(1);
      const error = await failure(
        client.of(operations).contract({ service_name: 'Nobody' } as never, { requestId: 'mine' }),
      );
      expect(error).to.include({ code: 'NOT_FOUND', requestId: 'mine' });
    });
  });

  describe('told something wrong', () => {
    for (const [options, message] of [
      [{ timeoutMs: 0 }, /option timeoutMs is 0/],
      [{ connections: 0 }, /option connections is 0/],
      [{ connectTimeoutMs: Number.NaN }, /option connectTimeoutMs is NaN/],
      [{ retries: { most: -1 } }, /option retries\.most is -1/],
      [{ tls: { cert: 'x' } }, /needs its key/],
      [{ negotiate: true }, /nothing to ask about; name the contract too/],
    ] as const)
      it(`says so: ${message.source}`, async () => {
        const error = await failure(connect(address, options));
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.match(message);
      });

    it('says which addresses there can be, and that nothing listens there', async () => {
      expect((await failure(connect('somewhere'))).message).to.include('write HOST:PORT');
      const { code, message } = await failure(connect('127.0.0.1:1'));
      expect(code).to.equal('STORE_UNAVAILABLE');
      expect(message).to.include(
        'nothing listens there; start one with "parley serve", or connect to another HOST:PORT',
      );
    });
  });
});
