import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import sqlite, { type Database } from 'node-sqlite3-wasm';
import { sources } from '#parley/sources/table.js';
import { readAll, refusal, temporaryFolder } from './reading.js';

describe('source sqlite, what only SQLite does', () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  function database(name: string, sql: string): Database {
    const made = new sqlite.Database(join(folder.path, name));
    made.exec(sql);
    return made;
  }

  function file(name: string, sql: string): string {
    database(name, sql).close();
    return name;
  }

  it('takes the kind of an expression, and of a column declared without one, from the first value', async () => {
    const path = file(
      'kinds.sqlite',
      "CREATE TABLE t (a, b, d DATE); INSERT INTO t VALUES (NULL, 'x', 7), (2, 'y', 8)",
    );
    const query = 'SELECT a, b, d, a * 2.5 AS twice, upper(b) AS loud, NULL AS absent FROM t';
    const { schema } = await readAll('sqlite', { path, query }, folder.path);
    expect(schema.map((spec) => spec.kind)).to.deep.equal(['number', 'string', 'number', 'number', 'string', 'string']);
  });

  it('names row, column and value of a text in a column of numbers', async () => {
    const path = file('mixed.sqlite', "CREATE TABLE t (size REAL); INSERT INTO t VALUES (1), (2.5), ('tall')");
    const error = await refusal(readAll('sqlite', { path, query: 'SELECT size FROM t' }, folder.path));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include('row 3, column "size": expected a number').and.to.include('got "tall"');
    expect(error.problems[0]).to.include({ path: 'row 3.size', got: '"tall"' });
  });

  it('counts rows across batches when it names one', async () => {
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)';
    const path = file('late.sqlite', 'CREATE TABLE t (a)');
    const query = `${numbers} SELECT CASE WHEN i = 4321 THEN 'oops' ELSE i END AS i FROM n`;
    const error = await refusal(readAll('sqlite', { path, query }, folder.path));
    expect(error.message).to.include('row 4321, column "i"');
  });

  it('names row, column and value of a number in a column of text', async () => {
    const path = file('texts.sqlite', "CREATE TABLE t (a); INSERT INTO t VALUES ('x'), (7)");
    const error = await refusal(readAll('sqlite', { path, query: 'SELECT a FROM t' }, folder.path));
    expect(error.message).to.include('row 2, column "a": expected text').and.to.include('got 7');
    expect(error.message).to.include('CAST("a" AS TEXT)');
  });

  it('refuses bytes, and says how to leave them out or show them', async () => {
    const path = file('bytes.sqlite', "CREATE TABLE t (photo BLOB); INSERT INTO t VALUES (x'00ff')");
    const error = await refusal(readAll('sqlite', { path, query: 'SELECT photo FROM t' }, folder.path));
    expect(error.message).to.include('column "photo" holds bytes (BLOB)').and.to.include('hex("photo")');
  });

  it('says of a text file that it is no database, and which kinds read text', async () => {
    writeFileSync(join(folder.path, 'plain.csv'), 'a,b\n1,2\n');
    const error = await refusal(readAll('sqlite', { path: 'plain.csv', query: 'SELECT 1 AS a' }, folder.path));
    expect(error.message).to.include('plain.csv" is not a SQLite database').and.to.include('kind csv');
  });

  it('says which table an empty file does not have', async () => {
    writeFileSync(join(folder.path, 'empty.sqlite'), '');
    const error = await refusal(readAll('sqlite', { path: 'empty.sqlite', query: 'SELECT * FROM t' }, folder.path));
    expect(error.message).to.equal('source.query: no such table: t');
  });

  it('reads while another reader is reading', async () => {
    const path = file('shared.sqlite', 'CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)');
    const other = database(path, 'BEGIN; SELECT * FROM t');
    const { values } = await readAll('sqlite', { path, query: 'SELECT a FROM t' }, folder.path);
    other.close();
    expect(values.a).to.deep.equal([1]);
  });

  it('refuses a file whose last write was cut off', async () => {
    const path = file('torn.sqlite', 'CREATE TABLE t (a INTEGER)');
    writeFileSync(join(folder.path, `${path}-journal`), 'not empty');
    const error = await refusal(readAll('sqlite', { path, query: 'SELECT a FROM t' }, folder.path));
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('a write to it was cut off');
  });

  it('says so when the file was written while it was read', async () => {
    const path = file('moving.sqlite', 'CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)');
    const configuration = sources.sqlite.configuration.parse({ path, query: 'SELECT a FROM t' });
    const source = await sources.sqlite.open(configuration, folder.path);
    database(path, 'INSERT INTO t VALUES (2)').close();
    const reading = (async () => {
      for await (const _ of source.batches());
    })();
    const error = await refusal(reading);
    await source.close();
    expect(error.code).to.equal('CONFLICT');
    expect(error.message).to.include('was written while it was read');
  });
});
