import { expect } from 'chai';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { trainers } from '#parley/trainers/table.js';
import { field, fitFeatures, rowsOf, transformed } from '../features/rows.js';
import { feedsOf, furthest, runGraph } from '../onnx/session.js';
import { numbersOf } from './examples.js';

const ISLANDS = ['Biscoe', 'Dream', 'Torgersen'];
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

/** 120 penguins, a tenth of whose values are missing, among them islands that the contract does not know. */
function penguins() {
  const random = numbersOf(3);
  const species = Array.from({ length: 120 }, (_, row) => row % 3);
  const missing = <T>(value: T, none: T): T => (random() < 0.1 ? none : value);
  const batch = rowsOf({
    bill_length_mm: species.map((each) => missing(38 + 5 * each + 3 * random(), Number.NaN)),
    bill_depth_mm: species.map((each) => missing(19 - 2 * each + random(), Number.NaN)),
    flipper_length_mm: species.map((each) => missing(190 + 12 * each + 9 * random(), Number.NaN)),
    body_mass_g: species.map((each) => missing(3700 + 600 * each + 500 * random(), Number.NaN)),
    island: species.map((each) => missing(ISLANDS[each], 'Elba')),
    sex: species.map(() => missing(random() < 0.5 ? 'MALE' : 'FEMALE', '')),
  });
  return { species: Float64Array.from(species), batch };
}

const FIELDS = [
  ...['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g'].map((name) => field(name, 'double')),
  field('island', 'string', { values: ISLANDS }),
  field('sex', 'string', { values: ['MALE', 'FEMALE'], missing: { kind: 'allowed' } }),
];

describe('a graph that contains its features', () => {
  it("answers from the contract's fields as the trainer answers from its features", async () => {
    const { species, batch } = penguins();
    const features = fitFeatures(FIELDS, [batch]);
    const matrix = transformed(features, batch);
    const trainer = trainers['logistic-regression'];
    const examples = {
      rows: batch.rows,
      width: features.width,
      batches: () => [{ rows: batch.rows, features: matrix, targets: species }],
    };
    const options = { parameters: trainer.parameters.parse({}), classes: SPECIES, seed: 1 };
    const fitted = await trainer.fit(examples, options);
    const graph = new GraphBuilder();
    fitted.write(graph, features.write(graph));
    const bytes = graph.serialize();

    const { label, probabilities } = await runGraph(bytes, feedsOf(batch));
    expect(furthest(probabilities.data as Float32Array, fitted.predict(matrix, batch.rows))).to.be.below(1e-6);
    const right = (label.data as string[]).filter((name, row) => name === SPECIES[species[row]]).length;
    expect(right / batch.rows).to.be.above(0.95);
    expect(inspectGraph(bytes).signature.inputs.map(({ name }) => name)).to.deep.equal(FIELDS.map(({ name }) => name));
    const none = await runGraph(
      bytes,
      feedsOf({ ...batch, rows: 0, columns: batch.columns.map((c) => c.slice(0, 0)) }),
    );
    expect(none.probabilities.dims).to.deep.equal([0, 3]);
  });
});
