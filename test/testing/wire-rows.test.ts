import { expect } from 'chai';
import { parseContract } from '#parley/contract/parse.js';
import { answersFrom } from '#parley/testing/plain-answers.js';
import { plainRows } from '#parley/testing/wire-rows.js';

const { request, response } = parseContract({
  file: 'a.thrift',
  idl: `enum K { UNSPECIFIED = 0, X = 1 (label = "x"), Y = 2 (label = "y", positive = "true") }
    struct Bill { 1: optional double length  2: optional double depth (missing = "allowed") }
    struct A {
      1: optional Bill bill
      2: optional bool tagged (missing = "allowed")
      3: optional list<double> scan
      4: optional map<K, double> shares (missing = "allowed")
      5: optional binary raw (data_type = "float32")
    }
    struct B { 1: optional K kind (role = "label")  2: optional map<K, double> likely (role = "probability") }
    service C { B ask(1: A a) } (model = "c")`,
}).services[0].methods[0];

describe('fixtures on the wire', () => {
  it('are plain values, structs within structs, without what is missing', () => {
    const specs = request.fields.map(({ name, type, tensor }) => ({
      name,
      kind: type === 'string' || tensor !== undefined ? ('string' as const) : ('number' as const),
    }));
    expect(specs.map(({ name }) => name)).to.deep.equal([
      'bill.length',
      'bill.depth',
      'tagged',
      'scan',
      'shares',
      'raw',
    ]);
    const columns = [
      Float64Array.of(1, 2),
      Float64Array.of(3, Number.NaN),
      Float64Array.of(1, Number.NaN),
      ['[1,2]', '[]'],
      ['{"y":0.5}', ''],
      ['AAAAAA==', 'AAAAAA=='],
    ];
    expect(plainRows({ specs, rows: 2, columns }, request)).to.deep.equal([
      { bill: { length: 1, depth: 3 }, tagged: true, scan: [1, 2], shares: { y: 0.5 }, raw: 'AAAAAA==' },
      { bill: { length: 2 }, scan: [], raw: 'AAAAAA==' },
    ]);
  });

  it('are answered by labels and probabilities, in the contract’s order', () => {
    const told = [
      { kind: 'y', likely: { y: 0.75, x: 0.25 } },
      { kind: 'x', likely: { x: 1 } },
    ];
    expect(answersFrom(told, response, ['y', 'y'])).to.deep.include({
      classNames: ['x', 'y'],
      truth: [1, 1],
      predicted: [1, 0],
      positive: 1,
      probabilities: Float64Array.of(0.25, 0.75, 1, Number.NaN),
      baseline: [1, 1],
    });
  });
});
