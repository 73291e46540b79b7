import { join } from 'node:path';
import { expect } from 'chai';
import { loadProject } from '#parley/training/project.js';
import { refusal } from '../sources/reading.js';
import {
  FLOWERS,
  FLOWERS_IDL,
  flowerFolder,
  HOUSES,
  PRICES_IDL,
  type ProjectFolder,
  projectFolder,
} from './projects.js';

describe('loadProject', () => {
  const folders: ProjectFolder[] = [];
  after(() => {
    for (const folder of folders) folder.remove();
  });

  function kept(folder: ProjectFolder): ProjectFolder {
    folders.push(folder);
    return folder;
  }

  const flowerProject = (changes: object = {}, files: Record<string, string> = {}) =>
    kept(flowerFolder(changes, files)).path;

  async function message(folder: string, overrides: Record<string, string> = {}): Promise<string> {
    return (await refusal(loadProject(folder, overrides))).message;
  }

  it('fills in every default', async () => {
    const { resolved } = await loadProject(flowerProject());
    expect(resolved).to.deep.include({
      service: 'Flowers',
      source: { kind: 'csv', path: 'flowers.csv', delimiter: ',', decimal: '.', nulls: [''], types: {} },
      split: { test: 0.2, seed: 1 },
      columns: {},
      seed: 1,
    });
  });

  it('takes logistic regression for a contract with classes, and ridge for one with a value', async () => {
    const houses = kept(projectFolder(HOUSES, { 'houses.thrift': PRICES_IDL })).path;
    const [flower, house] = [await loadProject(flowerProject()), await loadProject(houses)];
    expect([flower.task, flower.trainer.trainer.name]).to.deep.equal(['classification', 'logistic-regression']);
    expect([house.task, house.trainer.trainer.name]).to.deep.equal(['regression', 'ridge']);
    expect(flower.trainer.parameters).to.deep.include({ max_iterations: 100 });
  });

  it('reads the files that the contract includes, and what they include', async () => {
    const idl = FLOWERS_IDL.replace(
      'enum Kind',
      '// include "no.thrift"\n/* include "no.thrift" */\nenum Kind',
    ).replace('string color', 'colors.Color color');
    const folder = flowerProject(
      {},
      {
        'flowers.thrift': `include "colors.thrift"\ninclude "parley.thrift"\n${idl}`,
        'colors.thrift': "include 'deeper.thrift'\ntypedef deeper.Text Color\n",
        'deeper.thrift': 'typedef string Text\n',
      },
    );
    expect((await loadProject(folder)).request.fields[1]).to.deep.include({ name: 'color', type: 'string' });
  });

  it('replaces any key from the command line, reading its value as YAML', async () => {
    const overrides = { 'trainer.name': 'logistic-regression', 'trainer.max_iterations': '7', 'split.key': '[color]' };
    const { trainer, split } = await loadProject(flowerProject(), overrides);
    expect(trainer.parameters).to.deep.include({ max_iterations: 7 });
    expect(split.key).to.deep.equal(['color']);
  });

  it('says where a project lacks its parley.yaml', async () => {
    const error = await refusal(loadProject('/nowhere'));
    expect(error.code).to.equal('NOT_FOUND');
    expect(error.message).to.include('no file "/nowhere/parley.yaml"').and.to.include('parley init');
  });

  it('says line and column of what is not YAML', async () => {
    const folder = kept(projectFolder('name: flowers\ncontract: [a, b\nlabel: kind\n', {})).path;
    expect(await message(folder)).to.match(/^parley\.yaml:3:\d+: /);
  });

  it('refuses a key that stands twice, with its line', async () => {
    const folder = kept(projectFolder('name: flowers\nlabel: a\nlabel: b\n', {})).path;
    expect(await message(folder)).to.match(/^parley\.yaml:3:1: Map keys must be unique/);
  });

  it('says that an empty file has no keys', async () => {
    expect(await message(kept(projectFolder('', {})).path)).to.include('parley.yaml: expected keys and values');
  });

  it('names a missing key', async () => {
    expect(await message(flowerProject({ label: undefined }))).to.include(
      'parley.yaml: label: is missing; expected string',
    );
  });

  it('names path and nearest key of an unknown one, at every depth', async () => {
    expect(await message(flowerProject({ lable: 'kind' }))).to.match(
      /^parley\.yaml: lable: there is no such key.*did you mean "label"\?\)?; expected one of name, contract/,
    );
    expect(await message(flowerProject({ split: { tset: 0.1 } }))).to.include(
      'split.tset: there is no such key (did you mean "test"?)',
    );
    const features = { fields: { height: { sacle: 'none' } } };
    expect(await message(flowerProject({ features })))
      .to.include('features.fields.height.sacle')
      .and.to.include('"scale"');
    const source = { kind: 'csv', path: 'flowers.csv', qeury: 'x' };
    expect(await message(flowerProject({ source })))
      .to.include('source.qeury')
      .and.to.include('did you mean "query"');
  });

  it('says what was expected and what was there', async () => {
    expect(await message(flowerProject({ split: { test: 'many' } }))).to.equal(
      'parley.yaml: split.test: expected number, got "many"',
    );
    expect(await message(flowerProject({ split: { test: 1 } }))).to.match(/split\.test: .*<1, got 1/);
  });

  it('collects all that is wrong', async () => {
    const error = await refusal(loadProject(flowerProject({ lable: 1, seed: -1 })));
    expect(error.problems.map(({ path }) => path)).to.have.members(['parley.yaml: lable', 'parley.yaml: seed']);
    expect(error.message).to.include('(and 1 more)');
  });

  it('names the nearest trainer, and those for the task', async () => {
    expect(await message(flowerProject(), { 'trainer.name': 'logistic_regression' })).to.equal(
      'parley.yaml: trainer.name: there is no such trainer (did you mean "logistic-regression"?); expected one of logistic-regression, majority; got "logistic_regression"',
    );
    expect(await message(flowerProject(), { 'trainer.name': 'constructor' })).to.include('there is no such trainer');
  });

  it('refuses a trainer for the other task', async () => {
    expect(await message(flowerProject(), { 'trainer.name': 'ridge' })).to.include(
      '"ridge" does not do classification, which the contract asks for; logistic-regression, majority do',
    );
  });

  it('names the nearest parameter of the trainer', async () => {
    const trainer = { name: 'logistic-regression', max_iteration: 5 };
    expect(await message(flowerProject({ trainer }))).to.include(
      'parley.yaml: trainer.max_iteration: there is no such key (did you mean "max_iterations"?)',
    );
    expect(await message(flowerProject(), { 'trainer.name': 'logistic-regression', 'trainer.l2': 'strong' })).to.equal(
      'parley.yaml: trainer.l2: expected number, got "strong"',
    );
  });

  it('takes parameters without a name for those of the task’s own trainer', async () => {
    const { trainer } = await loadProject(flowerProject(), { 'trainer.max_iterations': '7' });
    expect(trainer.trainer.name).to.equal('logistic-regression');
    expect(trainer.parameters).to.deep.include({ max_iterations: 7 });
    expect(await message(flowerProject(), { 'trainer.nam': 'x' })).to.include(
      'trainer.nam: there is no such key (did you mean "name"?)',
    );
  });

  it('refuses an override of a key inside a single value, and one that is not YAML', async () => {
    expect(await message(flowerProject(), { 'label.x': '1' })).to.equal(
      '--set label.x: "label" holds a single value and no keys',
    );
    expect(await message(flowerProject(), { 'split.key': '[a' })).to.match(/^--set split\.key:1:\d/);
    expect(await message(flowerProject(), { 'split.tset': '1' })).to.include('did you mean "test"');
  });

  it('names the nearest kind of source', async () => {
    expect(await message(flowerProject({ source: { kind: 'sqlit' } }))).to.include(
      'parley.yaml: source.kind: there is no such kind (did you mean "sqlite"?); expected one of sqlite, csv, jsonl, parquet',
    );
    expect(await message(flowerProject({ source: { kind: 'csv' } }))).to.include('source.path: is missing');
  });

  it('names the contract, the include and the fixtures that are not there', async () => {
    const contract = await message(flowerProject({ contract: 'flower.thrift' }));
    expect(contract).to.include('parley.yaml: contract: no file "').and.to.include('flower.thrift"');
    const include = flowerProject({}, { 'flowers.thrift': `\ninclude "colors.thrift"\n${FLOWERS_IDL}` });
    expect(await message(include)).to.include(
      `flowers.thrift:2: include "colors.thrift": no file "${join(include, 'colors.thrift')}"`,
    );
    expect(await message(flowerProject({ fixtures: 'f.csv' }))).to.include('parley.yaml: fixtures: no file "');
    expect(await message(flowerProject({ fixtures: 'f.txt' }))).to.include('expected .csv, .jsonl or .parquet');
  });

  it('says where the contract is wrong', async () => {
    const folder = flowerProject({}, { 'flowers.thrift': FLOWERS_IDL.replace('max = "300"', 'max = "tall"') });
    expect(await message(folder)).to.match(/^flowers\.thrift:4:\d+: /);
  });

  it('asks for the service where there are several, and names the nearest', async () => {
    const two = `${FLOWERS_IDL}\nservice Blossoms { Named name(1: Flower flower) } (model = "flowers")`;
    const files = { 'flowers.thrift': two };
    expect(await message(flowerProject({}, files))).to.include('service: is missing; flowers.thrift has several');
    expect(await message(flowerProject({ service: 'Blosoms' }, files))).to.include('did you mean "Blossoms"');
    expect((await loadProject(flowerProject({ service: 'Blossoms' }, files))).service.name).to.equal('Blossoms');
  });

  it('refuses a column for a field that the contract does not have', async () => {
    expect(await message(flowerProject({ columns: { heigth: 'h' } }))).to.include(
      'parley.yaml: columns.heigth: Flower has no such field (did you mean "height"?)',
    );
    expect(await message(flowerProject({ columns: { kind: 'k' } }))).to.include('is what "label" says');
  });

  it('refuses a truth that is an input too', async () => {
    expect(await message(flowerProject({ label: 'color' }))).to.include('the truth cannot be an input');
    expect(await message(flowerProject({ columns: { color: 'kind' }, label: FLOWERS.label }))).to.include(
      'the column "kind" is the field "color" too',
    );
  });
});
