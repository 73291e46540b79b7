import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import sqlite from 'node-sqlite3-wasm';
import { loadProject } from '#parley/training/project.js';
import { type ProjectFixtures, readProjectFixtures } from '#parley/training/project-fixtures.js';
import { readRows } from '#parley/training/read-rows.js';
import { train } from '#parley/training/train.js';
import { failure } from '../../store/world.js';
import { flowerFolder, HOUSES, PRICES_IDL, type ProjectFolder, projectFolder } from './projects.js';

const CSV = 'height,color,kind\n150.5,red,rose\n40,,tulip\n';

describe("a project's fixtures", () => {
  let folder: ProjectFolder;
  afterEach(() => folder.remove());

  async function read(fixtures: unknown, files: Readonly<Record<string, string>> = {}): Promise<ProjectFixtures> {
    folder = flowerFolder({ fixtures }, files);
    return (await readProjectFixtures(await loadProject(folder.path)))!;
  }
  const digest = ({ bytes }: ProjectFixtures) => createHash('sha256').update(bytes).digest('hex');

  /** The same two rows, each kind of file in its own way; a column that is no field beside. */
  const forms: Readonly<Record<string, () => Promise<ProjectFixtures>>> = {
    'another order of columns': () => read('f.csv', { 'f.csv': 'kind,color,height\nrose,red,150.50\ntulip,,4e1\n' }),
    'a column that is no field': () =>
      read('f.csv', { 'f.csv': 'height,color,kind,x\n150.5,red,rose,1\n40,,tulip,2\n' }),
    'JSON Lines': () =>
      read('f.jsonl', { 'f.jsonl': '{"kind":"rose","height":150.5,"color":"red"}\n{"kind":"tulip","height":40}\n' }),
    'a query on a CSV file': () =>
      read(
        { kind: 'csv', path: 'f.csv', query: 'SELECT h AS height, color, kind FROM data WHERE h < 200' },
        { 'f.csv': 'h,color,kind\n150.5,red,rose\n250,red,rose\n40,,tulip\n' },
      ),
    'a query on SQLite': async () => {
      folder = flowerFolder({
        fixtures: { kind: 'sqlite', path: 'f.sqlite', query: 'SELECT * FROM f ORDER BY rowid' },
      });
      const database = new sqlite.Database(join(folder.path, 'f.sqlite'));
      database.exec(`CREATE TABLE f (height REAL, color TEXT, kind TEXT);
        INSERT INTO f VALUES (150.5, 'red', 'rose'), (40, NULL, 'tulip')`);
      database.close();
      return (await readProjectFixtures(await loadProject(folder.path)))!;
    },
    Parquet: async () => {
      folder = flowerFolder({ fixtures: 'f.parquet' }, { 'f.csv': CSV });
      // It is made before the project is read, which looks for it.
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      await connection.run(`COPY (FROM '${join(folder.path, 'f.csv')}') TO '${join(folder.path, 'f.parquet')}'`);
      connection.closeSync();
      instance.closeSync();
      return (await readProjectFixtures(await loadProject(folder.path)))!;
    },
    'a path out of the project': async () => {
      folder = flowerFolder({ fixtures: '../shared/f.csv' });
      const inner = join(folder.path, 'flowers');
      mkdirSync(inner);
      mkdirSync(join(folder.path, 'shared'));
      writeFileSync(join(folder.path, 'shared', 'f.csv'), CSV);
      for (const name of ['parley.yaml', 'flowers.thrift', 'flowers.csv'])
        symlinkSync(join(folder.path, name), join(inner, name));
      return (await readProjectFixtures(await loadProject(inner)))!;
    },
  };
  for (const [form, act] of Object.entries(forms))
    it(`have the fingerprint of their meaning, with ${form}`, async () => {
      const found = await act();
      folder.remove();
      expect(found.bytes.toString()).to.equal(
        '{"height":150.5,"color":"red","kind":"rose"}\n{"height":40,"kind":"tulip"}\n',
      );
      expect(digest(found)).to.equal(digest(await read('f.csv', { 'f.csv': CSV })));
    });

  it('have another fingerprint when a value is another', async () => {
    const one = await read('f.csv', { 'f.csv': CSV });
    folder.remove();
    const other = await read('f.csv', { 'f.csv': CSV.replace('150.5', '150.25') });
    expect(digest(one)).not.to.equal(digest(other));
  });

  it('keep text that looks like a number or a time as it is', async () => {
    const idl = `struct A { 1: optional string code  2: optional string at (missing = "allowed") }
      struct B { 1: optional double value (role = "value") }
      service C { B ask(1: A a) } (model = "codes")`;
    for (const [name, text] of [
      ['f.csv', 'code,at,value\n007,2020-01-01T00:00:00Z,1\n'],
      ['f.jsonl', '{"code":"007","at":"2020-01-01T00:00:00Z","value":1}\n'],
    ] as const) {
      folder?.remove();
      folder = flowerFolder({ fixtures: name, label: 'value' }, { 'flowers.thrift': idl, [name]: text });
      const { table } = (await readProjectFixtures(await loadProject(folder.path)))!;
      expect(table.rows.columns).to.deep.equal([['007'], ['2020-01-01T00:00:00Z']]);
    }
  });

  it('are told of when they repeat or contradict each other', async () => {
    const { warnings } = await read('f.csv', {
      'f.csv': 'height,color,kind\n150,red,rose\n150,red,rose\n40,,tulip\n150,red,rose\n40,,rose\n',
    });
    expect(warnings).to.deep.equal([
      '2 of 5 fixtures repeat another one; each counts',
      '1 fixtures are there with several values of kind; no model can be right on all',
    ]);
  });

  it('are remarkable in nothing else', async () => {
    expect((await read('f.csv', { 'f.csv': CSV })).warnings).to.deep.equal([]);
  });

  const refusals: readonly (readonly [what: string, csv: string, message: string])[] = [
    ['no rows', 'height,color,kind\n', 'the fixtures are empty'],
    [
      'a value out of range',
      'height,color,kind\n150,red,rose\n301,red,rose\n',
      'row 2: height must be between 0 and 300, got 301',
    ],
    [
      'a word outside the vocabulary',
      'height,color,kind\n1,blue,rose\n',
      'row 1: color must be one of red, yellow, got blue',
    ],
    [
      'a label that the contract lacks',
      'height,color,kind\n1,red,dahlia\n',
      'row 1: kind must be one of rose, tulip, got dahlia',
    ],
    ['text for a number', 'height,color,kind\ntall,red,rose\n', 'row 1: height must be a number, got "tall"'],
    ['no column of what is right', 'height,color\n1,red\n', 'lack the column "kind"'],
  ];
  for (const [what, csv, message] of refusals)
    it(`are refused for ${what}`, async () => {
      const error = await failure(read('f.csv', { 'f.csv': csv }));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include(message);
    });

  it('name a kind that is none, and an option that the kind lacks', async () => {
    expect((await failure(read({ kind: 'cvs', path: 'f.csv' }))).message).to.include('parley.yaml: fixtures.kind');
    folder.remove();
    expect((await failure(read({ kind: 'csv', pth: 'f.csv' }))).message).to.include('parley.yaml: fixtures.pth');
  });

  it('are left out of the training where the source has them too, and told with their number', async () => {
    folder = flowerFolder({ fixtures: { kind: 'csv', path: 'flowers.csv', query: 'FROM data LIMIT 3' } });
    const project = await loadProject(folder.path);
    const rows = await readRows(project);
    rows.close();
    expect(rows.fixtures).to.be.greaterThan(2);
    expect(rows.train.rows + rows.test.rows + rows.fixtures).to.equal(200);
    const { warnings, configuration } = await train(project);
    const told = `${rows.fixtures} of 200 rows of the source are fixtures too; they were left out of the training and its test`;
    expect(warnings).to.deep.equal([told]);
    expect(configuration).to.deep.include({ warnings: [told] });
    expect(configuration.rows).to.include({ fixtures: rows.fixtures });
  });

  it('have the contract’s default where a value is missing', async () => {
    folder = projectFolder(
      { ...HOUSES, fixtures: 'f.csv' },
      { 'houses.thrift': PRICES_IDL, 'f.csv': 'area,garden,price\n10,true,1\n' },
    );
    const { table, bytes } = (await readProjectFixtures(await loadProject(folder.path)))!;
    expect(table.rows.columns.at(-1)).to.deep.equal(Float64Array.of(3));
    expect(bytes.toString()).to.equal('{"area":10,"garden":true,"rooms":3,"price":1}\n');
  });
});
