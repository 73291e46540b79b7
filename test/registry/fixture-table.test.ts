import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseContract } from '#parley/contract/parse.js';
import { readFixtures } from '#parley/registry/fixture-table.js';
import { idlOf } from '../serving/models.js';
import { temporaryFolder } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { PENGUINS } from '../unit/contract/penguins.js';

describe('the fixtures of a contract', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function read(text: string, idl = idlOf(), format = 'csv') {
    writeFileSync(join(folder, `fixtures.${format}`), text);
    const { request, response } = parseContract({ file: 'a.thrift', idl }).services[0].methods[0];
    return readFixtures(folder, format, request, response);
  }
  const penguins = (rows: string) => read(`bill_length_mm,year,island,tagged,species\n${rows}`, PENGUINS);

  it('are rows and what is right for them', async () => {
    const { rows, truth, answer } = await read('value,b,a\n3,2,1\n9,5,4\n');
    expect(rows.specs.map(({ name }) => name)).to.deep.equal(['a', 'b']);
    expect(rows.columns).to.deep.equal([Float64Array.of(1, 4), Float64Array.of(2, 5)]);
    expect(truth).to.deep.equal(Float64Array.of(3, 9));
    expect(answer.name).to.equal('value');
  });

  it('are read the same from JSON Lines', async () => {
    const { rows, truth } = await read('{"a":1,"b":2,"value":3}\n', idlOf(), 'jsonl');
    expect([rows.rows, truth]).to.deep.equal([1, Float64Array.of(3)]);
  });

  it('may lack a column that may be missing', async () => {
    const { rows } = await read('bill_length_mm,year,island,species\n40,2007,Dream,Adelie\n', PENGUINS);
    expect(rows.columns[3]).to.deep.equal(Float64Array.of(Number.NaN));
  });

  it('give classes as the contract spells them', async () => {
    const { truth } = await penguins('40,2007,Dream,true,Adelie\n50,2008,Biscoe,,Gentoo\n');
    expect(truth).to.deep.equal(['Adelie', 'Gentoo']);
  });

  const refusals: readonly [string, () => Promise<unknown>, string][] = [
    ['no rows', () => read('a,b,value\n'), 'the fixtures are empty'],
    ['no column of answers', () => read('a,b\n1,2\n'), 'lack the column "value", which holds what is right'],
    ['an answer that is missing', () => read('a,b,value\n1,2,3\n1,2,\n'), 'row 2: value is missing'],
    ['text for a number', () => read('a,b,value\n1,many,3\n'), 'row 1: b must be a number, got "many"'],
    ['a value out of range', () => read('a,b,value\n1,2000,3\n'), 'do not keep the contract'],
    ['a missing value', () => read('a,value\n1,3\n'), 'do not keep the contract'],
    ['an unknown class', () => penguins('40,2007,Dream,true,Emperor\n'), 'must be one of Adelie, Gentoo'],
    ['a class that is missing', () => penguins('40,2007,Dream,true,\n'), 'row 1: species is missing'],
    ['a word outside the vocabulary', () => penguins('40,2007,Paris,true,Adelie\n'), 'do not keep the contract'],
    ['another kind of file', () => read('a', idlOf(), 'txt'), 'expected .csv, .jsonl or .parquet'],
  ];
  for (const [what, act, message] of refusals) {
    it(`are refused for ${what}`, async () => {
      const error = await failure(act());
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.contain(message);
    });
  }
});
