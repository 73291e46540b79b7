import { expect } from 'chai';
import { bindService } from '#parley/contract/bind.js';
import { parseContract } from '#parley/contract/parse.js';
import type { ColumnBatch } from '#parley/model/row.js';
import type { Signature } from '#parley/model/tensor.js';
import { feedsOf } from '#parley/registry/feeds.js';
import { idlOf } from '../serving/models.js';
import { errorOf } from '../unit/contract/penguins.js';

const rows: ColumnBatch = {
  specs: [
    { name: 'b', kind: 'number' },
    { name: 'a', kind: 'number' },
    { name: 'place', kind: 'string' },
  ],
  rows: 2,
  columns: [Float64Array.of(10, 20), Float64Array.of(1, 2), ['x', 'y']],
};
const signature = (...inputs: Signature['inputs']): Signature => ({ inputs, outputs: [] });

describe('what a graph is fed', () => {
  it('is the column of its input’s name, in the input’s type', () => {
    const fed = feedsOf(
      rows,
      signature(
        { name: 'a', dataType: 'int64', shape: [-1, 1] },
        { name: 'place', dataType: 'string', shape: [-1] },
        { name: 'b', dataType: 'float32', shape: [-1, 1] },
      ),
      undefined,
    );
    expect(fed).to.deep.equal({
      a: { dataType: 'int64', shape: [2, 1], data: BigInt64Array.of(1n, 2n) },
      place: { dataType: 'string', shape: [2], data: ['x', 'y'] },
      b: { dataType: 'float32', shape: [2, 1], data: Float32Array.of(10, 20) },
    });
  });

  it('is a matrix in the contract’s order where the graph takes one', () => {
    const matrix = signature({ name: 'x', dataType: 'float32', shape: [-1, 2] });
    const contract = parseContract({ file: 'scores.thrift', idl: idlOf() });
    const value = { name: 'value', dataType: 'float32', shape: [-1, 1] } as const;
    const { methods } = bindService(contract, 'Scores', {
      modelType: 'tabular-regressor',
      signature: { ...matrix, outputs: [value] },
      metadata: {},
    });
    expect(feedsOf(rows, matrix, methods[0].inputs).x).to.deep.equal({
      dataType: 'float32',
      shape: [2, 2],
      data: Float32Array.of(1, 10, 2, 20),
    });
  });

  it('must be among the columns', () => {
    const error = errorOf(() => feedsOf(rows, signature({ name: 'c', dataType: 'float64', shape: [-1] }), undefined));
    expect(error).to.include({ code: 'INVALID_INPUT' });
    expect(error.message).to.equal('the rows lack the column "c"; they have b, a, place');
  });

  it('must be text where the graph takes text, and numbers where it takes numbers', () => {
    for (const [name, dataType, message] of [
      ['place', 'float64', 'holds strings; the graph takes numbers'],
      ['a', 'string', 'holds numbers; the graph takes strings'],
    ] as const) {
      const error = errorOf(() => feedsOf(rows, signature({ name, dataType, shape: [-1] }), undefined));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.contain(message);
    }
  });
});
