/** The example, from its script to an accepted answer, with its real files. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { csv } from '#parley/sources/csv/source.js';
import { sqlite } from '#parley/sources/sqlite/source.js';
import { loadProject } from '#parley/training/project.js';
import { type Trained, train } from '#parley/training/train.js';
import { feedsOf, runGraph } from '../onnx/session.js';
import { readAll } from '../sources/reading.js';

const FOLDER = 'examples/penguins';
const load = (...options: string[]) =>
  execFileSync(process.execPath, [`${FOLDER}/load.mjs`, ...options], { encoding: 'utf8' });

describe('the penguins', () => {
  let printed: string;
  let trained: Trained;
  before(async () => {
    printed = load();
    trained = await train(await loadProject(FOLDER));
  });

  it('are loaded into SQLite by the script, which says what it did and can be run again', async () => {
    const first = readFileSync(`${FOLDER}/data/penguins.sqlite`);
    expect(load()).to.equal(printed);
    expect(readFileSync(`${FOLDER}/data/penguins.sqlite`).equals(first)).to.equal(true);
    expect(printed).to.include('table penguins, 271 rows, 2 of them without measurements');
    const query = "SELECT count(*) AS birds, count(sex) AS sexed, sum(sex = '.') AS dots FROM penguins";
    const { values } = await readAll(sqlite.kind, { path: 'data/penguins.sqlite', query }, FOLDER);
    expect(values).to.deep.equal({ birds: [271], sexed: [260], dots: [0] });
  });

  it('have the fixtures that the script makes', () => {
    const committed = readFileSync(`${FOLDER}/fixtures.csv`, 'utf8');
    load('--fixtures');
    expect(readFileSync(`${FOLDER}/fixtures.csv`, 'utf8')).to.equal(committed);
  });

  it('train no row that is a fixture, because none is in the database', () => {
    expect(trained.configuration.rows).to.deep.include({ read: 269, fixtures: 0 });
  });

  it('are told apart on the fixtures as well as the contract demands', async () => {
    const { values } = await readAll(csv.kind, { path: 'fixtures.csv' }, FOLDER);
    const { specs } = trained.expected.rows;
    const columns = specs.map(({ name, kind }) =>
      kind === 'number' ? Float64Array.from(values[name], Number) : values[name].map(String),
    );
    const { label } = await runGraph(trained.artifact.graph, feedsOf({ specs, rows: 73, columns }));
    const answers = label.data as string[];
    for (const species of ['Adelie', 'Chinstrap', 'Gentoo']) {
      const hits = answers.filter((answer, row) => answer === species && values.species[row] === species).length;
      expect(hits / values.species.filter((truth) => truth === species).length, `recall of ${species}`).to.be.at.least(
        0.95,
      );
      expect(hits / answers.filter((answer) => answer === species).length, `precision of ${species}`).to.be.at.least(
        0.95,
      );
    }
  });

  it('are told apart on the held-out rows, far better than by the commonest species', () => {
    expect(trained.metrics['test.precision']).to.be.at.least(0.95);
    expect(trained.metrics['test.recall']).to.be.at.least(0.95);
    expect(trained.metrics['baseline.accuracy']).to.be.below(0.6);
  });
});
