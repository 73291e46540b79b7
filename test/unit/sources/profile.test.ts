import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { profileColumns } from '#parley/sources/profile.js';
import { refusal, temporaryFolder } from './reading.js';

describe('profileColumns', () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  it('says of each column its kind, its range, what is missing and the few values it has', async () => {
    const path = join(folder.path, 'p.csv');
    writeFileSync(path, 'size,legs,alive,kind\n1.5,2,true,owl\n,4,false,ox\n3,4,true,ox\n');
    expect(await profileColumns(path)).to.deep.equal([
      { name: 'size', kind: 'number', rows: 3, missing: 1, distinct: 2, min: 1.5, max: 3, values: ['1.5', '3.0'] },
      { name: 'legs', kind: 'integer', rows: 3, missing: 0, distinct: 2, min: 2, max: 4, values: ['2', '4'] },
      { name: 'alive', kind: 'boolean', rows: 3, missing: 0, distinct: 2, values: ['false', 'true'] },
      { name: 'kind', kind: 'string', rows: 3, missing: 0, distinct: 2, values: ['owl', 'ox'] },
    ]);
  });

  it('lists no values when there are more than fifty', async () => {
    const path = join(folder.path, 'm.csv');
    writeFileSync(path, `n\n${Array.from({ length: 51 }, (_, i) => `${i}\n`).join('')}`);
    expect(await profileColumns(path)).to.deep.equal([
      { name: 'n', kind: 'integer', rows: 51, missing: 0, distinct: 51, min: 0, max: 50 },
    ]);
  });

  it('leaves the range out of a column without a value', async () => {
    const path = join(folder.path, 'e.csv');
    writeFileSync(path, 'n,m\n');
    expect((await profileColumns(path))[0]).to.deep.equal({
      name: 'n',
      kind: 'string',
      rows: 0,
      missing: 0,
      distinct: 0,
      values: [],
    });
  });

  it('names a file that is not there', async () => {
    expect((await refusal(profileColumns('/nowhere/x.csv'))).message).to.include('no file "/nowhere/x.csv"');
  });
});
