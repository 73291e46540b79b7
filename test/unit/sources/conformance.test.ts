/** What every kind of source does, whatever it reads. A new kind is a line in towns.ts. */
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { sources } from '#parley/sources/table.js';
import { ownTemporaryFolder, readAll, refusal, temporaryFolder } from './reading.js';
import { TOWNS, type Town, written } from './towns.js';

const MANY: readonly Town[] = Array.from({ length: 10_000 }, (_, i) => [`town ${i}`, i / 4, i, i % 2 === 0, null]);

it('covers every kind of source', () => {
  expect(Object.keys(written).sort()).to.deep.equal(Object.keys(sources).sort());
});

for (const [kind, write] of Object.entries(written))
  describe(`source ${kind}`, () => {
    const folder = temporaryFolder();
    const many = temporaryFolder();
    const temporary = ownTemporaryFolder();
    let configuration: { path: string; query: string };
    let manyConfiguration: { path: string; query: string };

    before(async () => {
      configuration = await write(folder.path, TOWNS);
      manyConfiguration = await write(many.path, MANY);
    });
    after(() => {
      folder.remove();
      many.remove();
    });

    it('is known by its own name', () => {
      expect(sources[kind].kind).to.equal(kind);
    });

    it('names the columns in order and says which hold numbers', async () => {
      expect((await readAll(kind, configuration, folder.path)).schema).to.deep.equal([
        { name: 'name', kind: 'string' },
        { name: 'height', kind: 'number' },
        { name: 'people', kind: 'number' },
        { name: 'coastal', kind: 'number' },
        { name: 'founded', kind: 'string' },
      ]);
    });

    it('gives numbers, integers beyond 32 bits and booleans as float64, missing ones as NaN', async () => {
      const { values } = await readAll(kind, configuration, folder.path);
      expect(values.height).to.deep.equal([408.5, 40, Number.NaN, -3.25]);
      expect(values.people).to.deep.equal([434335, 13960000, Number.NaN, 9007199254740992]);
      expect(values.coastal).to.deep.equal([0, 1, Number.NaN, 0]);
    });

    it('gives text in any script and ISO dates as strings, missing ones as the empty string', async () => {
      const { values } = await readAll(kind, configuration, folder.path);
      expect(values.name).to.deep.equal(['Zürich', '東京, "Tokyo"', '', "Val-d'Or 🪙"]);
      expect(values.founded).to.deep.equal(['1218-04-03', '', '1963-01-10', '1935-08-15']);
    });

    it('reads all rows in order, in batches of no more than 4,096', async () => {
      const { values, batchRows } = await readAll(kind, manyConfiguration, many.path);
      expect(values.people).to.deep.equal(MANY.map((town) => town[2]));
      expect(values.name.at(-1)).to.equal('town 9999');
      expect(Math.max(...batchRows)).to.be.at.most(4096);
    });

    it('gives a cast, a filter and an order that the query asks for', async () => {
      const query = `${configuration.query} WHERE height > -10 ORDER BY height DESC;`;
      const { values } = await readAll(kind, { ...configuration, query }, folder.path);
      expect(values.height).to.deep.equal([408.5, 40, -3.25]);
    });

    it('has a schema and no batch when the query finds nothing', async () => {
      const query = `${configuration.query} WHERE 1 = 0`;
      const { schema, batchRows } = await readAll(kind, { ...configuration, query }, folder.path);
      expect(schema.map((spec) => spec.name)).to.deep.equal(['name', 'height', 'people', 'coastal', 'founded']);
      expect(batchRows).to.deep.equal([]);
    });

    it('names a file that is not there, in full', async () => {
      const error = await refusal(readAll(kind, { ...configuration, path: 'nowhere.file' }, folder.path));
      expect(error.code).to.equal('NOT_FOUND');
      expect(error.message).to.include(`source.path: no file "${folder.path}/nowhere.file"`);
    });

    it('says that a folder is no file', async () => {
      const error = await refusal(readAll(kind, { ...configuration, path: '.' }, folder.path));
      expect(error.message).to.include('is a folder; expected a');
    });

    it('names the column that the query misspells', async () => {
      const query = configuration.query.replace('*', 'hight');
      const error = await refusal(readAll(kind, { ...configuration, query }, folder.path));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.match(/^source\.query: .*hight/);
      expect(error.message).not.to.match(/\n|LINE 1/);
    });

    it('names the word where the query stops being SQL', async () => {
      const query = configuration.query.replace('FROM', 'FORM');
      const error = await refusal(readAll(kind, { ...configuration, query }, folder.path));
      expect(error.message).to.match(/^source\.query: .*(syntax error).*/i);
      expect(error.message).to.match(/FORM|near/);
    });

    it('refuses a query of two statements, and one that writes', async () => {
      const two = await refusal(readAll(kind, { ...configuration, query: 'SELECT 1 AS a; SELECT 2' }, folder.path));
      expect(two.message).to.match(/^source\.query: /);
      const writing = await refusal(readAll(kind, { ...configuration, query: 'DROP TABLE towns' }, folder.path));
      expect(writing.message).to.match(/^source\.query: /);
    });

    it('refuses two columns of one name', async () => {
      const query = configuration.query.replace('*', 'height, people AS height');
      const error = await refusal(readAll(kind, { ...configuration, query }, folder.path));
      expect(error.message).to.include('two columns are called "height"').and.to.include('AS another_name');
    });

    it('refuses a key that it does not know', () => {
      expect(sources[kind].configuration.safeParse({ ...configuration, pth: 'x' }).success).to.equal(false);
    });

    it('stops at an abort signal and throws its reason', async () => {
      const stop = new AbortController();
      const reason = new Error('enough');
      const source = await sources[kind].open(sources[kind].configuration.parse(manyConfiguration), many.path);
      let batches = 0;
      try {
        for await (const batch of source.batches(stop.signal)) {
          batches += Math.sign(batch.rows);
          stop.abort(reason);
        }
        expect.fail('the signal was not heeded');
      } catch (error) {
        expect(error).to.equal(reason);
        expect(batches).to.equal(1);
      } finally {
        await source.close();
      }
    });

    it('leaves nothing behind in the temporary folder when it is closed half read', async () => {
      const source = await sources[kind].open(sources[kind].configuration.parse(manyConfiguration), many.path);
      for await (const batch of source.batches()) if (batch.rows > 0) break;
      await source.close();
      expect(temporary.files()).to.deep.equal([]);
    });

    it('leaves the folder of the file as it was', async () => {
      const before = readdirSync(folder.path);
      await readAll(kind, configuration, folder.path);
      expect(readdirSync(folder.path)).to.deep.equal(before);
    });
  });
