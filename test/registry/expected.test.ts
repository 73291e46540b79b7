import { expect } from 'chai';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { ParleyError } from '#parley/errors.js';
import { allocate, DATA_TYPES, type DataType, type Tensor } from '#parley/model/tensor.js';
import type { Expected } from '#parley/model/trained.js';
import { decodeExpected, encodeExpected } from '#parley/registry/expected.js';

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/);
const types = Object.keys(DATA_TYPES) as DataType[];

function tensor(rows: number): fc.Arbitrary<Tensor> {
  return fc
    .tuple(
      fc.constantFrom(...types),
      fc.integer({ min: 1, max: 3 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 100 })),
    )
    .map(([dataType, width, values]) => {
      const data = allocate(dataType, rows * width) as (number | bigint | string)[];
      for (let i = 0; i < data.length; i++) {
        const value = values.next().value as number;
        data[i] = dataType === 'string' ? `é${value}` : dataType.includes('int64') ? BigInt(value) : value % 2;
      }
      return { dataType, shape: [rows, width], data: data as never };
    });
}

const expectedValues: fc.Arbitrary<Expected> = fc.integer({ min: 1, max: 8 }).chain((rows) =>
  fc.record({
    rows: fc.uniqueArray(fc.tuple(name, fc.boolean()), { selector: ([each]) => each, maxLength: 5 }).chain((specs) =>
      fc
        .tuple(
          ...specs.map(([, isText]) =>
            isText
              ? fc.array(fc.string(), { minLength: rows, maxLength: rows })
              : fc.array(fc.double(), { minLength: rows, maxLength: rows }).map((all) => Float64Array.from(all)),
          ),
        )
        .map((columns) => ({
          specs: specs.map(([each, isText]) => ({
            name: each,
            kind: isText ? ('string' as const) : ('number' as const),
          })),
          rows,
          columns,
        })),
    ),
    outputs: fc.dictionary(name, tensor(rows), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  }),
);

function refusal(bytes: Uint8Array): string {
  try {
    decodeExpected(bytes);
  } catch (error) {
    expect(error).to.be.instanceOf(ParleyError).with.property('code', 'INVALID_INPUT');
    return (error as ParleyError).message;
  }
  throw new Error('the bytes were taken');
}

describe('expected answers', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(expectedValues, (expected) => {
        expect(decodeExpected(encodeExpected(expected))).to.deep.equal(expected);
      }),
    );
  });

  it('are refused or read, whatever the bytes', () => {
    const whole = encodeExpected({
      rows: { specs: [{ name: 'a', kind: 'number' }], rows: 2, columns: [Float64Array.of(1, 2)] },
      outputs: { y: { dataType: 'float32', shape: [2], data: Float32Array.of(3, 4) } },
    });
    for (let length = 0; length < whole.length; length++) refusal(whole.subarray(0, length));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        refusal(bytes);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const bytes = whole.slice();
        bytes[at] = byte;
        try {
          decodeExpected(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(ParleyError).with.property('code', 'INVALID_INPUT');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('must have as many values as rows and shape say, of their type', () => {
    const pack = (rows: unknown, inputs: unknown, outputs: unknown) =>
      new Packr({ useRecords: false }).pack({ rows, inputs, outputs });
    const y = { data_type: 'float32', shape: [1], values: Buffer.alloc(4) };
    const wrong = {
      'rows that are missing': pack(0, {}, { y: { ...y, shape: [0], values: Buffer.alloc(0) } }),
      'no outputs': pack(1, {}, {}),
      'a short column': pack(1, { a: { kind: 'number', values: Buffer.alloc(7) } }, { y }),
      'text for numbers': pack(1, { a: { kind: 'number', values: ['1'] } }, { y }),
      'bytes for text': pack(1, { a: { kind: 'string', values: Buffer.alloc(8) } }, { y }),
      'a type that is none': pack(1, {}, { y: { ...y, data_type: 'float128' } }),
      'a huge shape': pack(1, {}, { y: { ...y, shape: [2 ** 31, 2 ** 21] } }),
      'a negative extent': pack(1, {}, { y: { ...y, shape: [-1, -1] } }),
    };
    for (const [what, bytes] of Object.entries(wrong)) expect(() => refusal(bytes), what).to.not.throw();
    expect(() => decodeExpected(pack(1, {}, { y }))).to.not.throw();
  });
});
