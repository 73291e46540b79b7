/** What callers may send to a typed method to have it compute with something else, take much memory, or keep it busy. */
import { expect } from 'chai';
import type { InputField } from '#parley/contract/contract.js';
import { ParleyError } from '#parley/errors.js';
import { RequestProblems } from '#parley/rpc/typed/problems.js';
import { DOUBLE, I64, LIST, Malformed, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { codecOf, decode, messageOf, read } from './codecs.js';
import { PROTOCOL_NAMES, type Value } from './wire-values.js';

const struct = (...fields: [number, Value][]): Value => ({ type: STRUCT, fields });
const double = (value: number): Value => ({ type: DOUBLE, value });

/** What the call is refused with. */
function refusal(call: () => unknown): ParleyError {
  try {
    call();
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the edges of a typed call', () => {
  for (const protocol of PROTOCOL_NAMES) {
    it(`are no infinity to a graph of float32, ${protocol}`, async () => {
      const codec = await codecOf(
        '1: optional double real, 2: optional double single, 3: optional list<double> several (shape = "2")',
        [
          ['real', 'float64'],
          ['single', 'float32'],
          ['several', 'float32', 2],
        ],
      );
      const rowOf = (single: number, second: number) =>
        struct(
          [1, double(1e300)],
          [2, double(single)],
          [3, { type: LIST, element: DOUBLE, values: [double(1), double(second)] }],
        );
      const most = 3.4028234663852886e38;
      expect(decode(codec, protocol, [rowOf(-most, most)])).to.deep.equal({
        real: [1e300],
        single: [-most],
        several: [1, most],
      });
      const { problems } = refusal(() => decode(codec, protocol, [rowOf(1e39, -1e39)]));
      expect(problems.map(({ path, message }) => `${path} ${message}`)).to.deep.equal([
        `rows[0].single must be between -${most} and ${most}, because the graph computes with float32`,
        `rows[0].several[1] must be between -${most} and ${most}, because the graph computes with float32`,
      ]);
    });

    it(`are not the other end of an int64, ${protocol}`, async () => {
      const codec = await codecOf('1: optional double real, 2: optional i64 whole', [
        ['real', 'float64'],
        ['whole', 'int64'],
      ]);
      const message = messageOf(protocol, [struct([1, double(1)], [2, { type: I64, value: 2 ** 62 }])]);
      const least = messageOf(protocol, [struct([1, double(1)], [2, { type: I64, value: -(2 ** 63) }])]);
      expect(read(codec, protocol, message).count).to.equal(1);
      expect(codec.plan!.reserve(1).columns[1]![0]).to.equal(2n ** 62n);
      read(codec, protocol, least);
      expect(codec.plan!.reserve(1).columns[1]![0]).to.equal(-(2n ** 63n));
      // As a varint, 2^64 - 2 where the least number is 2^64 - 1.
      const largest = Buffer.from(protocol === 'binary' ? message : least);
      if (protocol === 'binary') largest.writeBigInt64BE(2n ** 63n - 1n, largest.length - 10);
      else largest[largest.length - 12] = 0xfe;
      read(codec, protocol, largest);
      expect(codec.plan!.reserve(1).columns[1]![0]).to.equal(2n ** 63n - 1n);
    });
  }

  it('leave no room behind that a malformed call has made', async () => {
    const codec = await codecOf('1: optional double real, 2: optional list<double> many (shape = "1000")', [
      ['real', 'float64'],
      ['many', 'float64', 1000],
    ]);
    const message = messageOf(
      'binary',
      Array.from({ length: 20_000 }, () => struct()),
    );
    message.fill(0x63, 8);
    expect(() => read(codec, 'binary', message)).to.throw(Malformed);
    expect(codec.plan!.reserve(1).capacity).to.be.below(1000);
  });

  it('have a bound where rows are not batched', async () => {
    const codec = await codecOf(
      `1: optional double real (missing = "allowed")
       2: optional list<double> any (missing = "allowed")
       3: optional list<double> many (shape = "100000", missing = "allowed")`,
      [
        ['real', 'float64'],
        ['any', 'float64', -1],
        ['many', 'float64', 100_000],
      ],
    );
    const rows = (count: number) =>
      messageOf(
        'binary',
        Array.from({ length: count }, () => struct()),
      );
    expect(refusal(() => read(codec, 'binary', rows(400))).message).to.match(/send at most 335,/);
    expect(read(codec, 'binary', rows(3)).count).to.equal(3);
  });

  it('are told as far as anybody reads them, and put into words no further', () => {
    let words = 0;
    const labels = new (class extends Map<number, string> {
      override [Symbol.iterator](): MapIterator<[number, string]> {
        words++;
        return super[Symbol.iterator]();
      }
    })([[1, 'one']]);
    const problems = new RequestProblems('rows'),
      field = { name: 'size', sensitive: false } as InputField;
    for (let i = 0; i < 1000; i++) problems.enumValue(field, '', labels, 2);
    expect([words, problems.count]).to.deep.equal([100, 1000]);
    for (let i = 0; i < 1000; i++) problems.value(undefined as never, '', 3);
    expect(problems.error().message).to.match(/and at least 1999 more problems/);
  });

  it("give a call's picture files away once, and keep none of a call that is refused", async () => {
    const codec = await codecOf(
      '1: optional double real (max = "5"), 2: optional binary photo (encoding = "png", height = "2", width = "2")',
      [
        ['real', 'float64'],
        ['photo', 'uint8', 2, 2, 3],
      ],
    );
    const file = Buffer.from('89504e470d0a1a0a0000000d49484452000000020000000208020000004b6d29dc', 'hex');
    const rowOf = (real: number) => struct([1, double(real)], [2, { type: STRING, value: file }]);
    read(codec, 'binary', messageOf('binary', [rowOf(1), rowOf(2)]));
    expect(codec.takePictures().map(({ path }) => path)).to.deep.equal(['rows[0].photo', 'rows[1].photo']);
    expect(codec.takePictures()).to.deep.equal([]);
    refusal(() => read(codec, 'binary', messageOf('binary', [rowOf(1), rowOf(6)])));
    expect(codec.takePictures()).to.deep.equal([]);
  });

  it('do not tell which members of a sensitive union were sent', async () => {
    const types = 'union Contact { 1: double mail, 2: double phone }',
      inputs = [
        ['real', 'float64'],
        ['contact.mail', 'float64'],
        ['contact.phone', 'float64'],
      ] as const;
    const both = messageOf('binary', [struct([1, double(1)], [2, struct([1, double(2)], [2, double(3)])])]);
    const told = async (annotation: string) => {
      const codec = await codecOf(`1: optional double real, 2: optional Contact contact ${annotation}`, inputs, types);
      return refusal(() => read(codec, 'binary', both)).problems;
    };
    const problem = { path: 'rows[0].contact', message: 'must have only one of mail, phone' };
    expect(await told('')).to.deep.equal([{ ...problem, got: 'mail and phone' }]);
    expect(await told('(sensitive)')).to.deep.equal([problem]);
  });
});
