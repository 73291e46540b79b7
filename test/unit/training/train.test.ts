import { expect } from 'chai';
import type { Progress } from '#parley/training/progress.js';
import { loadProject } from '#parley/training/project.js';
import { type Trained, type TrainOptions, train } from '#parley/training/train.js';
import { feedsOf, furthest, runGraph } from '../onnx/session.js';
import { ownTemporaryFolder, refusal } from '../sources/reading.js';
import {
  FLOWERS_IDL,
  flowerFolder,
  flowers,
  HOUSES,
  PRICES_IDL,
  type ProjectFolder,
  projectFolder,
} from './projects.js';

const HEADER = 'height,color,kind\n';

describe('train', () => {
  const temporary = ownTemporaryFolder();
  const folders: ProjectFolder[] = [];
  after(() => {
    for (const folder of folders) folder.remove();
  });

  function flowerProject(changes: object = {}, files: Record<string, string> = {}): string {
    const folder = flowerFolder(changes, files);
    folders.push(folder);
    return folder.path;
  }

  const run = async (folder: string, overrides: Record<string, string> = {}, options: TrainOptions = {}) =>
    train(await loadProject(folder, overrides), options);

  const failure = (folder: string, overrides: Record<string, string> = {}) => refusal(run(folder, overrides));

  const rowsOf = (trained: Trained) => trained.configuration.rows as Record<string, number | string>;

  describe('of classes', () => {
    it('learns what the rows hold, and beats the baseline', async () => {
      const { metrics, artifact } = await run(flowerProject());
      expect(metrics['test.accuracy']).to.equal(1);
      expect(metrics['baseline.accuracy']).to.be.below(0.7);
      expect(metrics).to.include.keys('test.precision', 'test.recall', 'test.f1', 'baseline.precision');
      expect(artifact.modelType).to.equal('tabular-classifier');
      expect(artifact.metadata).to.deep.equal({ classes: ['rose', 'tulip'] });
    });

    it('makes a graph that takes the contract’s fields and answers as the trainer does', async () => {
      const { artifact, expected } = await run(flowerProject());
      const outputs = await runGraph(artifact.graph, feedsOf(expected.rows));
      expect(artifact.signature.inputs.map((input) => input.name)).to.deep.equal(['height', 'color']);
      expect(outputs.label.data).to.deep.equal(expected.outputs.label.data);
      const probabilities = expected.outputs.probabilities.data as Float32Array;
      expect(furthest(outputs.probabilities.data as Float32Array, probabilities)).to.be.below(1e-5);
      expect(expected.rows.rows).to.equal(200);
    });

    it('makes the same bytes from the same rows, configuration and seed', async () => {
      const [one, two] = [await run(flowerProject()), await run(flowerProject())];
      expect(Buffer.from(one.artifact.graph).equals(two.artifact.graph)).to.equal(true);
      expect(rowsOf(one).digest).to.equal(rowsOf(two).digest);
    });

    it('makes the same bytes when rows and examples go to temporary files', async () => {
      const folder = flowerProject({}, { 'flowers.csv': flowers(6000) });
      const [held, stored] = [await run(folder), await run(folder, {}, { spoolLimitBytes: 100 })];
      expect(Buffer.from(held.artifact.graph).equals(stored.artifact.graph)).to.equal(true);
      expect(held.metrics).to.deep.equal(stored.metrics);
      expect(temporary.files()).to.deep.equal([]);
    });

    it('makes another digest when one value changes', async () => {
      const changed = flowers(200).replace('150,', '150.5,');
      const [one, two] = [await run(flowerProject()), await run(flowerProject({}, { 'flowers.csv': changed }))];
      expect(rowsOf(one).digest).not.to.equal(rowsOf(two).digest);
    });

    it('gives at most a thousand expected rows', async () => {
      const { expected } = await run(flowerProject({}, { 'flowers.csv': flowers(6000) }));
      expect(expected.rows.rows).to.equal(1000);
      expect(expected.outputs.probabilities.shape).to.deep.equal([1000, 2]);
      expect(expected.rows.columns.map((column) => column.length)).to.deep.equal([1000, 1000]);
    });

    it('takes free labels from the rows, sorted', async () => {
      const idl = FLOWERS_IDL.replace('optional Kind kind', 'optional string kind');
      const { artifact } = await run(flowerProject({}, { 'flowers.thrift': idl }));
      expect(artifact.metadata).to.deep.equal({ classes: ['rose', 'tulip'] });
    });

    it('takes labels that are numbers as their text', async () => {
      const idl = FLOWERS_IDL.replace('"rose"', '"1"').replace('"tulip"', '"2"');
      const csv = flowers(200).replaceAll('rose', '1').replaceAll('tulip', '2');
      const { artifact } = await run(flowerProject({}, { 'flowers.thrift': idl, 'flowers.csv': csv }));
      expect(artifact.metadata).to.deep.equal({ classes: ['1', '2'] });
    });

    it('reads a field from the column that parley.yaml names', async () => {
      const csv = flowers(200).replace('height', 'h').replace('kind', 'truth');
      const { metrics } = await run(
        flowerProject({ columns: { height: 'h' }, label: 'truth' }, { 'flowers.csv': csv }),
      );
      expect(metrics['test.accuracy']).to.equal(1);
    });

    it('warns of a class that no row has, and of a fit that did not converge', async () => {
      const idl = FLOWERS_IDL.replace('TULIP = 2', 'LILY = 3, TULIP = 2');
      const folder = flowerProject({}, { 'flowers.thrift': idl });
      const overrides = { 'trainer.name': 'logistic-regression', 'trainer.max_iterations': '1' };
      const { warnings, artifact } = await run(folder, overrides);
      expect(warnings[0]).to.include('no row to learn from is LILY');
      expect(warnings[1]).to.include('did not converge');
      expect(artifact.metadata.classes).to.include('LILY');
    });

    it('trains without a field that parley.yaml drops, also when no column holds it', async () => {
      const csv = flowers(200).replace('color', 'unused');
      const { artifact } = await run(flowerProject({ features: { drop: ['color'] } }, { 'flowers.csv': csv }));
      expect(artifact.signature.inputs.map((input) => input.name)).to.deep.equal(['height']);
    });
  });

  describe('of values', () => {
    it('fills in the contract’s defaults, reads booleans, and reports the regression’s metrics', async () => {
      const lines = Array.from({ length: 300 }, (_, i) => {
        const [area, garden, rooms] = [20 + (i % 97), i % 3 === 0, i % 5 === 0 ? '' : 1 + (i % 4)];
        return `${area},${garden},${rooms},${area * 1000 + (garden ? 5000 : 0) + Number(rooms || 3) * 700}\n`;
      });
      const csv = `area,garden,rooms,price\n${lines.join('')}`;
      const folder = projectFolder(HOUSES, { 'houses.thrift': PRICES_IDL, 'houses.csv': csv });
      folders.push(folder);
      const { metrics, artifact, expected } = await run(folder.path, { trainer: '{name: ridge, l2: 1.0e-6}' });
      expect(metrics['test.r2']).to.be.above(0.999999);
      expect(metrics['baseline.r2']).to.be.within(-0.2, 0);
      expect(metrics).to.include.keys('test.rmse', 'test.mae');
      const outputs = await runGraph(artifact.graph, feedsOf(expected.rows));
      const values = expected.outputs.value.data as Float32Array;
      expect(furthest(outputs.value.data as Float32Array, values) / 100_000).to.be.below(1e-5);
      expect(artifact.modelType).to.equal('tabular-regressor');
    });
  });

  describe('splits', () => {
    it('so that equal rows fall on one side', async () => {
      const distinct = flowers(30).replace(HEADER, '');
      const rows = rowsOf(await run(flowerProject({}, { 'flowers.csv': HEADER + distinct.repeat(50) })));
      expect([Number(rows.test) % 50, Number(rows.train) % 50]).to.deep.equal([0, 0]);
      expect(Number(rows.test)).to.be.greaterThan(0);
    });

    it('by the key that parley.yaml names, which need not be a field', async () => {
      const [header, ...lines] = flowers(200).trim().split('\n');
      const csv = [`${header},garden`, ...lines.map((line, i) => `${line},g${Math.floor(i / 20)}`)].join('\n');
      const split = { key: ['garden'], test: 0.3 };
      const rows = rowsOf(await run(flowerProject({ split }, { 'flowers.csv': csv })));
      expect([Number(rows.test) % 20, Number(rows.train) % 20]).to.deep.equal([0, 0]);
    });

    it('and names a key column that is not there', async () => {
      expect((await failure(flowerProject({ split: { key: ['colour'] } }))).message).to.include(
        'parley.yaml: split.key: the source has no column "colour" (did you mean "color"?)',
      );
    });
  });

  describe('keeps the fixtures out', () => {
    it('leaves out rows that are equal to a fixture, and counts them', async () => {
      const fixtures = `kind,color,height\n${'rose,red,150.0\n'}tulip,yellow,47\n`;
      const trained = await run(flowerProject({ fixtures: 'f.csv' }, { 'f.csv': fixtures }));
      const equal = flowers(200)
        .split('\n')
        .filter((line) => line === '150,red,rose' || line === '47,yellow,tulip').length;
      expect(equal).to.be.greaterThan(1);
      expect(rowsOf(trained)).to.deep.include({ read: 200, fixtures: equal });
      expect(Number(rowsOf(trained).train) + Number(rowsOf(trained).test)).to.equal(200 - equal);
    });

    it('says so when every row is a fixture', async () => {
      const rows = flowers(20);
      const folder = flowerProject({ fixtures: 'f.csv' }, { 'f.csv': rows, 'flowers.csv': rows });
      expect((await failure(folder)).message).to.include('all 20 rows are fixtures too');
    });

    it('says which fixture does not keep the contract', async () => {
      const folder = flowerProject({ fixtures: 'f.csv' }, { 'f.csv': `${HEADER}150,red,rose\n999,red,rose\n` });
      const { message } = await failure(folder);
      expect(message).to.include(
        'fixtures: 1 of 2 rows do not keep the contract: row 2: height must be between 0 and 300',
      );
    });

    it('says which column the fixtures lack', async () => {
      const folder = flowerProject({ fixtures: 'f.csv' }, { 'f.csv': 'height,kind\n150,rose\n' });
      expect((await failure(folder)).message).to.include('fixtures: there is no column "color"');
    });
  });

  describe('refuses', () => {
    const withRows = (lines: string) => flowerProject({}, { 'flowers.csv': flowers(100) + lines });

    it('rows outside the contract, naming the first few, counting all, and saying what to do', async () => {
      const lines = '400,red,rose\n,red,rose\n10,blue,rose\n10,red,\n10,red,rosa\n-1,red,rose\n-2,red,rose\n';
      const error = await failure(withRows(lines));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include('source: 7 of 107 rows do not keep the contract');
      expect(error.message).to.include('row 101: height must be between 0 and 300, got 400');
      expect(error.message).to.include('row 102: height is missing; a value is required');
      expect(error.message).to.include('and 2 more').and.to.include('WHERE in source.query');
      expect(error.problems).to.have.length(5);
    });

    it('a row without its truth, and one with a truth that the contract does not have', async () => {
      expect((await failure(withRows('10,red,\n'))).message).to.include(
        'row 101: kind is missing; every row needs its truth',
      );
      expect((await failure(withRows('10,red,rosa\n'))).message).to.include(
        'row 101: kind must be one of the contract\'s rose, tulip (did you mean "rose"?), got rosa',
      );
    });

    it('text where the contract has numbers, and numbers where it has text', async () => {
      expect((await failure(withRows('tall,red,rose\n'))).message).to.include('height must be a number, got ');
      const csv = flowers(100).replaceAll(/red|yellow/g, '7');
      expect((await failure(flowerProject({}, { 'flowers.csv': csv }))).message).to.include(
        'color must be a string, got 7',
      );
    });

    it('a source without a column that the contract needs, naming the nearest', async () => {
      const csv = flowers(100).replace('height', 'hieght');
      expect((await failure(flowerProject({}, { 'flowers.csv': csv }))).message).to.include(
        'source: there is no column "height", which the contract\'s field "height" comes from (did you mean "hieght"?)',
      );
      expect((await failure(flowerProject({ label: 'knd' }))).message).to.include(
        'no column "knd", which holds the truth',
      );
    });

    it('a source without rows', async () => {
      const source = { kind: 'csv', path: 'flowers.csv', query: 'SELECT * FROM data WHERE height > 1e9' };
      expect((await failure(flowerProject({ source }))).message).to.include(
        'source: there is no row; check source.path',
      );
    });

    it('rows of one class only', async () => {
      const csv = flowers(100).replaceAll('tulip', 'rose');
      expect((await failure(flowerProject({}, { 'flowers.csv': csv }))).message).to.include(
        'every row to learn from is "rose" in column "kind"; expected two classes or more',
      );
    });

    it('a split that leaves one part without rows', async () => {
      expect((await failure(flowerProject({ split: { test: 0.000001 } }))).message).to.match(
        /split: 200 of 200 rows are left to learn from and 0 are held out; each part needs some/,
      );
    });

    it('more than a thousand free classes', async () => {
      const idl = FLOWERS_IDL.replace('optional Kind kind', 'optional string kind');
      const csv = HEADER + Array.from({ length: 3000 }, (_, i) => `10,red,kind${i}\n`).join('');
      const { message } = await failure(flowerProject({}, { 'flowers.thrift': idl, 'flowers.csv': csv }));
      expect(message).to.include('more than 1000 classes').and.to.include('role "value"');
    });
  });

  describe('reports', () => {
    it('its four stages in order, each from 0 to 1', async () => {
      const seen: Progress[] = [];
      await run(flowerProject(), {}, { onProgress: (progress) => seen.push(progress) });
      expect([...new Set(seen.map(({ stage }) => stage))]).to.deep.equal(['read', 'features', 'fit', 'evaluate']);
      expect(seen.every(({ fraction }) => fraction >= 0 && fraction <= 1)).to.equal(true);
      expect(seen.filter(({ stage }) => stage === 'fit').at(-1)?.fraction).to.equal(1);
      expect(seen.filter(({ stage }) => stage === 'evaluate').at(-1)?.fraction).to.equal(1);
    });

    it('everything that made the version, as plain JSON', async () => {
      const { configuration } = await run(flowerProject());
      const parsed = JSON.parse(JSON.stringify(configuration));
      expect(parsed).to.deep.equal(configuration);
      expect(parsed.trainer).to.deep.equal({
        name: 'logistic-regression',
        max_iterations: 100,
        tolerance: 1e-6,
        l2: 1,
      });
      expect(parsed.contract_fingerprint).to.match(/^[0-9a-f]{64}$/);
      expect(parsed.rows.digest).to.match(/^[0-9a-f]{64}$/);
      expect(parsed.versions).to.have.keys('parley', 'node', 'onnxruntime', 'platform');
      expect(parsed.versions.onnxruntime).to.match(/^\d+\.\d+\.\d+$/);
      expect(parsed.timings_ms).to.have.keys('read', 'features', 'fit', 'evaluate');
      expect(parsed.fitted.names).to.include('color=red');
    });
  });

  describe('stops at an abort signal', () => {
    for (const stage of ['read', 'features', 'fit', 'evaluate'] as const)
      it(`in ${stage}, with the signal's reason and nothing left behind`, async () => {
        const folder = flowerProject({}, { 'flowers.csv': flowers(6000) });
        const stop = new AbortController();
        const reason = new Error('enough');
        const onProgress = (progress: Progress) => {
          if (progress.stage === stage) stop.abort(reason);
        };
        const outcome = await run(folder, {}, { signal: stop.signal, onProgress, spoolLimitBytes: 100 }).catch(
          (error) => error,
        );
        expect(outcome).to.equal(reason);
        expect(temporary.files()).to.deep.equal([]);
      });

    it('before it starts', async () => {
      const reason = new Error('enough');
      const outcome = await run(flowerProject(), {}, { signal: AbortSignal.abort(reason) }).catch((error) => error);
      expect(outcome).to.equal(reason);
    });
  });
});
