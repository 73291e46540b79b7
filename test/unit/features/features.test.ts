import { expect } from 'chai';
import fc from 'fast-check';
import type { ContractEnum, InputField } from '#parley/contract/contract.js';
import { ParleyError } from '#parley/errors.js';
import { type FeaturesInput, featuresConfiguration } from '#parley/features/configuration.js';
import { planFeatures } from '#parley/features/plan.js';
import type { ColumnBatch } from '#parley/model/row.js';
import type { FittedFeatures } from '#parley/model/training-port.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { feedsOf, furthest, runGraph } from '../onnx/session.js';
import { field, fitFeatures, rowsOf, transformed } from './rows.js';

const allowed = { missing: { kind: 'allowed' } } as const;
const SIZES: ContractEnum = {
  name: 'Size',
  members: [
    { name: 'UNSPECIFIED', value: 0, label: 'UNSPECIFIED', positive: false },
    { name: 'SMALL', value: 1, label: 'small', positive: false },
    { name: 'LARGE', value: 2, label: 'large', positive: false },
  ],
};

function graphOf(features: FittedFeatures): Uint8Array {
  const graph = new GraphBuilder();
  graph.output('features', features.write(graph), 'float32', [-1, features.width]);
  return graph.serialize();
}

/** What both sides make of the rows; they must agree to 1e-6. */
async function both(features: FittedFeatures, batch: ColumnBatch): Promise<number[][]> {
  const here = transformed(features, batch);
  const { features: there } = await runGraph(graphOf(features), feedsOf(batch));
  expect(there.dims).to.deep.equal([batch.rows, features.width]);
  expect(furthest(there.data as Float32Array, here)).to.be.below(1e-6);
  return Array.from({ length: batch.rows }, (_, row) =>
    Array.from(here.subarray(row * features.width, (row + 1) * features.width)),
  );
}

const problem = (fields: readonly InputField[], configuration: FeaturesInput) => () =>
  planFeatures(fields, featuresConfiguration.parse(configuration));

describe('features', () => {
  it('fill missing numbers and standardize them as scikit-learn does', async () => {
    const batch = rowsOf({ x: [1, Number.NaN, 4, 10, Number.NaN, 5] });
    // make_pipeline(SimpleImputer(), StandardScaler()) of scikit-learn 1.9, and with strategy='constant', fill_value=0.
    const mean = [-1.5118578920369088, 0, -0.3779644730092272, 1.889822365046136, 0, 0];
    const zero = [
      -0.6585046078685182, -0.9407208683835975, 0.18814417367671943, 1.8814417367671947, -0.9407208683835975,
      0.4703604341917987,
    ];
    const fitted = fitFeatures([field('x', 'double')], [batch]);
    expect(furthest((await both(fitted, batch)).flat(), mean)).to.be.below(1e-6);
    const filled = fitFeatures([field('x', 'double')], [batch], { numbers: { impute: 'zero' } });
    expect(furthest((await both(filled, batch)).flat(), zero)).to.be.below(1e-6);
  });

  it('leave numbers as they are where the configuration says so', async () => {
    const batch = rowsOf({ x: [1, 2, 6], y: [1, 2, 6] });
    const configuration = { fields: { x: { scale: 'none' } } } as const;
    const rows = await both(fitFeatures([field('x', 'i32'), field('y', 'i64')], [batch], configuration), batch);
    expect(rows.map(([x]) => x)).to.deep.equal([1, 2, 6]);
    expect(rows.map(([, y]) => y)).to.not.deep.equal([1, 2, 6]);
    const unscaled = fitFeatures([field('x', 'i32')], [batch], { numbers: { scale: 'none', impute: 'zero' } });
    expect(await both(unscaled, rowsOf({ x: [3, Number.NaN] }))).to.deep.equal([[3], [0]]);
  });

  it('say where a number is missing, for the fields that may be missing alone', async () => {
    const fields = [field('a', 'double'), field('b', 'double', allowed), field('c', 'double', allowed)];
    const batch = rowsOf({ a: [1, Number.NaN], b: [Number.NaN, 2], c: [3, 5] });
    const features = fitFeatures(fields, [batch]);
    expect(features.names).to.deep.equal(['a', 'b', 'c', 'b is missing', 'c is missing']);
    expect((await both(features, batch)).map((row) => row.slice(3))).to.deep.equal([
      [1, 0],
      [0, 0],
    ]);
    const all = fitFeatures(fields.slice(1), [batch]);
    expect(await both(all, rowsOf({ b: [Number.NaN], c: [Number.NaN] }))).to.deep.equal([[0, 0, 1, 1]]);
  });

  it("let a missing number be the contract's default, and count it as one", async () => {
    const batch = rowsOf({ x: [0, Number.NaN] });
    const withDefault = field('x', 'double', { missing: { kind: 'default', value: 10 } });
    expect(await both(fitFeatures([withDefault], [batch]), batch)).to.deep.equal([[-1], [1]]);
  });

  it('make a constant column 0, and an always missing one too', async () => {
    const batch = rowsOf({ constant: [0.1, 0.1, 0.1], none: [Number.NaN, Number.NaN, Number.NaN] });
    const rows = await both(fitFeatures([field('constant', 'double'), field('none', 'double')], [batch]), batch);
    expect(rows).to.deep.equal([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('make a column that is constant up to rounding 0', async () => {
    const batch = rowsOf({ x: [0.3, 0.1 + 0.2, 0.3] });
    const rows = await both(fitFeatures([field('x', 'double')], [batch]), batch);
    expect(furthest(rows.flat(), [0, 0, 0])).to.be.below(1e-9);
  });

  it('keep the digits of numbers that are large beside their spread', async () => {
    const batch = rowsOf({ millis: [1.7e12 + 1, 1.7e12 + 2, 1.7e12 + 3] });
    const rows = await both(fitFeatures([field('millis', 'i64')], [batch]), batch);
    expect(furthest(rows.flat(), [-Math.sqrt(1.5), 0, Math.sqrt(1.5)])).to.be.below(1e-6);
  });

  it('treat bool as 0 and 1', async () => {
    const batch = rowsOf({ flag: [0, 1, 1, 0] });
    expect(await both(fitFeatures([field('flag', 'bool')], [batch]), batch)).to.deep.equal([[-1], [1], [1], [-1]]);
  });

  it("give each of a contract's values a column, in its order and unseen ones too; others and '' have none", async () => {
    const fields = [
      field('island', 'string', { values: ['Torgersen', 'Biscoe', 'Dream'] }),
      field('size', 'enum', { enum: SIZES }),
    ];
    const features = fitFeatures(fields, [rowsOf({ island: ['Biscoe'], size: ['large'] })]);
    expect(features.names).to.deep.equal([
      'island=Torgersen',
      'island=Biscoe',
      'island=Dream',
      'size=small',
      'size=large',
    ]);
    const batch = rowsOf({ island: ['Dream', '', 'Elba', 'Torgersen'], size: ['small', 'large', '', 'UNSPECIFIED'] });
    expect(await both(features, batch)).to.deep.equal([
      [0, 0, 1, 1, 0],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0],
      [1, 0, 0, 0, 0],
    ]);
  });

  it("let a missing string be the contract's default; an unknown one still has no column", async () => {
    const fields = [
      field('island', 'string', { values: ['Biscoe', 'Dream'], missing: { kind: 'default', value: 'Dream' } }),
      field('size', 'enum', { enum: SIZES, missing: { kind: 'default', value: 2 } }),
    ];
    const batch = rowsOf({ island: ['', 'Elba', 'Biscoe'], size: ['', 'small', 'huge'] });
    expect(await both(fitFeatures(fields, [batch]), batch)).to.deep.equal([
      [0, 1, 0, 1],
      [0, 0, 1, 0],
      [1, 0, 0, 0],
    ]);
  });

  it('give the commonest strings a column where the contract names none, equally common ones in order', async () => {
    const batch = rowsOf({ color: ['b', 'c', 'a', 'c', '', 'd', 'Ü'] });
    const features = fitFeatures([field('color', 'string')], [batch], { strings: { max_categories: 3 } });
    expect(features.names).to.deep.equal(['color=c', 'color=a', 'color=b']);
    expect(await both(features, rowsOf({ color: ['a', 'd', '', 'c'] }))).to.deep.equal([
      [0, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
    const all = fitFeatures([field('color', 'string')], [batch]);
    expect(await both(all, rowsOf({ color: ['Ü'] }))).to.deep.equal([[0, 0, 0, 0, 1]]);
  });

  it('count a missing string as the default before ranking', () => {
    const withDefault = field('color', 'string', { missing: { kind: 'default', value: 'z' } });
    const features = fitFeatures([withDefault], [rowsOf({ color: ['a', '', ''] })], { strings: { max_categories: 1 } });
    expect(features.names).to.deep.equal(['color=z']);
  });

  it('feed a string field that never has a value, and have no column for it', async () => {
    const features = fitFeatures(
      [field('x', 'double'), field('none', 'string')],
      [rowsOf({ x: [1, 3], none: ['', ''] })],
    );
    expect(features.names).to.deep.equal(['x']);
    expect(await both(features, rowsOf({ x: [3], none: ['what'] }))).to.deep.equal([[1]]);
    expect(() => fitFeatures([field('none', 'string')], [rowsOf({ none: [''] })])).to.throw(
      ParleyError,
      'no column is left',
    );
  });

  it('are the same however the rows are split into batches', () => {
    const fields = [field('x', 'double', allowed), field('s', 'string')];
    const number = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(Number.NaN));
    const row = fc.tuple(number, fc.constantFrom('', 'a', 'b', 'c'));
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), fc.nat(), (rows, cut) => {
        const batch = (part: typeof rows) => rowsOf({ x: part.map(([x]) => x), s: part.map(([, s]) => s) });
        const at = 1 + (cut % (rows.length - 1));
        const split = fitFeatures(fields, [batch(rows.slice(0, at)), batch(rows.slice(at))]);
        const whole = fitFeatures(fields, [batch(rows)]);
        expect(split.state()).to.deep.equal(whole.state());
        expect(graphOf(split)).to.deep.equal(graphOf(whole));
      }),
    );
  });

  it('agree with their graph for any numbers and strings', async () => {
    const fields = [
      field('x', 'double', allowed),
      field('y', 'double', { missing: { kind: 'default', value: -3 } }),
      field('s', 'string', { values: ['a', 'b', '鳥'] }),
      field('t', 'string', { missing: { kind: 'default', value: 'b' } }),
    ];
    const number = fc.oneof(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.constant(Number.NaN));
    const text = fc.constantFrom('', 'a', 'b', '鳥', 'unknown', ' a');
    const row = fc.tuple(number, number, text, text);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const batch = rowsOf({
          x: rows.map(([x]) => x),
          y: rows.map(([, y]) => y),
          s: rows.map(([, , s]) => s),
          t: rows.map(([, , , t]) => t),
        });
        await both(fitFeatures(fields, [batch]), batch);
      }),
      { numRuns: 50 },
    );
  });

  it('ask for one float64 or string input a field, each of shape (-1, 1)', () => {
    const fields = [field('flag', 'bool'), field('s', 'string', { values: ['a'] }), field('n', 'i16')];
    const bytes = graphOf(fitFeatures(fields, [rowsOf({ flag: [1], s: ['a'], n: [4] })]));
    expect(inspectGraph(bytes).signature.inputs).to.deep.equal([
      { name: 'flag', dataType: 'float64', shape: [-1, 1] },
      { name: 'n', dataType: 'float64', shape: [-1, 1] },
      { name: 's', dataType: 'string', shape: [-1, 1] },
    ]);
  });

  it('leave out fields that are ids, ignored or dropped', () => {
    const fields = [
      field('x', 'double'),
      field('id', 'string', { role: 'id' }),
      field('note', 'string', { role: 'ignored' }),
      field('y', 'double'),
    ];
    expect(fitFeatures(fields, [rowsOf({ x: [1, 2], y: [1, 2] })], { drop: ['y'] }).names).to.deep.equal(['x']);
  });

  it('fill the whole of the output, whatever was in it', () => {
    const batch = rowsOf({ s: ['b'] });
    const features = fitFeatures([field('s', 'string', { values: ['a', 'b'] })], [batch]);
    const out = Float32Array.of(7, 7);
    features.transform(batch, out);
    expect([...out]).to.deep.equal([0, 1]);
    expect(() => features.transform(batch, new Float32Array(3))).to.throw(ParleyError, '1 rows need 2 values, not 3');
  });

  it('say what they were fitted to', () => {
    const batch = rowsOf({ x: [1, 3, Number.NaN], s: ['b', 'a', ''] });
    const state = fitFeatures([field('x', 'double'), field('s', 'string')], [batch]).state();
    expect(JSON.parse(JSON.stringify(state))).to.deep.equal({
      rows: 3,
      numbers: [{ field: 'x', seen: 2, missing: 1, fill: 2, mean: 2, scale: Math.sqrt(2 / 3) }],
      strings: [{ field: 's', seen: 2, missing: 1, dropped: 0, categories: ['a', 'b'] }],
    });
  });

  it('refuse rows that do not fit, and say why', () => {
    const fields = [field('x', 'double')];
    for (const [batches, text] of [
      [[rowsOf({ y: [1] })], 'the rows have no column "x", which is a feature; their columns are y'],
      [[rowsOf({ x: ['one'] })], 'column "x" holds strings and the contract says number'],
      [[rowsOf({ x: [1, Number.POSITIVE_INFINITY] })], 'column "x" has an infinite number in row 2'],
      [[], 'there are no rows to learn from'],
    ] as const) {
      expect(() => fitFeatures(fields, batches))
        .to.throw(ParleyError, text)
        .with.property('code', 'INVALID_INPUT');
    }
  });

  it('refuse a configuration that names what is not there, and list every problem', () => {
    const fields = [field('x', 'double'), field('s', 'string')];
    const configuration: FeaturesInput = {
      drop: ['nothing'],
      fields: { none: {}, x: { max_categories: 2 }, s: { scale: 'none' } },
    };
    expect(problem(fields, configuration))
      .to.throw(ParleyError)
      .with.property('problems')
      .deep.equals([
        { path: 'features.drop', message: 'names no feature of the contract; they are x, s', got: 'nothing' },
        { path: 'features.fields.none', message: 'names no feature of the contract; they are x, s' },
        { path: 'features.fields.x.max_categories', message: 'is for strings; the field is a number' },
        { path: 'features.fields.s', message: 'takes no impute or scale; they are for numbers' },
      ]);
    expect(problem(fields, { drop: ['x', 's'] })).to.throw(ParleyError, 'no field is left');
    expect(() => featuresConfiguration.parse({ scale: 'none' })).to.throw('scale');
  });
});
