import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAll, refusal, temporaryFolder } from './reading.js';
import { parquetOf } from './towns.js';

describe('sources csv, jsonl and parquet, what only files do', () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  function file(name: string, text: string | Buffer): string {
    writeFileSync(join(folder.path, name), text);
    return name;
  }

  const read = (kind: string, configuration: object) => readAll(kind, configuration, folder.path);

  it('reads the whole file when no query is given', async () => {
    const { values } = await read('csv', { path: file('a.csv', 'a,b\n1,x\n2,y\n') });
    expect(values).to.deep.equal({ a: [1, 2], b: ['x', 'y'] });
  });

  it('takes the first line as names also when all values are text', async () => {
    const { values } = await read('csv', { path: file('t.csv', 'name,city\nAda,London\n') });
    expect(values).to.deep.equal({ name: ['Ada'], city: ['London'] });
  });

  it('takes a delimiter, texts that mean missing, and types', async () => {
    const path = file('s.csv', 'zip;size\n01234;1.5\n99999;NA\n');
    const { values } = await read('csv', { path, delimiter: ';', nulls: ['NA'], types: { zip: 'VARCHAR' } });
    expect(values).to.deep.equal({ zip: ['01234', '99999'], size: [1.5, Number.NaN] });
  });

  it('says that an empty CSV file lacks its header', async () => {
    const error = await refusal(read('csv', { path: file('0.csv', '') }));
    expect(error.message).to.include('0.csv" is empty; expected a header line');
  });

  it('names the line of a CSV file that has too many values', async () => {
    const error = await refusal(read('csv', { path: file('r.csv', 'a,b\n1,2\n4,5,6\n7,8\n') }));
    expect(error.message).to.match(/r\.csv/);
    expect(error.message).to.include("one value per column, separated by ','");
  });

  it('names line and column of a value that breaks the type of the rows before', async () => {
    const path = file('late.csv', `a,b\n${'1,x\n'.repeat(1_000_000)}oops,y\n`);
    const error = await refusal(read('csv', { path }));
    expect(error.message).to.include('Line: 1000002').and.to.include('"a"').and.to.include('"oops"');
    expect(error.message).to.include('source.types');
    expect(error.message).not.to.include('sample_size');
  });

  it('says that a CSV file is not UTF-8', async () => {
    const error = await refusal(read('csv', { path: file('l.csv', Buffer.from('a,b\n1,caf\xe9\n', 'latin1')) }));
    expect(error.message).to.include('not utf-8 encoded');
  });

  it('names the line where JSON breaks off', async () => {
    const error = await refusal(read('jsonl', { path: file('b.jsonl', '{"a":1}\n{"a":\n') }));
    expect(error.message)
      .to.include('b.jsonl')
      .and.to.match(/line [23]/);
  });

  it('says that a JSON Lines file is empty', async () => {
    const error = await refusal(read('jsonl', { path: file('0.jsonl', '') }));
    expect(error.message).to.include('0.jsonl" is empty; expected one JSON object a line');
  });

  it('refuses lists and structures, naming the column', async () => {
    const error = await refusal(read('jsonl', { path: file('n.jsonl', '{"a":1,"tags":["x"]}\n') }));
    expect(error.message).to.include('column "tags" is VARCHAR[]').and.to.include('source.query');
  });

  it('says that a file is not Parquet', async () => {
    const error = await refusal(read('parquet', { path: file('x.parquet', 'hello, hello, hello') }));
    expect(error.message).to.match(/^source\.path: .*x\.parquet/);
  });

  it('gives decimals and huge integers as float64, times as ISO 8601 in UTC', async () => {
    const select = `SELECT 1.25::DECIMAL(9,2) AS price, 7::UBIGINT AS big, TIMESTAMP '2020-01-02 03:04:05.5' AS at,
      TIMESTAMPTZ '2020-01-02 03:04:05+02' AS zoned, TIME '03:04:05' AS clock, 'x'::ENUM('x') AS letter`;
    await parquetOf(select, join(folder.path, 'types.parquet'));
    const { values } = await read('parquet', { path: 'types.parquet' });
    expect(values).to.deep.equal({
      price: [1.25],
      big: [7],
      at: ['2020-01-02T03:04:05.5'],
      zoned: ['2020-01-02T01:04:05Z'],
      clock: ['03:04:05'],
      letter: ['x'],
    });
  });

  it('reads a file with a quote in its name, and a column with one in its', async () => {
    const { values } = await read('csv', { path: file("it's.csv", '"a ""b"""\n1\n') });
    expect(values).to.deep.equal({ 'a "b"': [1] });
  });

  it('names the value that a cast in the query refuses', async () => {
    const path = file('c.csv', 'a\nx\n');
    const error = await refusal(read('csv', { path, query: 'SELECT CAST(a AS DOUBLE) AS a FROM data' }));
    expect(error.message).to.include("Could not convert string 'x' to DOUBLE");
  });
});
