import { expect } from 'chai';
import { parseContract } from '#parley/contract/parse.js';
import type { FixtureAnswers } from '#parley/evaluation/acceptance.js';
import type { FixtureTable } from '#parley/registry/fixture-table.js';
import { type Looked, wrongRows } from '#parley/registry/wrong-rows.js';

const { request, response } = parseContract({
  file: 'a.thrift',
  idl: `struct A {
      1: optional string sex (missing = "allowed")
      2: optional bool tagged (missing = "allowed")
      3: optional string name (sensitive = "true")
      4: optional list<double> scan (size = "2")
    }
    enum K { UNSPECIFIED = 0, X = 1, Y = 2 }
    struct B { 1: optional K kind (role = "label") }
    service C { B ask(1: A a) } (model = "c")`.replace('(size = "2")', ''),
}).services[0].methods[0];

const table: FixtureTable = {
  rows: {
    specs: [
      { name: 'sex', kind: 'string' },
      { name: 'tagged', kind: 'number' },
      { name: 'name', kind: 'string' },
      { name: 'scan', kind: 'string' },
    ],
    rows: 5,
    columns: [
      ['F', 'F', 'M', '', 'M'],
      Float64Array.of(1, 0, 1, Number.NaN, 0),
      ['ada', 'bea', 'cleo', 'dora', 'eva'],
      ['[1]', '[2]', '[3]', '[4]', '[5]'],
    ],
  },
  truth: ['X', 'X', 'Y', 'Y', 'X'],
  answer: response.fields[0],
};
const answers: FixtureAnswers = {
  task: 'classification',
  classes: 2,
  classNames: ['X', 'Y'],
  truth: [0, 0, 1, 1, 0],
  predicted: [0, 1, 0, 1, 1],
  probabilities: Float64Array.of(0.9, 0.1, 0.4, 0.6, 0.8, 0.2, 0.3, 0.7, 0.1, 0.9),
};
const about = (looked: Looked, of: FixtureAnswers = answers) => wrongRows(looked, { table, request, answers: of })!;
const numbers = (looked: Looked, of?: FixtureAnswers) => about(looked, of).rows.map(({ row }) => row);

describe('the rows that count against a criterion', () => {
  it('are those that are wrong, the least likely truth first', () => {
    expect(numbers({ metric: 'accuracy' })).to.deep.equal([5, 3, 2]);
    expect(about({ metric: 'accuracy' })).to.include({ count: 3, of: 5 });
  });

  it('are, for a class, those that have it or were given it', () => {
    expect(numbers({ metric: 'recall', argument: 'X' })).to.deep.equal([5, 2]);
    expect(numbers({ metric: 'precision', argument: 'X' })).to.deep.equal([3]);
    expect(numbers({ metric: 'f1', argument: 'macro' })).to.deep.equal([5, 3, 2]);
    expect(numbers({ metric: 'recall' }, { ...answers, positive: 1 })).to.deep.equal([3]);
  });

  it('are of the slice alone', () => {
    expect(about({ metric: 'accuracy', slice: [{ field: 'sex', value: 'M' }] })).to.include({ count: 2, of: 2 });
    const both = [
      { field: 'sex', value: 'M' },
      { field: 'tagged', value: 'true' },
    ];
    expect(numbers({ metric: 'accuracy', slice: both })).to.deep.equal([3]);
  });

  it('say truth, answer, probability and what was asked, but nothing sensitive and nothing of many values', () => {
    expect(about({ metric: 'accuracy' }).rows[2]).to.deep.equal({
      row: 2,
      truth: 'X',
      answer: 'Y',
      probability: 0.4,
      values: { sex: 'F', tagged: 0 },
    });
  });

  it('say so of an answer that is none of the classes', () => {
    expect(about({ metric: 'accuracy' }, { ...answers, predicted: [-1, 0, 1, 1, 0] }).rows[0].answer).to.equal(
      'none of the classes',
    );
  });

  it('are for values the farthest first, and no more than ten', () => {
    const rows = 30;
    const column = Float64Array.from({ length: rows }, (_, row) => row);
    const values: FixtureAnswers = { task: 'regression', truth: column, predicted: column.map((value) => value * 1.1) };
    const many = { ...table, truth: column, rows: { specs: [], rows, columns: [] } };
    const found = wrongRows({ metric: 'rmse' }, { table: many, request, answers: values })!;
    expect(found.rows.map(({ row }) => row)).to.deep.equal([30, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
    expect(found).to.include({ count: 30, of: 30 });
  });

  it('are for the coverage of an interval those outside', () => {
    const values: FixtureAnswers = {
      task: 'regression',
      truth: Float64Array.of(1, 2, 3, 4, 5),
      predicted: [1, 2, 3, 4, 5],
      intervalLow: [0, 2, 3.5, 0, 0],
      intervalHigh: [1, 3, 4, 3.9, 9],
    };
    const found = wrongRows({ metric: 'interval_coverage' }, { table, request, answers: values })!;
    expect(found.rows.map(({ row }) => row)).to.have.members([3, 4]);
  });

  it('are none for what is not of rows', () => {
    expect(wrongRows({ metric: 'latency_p99_ms' }, { table, request, answers })).to.equal(undefined);
    expect(wrongRows({ metric: 'size_bytes' }, { table, request, answers })).to.equal(undefined);
  });
});
