import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { defineScripts } from '#parley/store/scripts.js';

const FOLDER = new URL('../../src/store/commands/', import.meta.url);

describe('the Lua scripts', () => {
  const files = readdirSync(FOLDER).filter((file) => !file.startsWith('_'));

  it('are methods of the client', () => {
    const client = defineScripts(new Redis({ lazyConnect: true }));
    const names = files.map((file) => file.replace(/(-\d+)?\.lua$/, '')).sort();
    for (const name of names) expect(client, name).to.have.property(name).that.is.a('function');
    expect(names).to.deep.equal([
      'holdAlias',
      'importVersion',
      'moveAlias',
      'proposeContract',
      'pruneVersion',
      'publishContract',
      'publishVersion',
      'readState',
      'recordVerdict',
      'restoreModel',
      'retireVersion',
      'sealUpload',
      'setCanary',
      'uploadPart',
      'withdrawContract',
    ]);
    client.disconnect();
  });

  for (const file of files) {
    it(`say in their headers what they are: ${file}`, () => {
      const text = readFileSync(new URL(file, FOLDER), 'utf8');
      const header = text
        .split('\n')
        .filter((line) => line.startsWith('--'))
        .join('\n');
      expect(header)
        .to.match(/KEYS {2}/)
        .and.match(/Reply /)
        .and.match(/Event /);
      const numberOfKeys = /-(\d+)\.lua$/.exec(file)?.[1];
      if (numberOfKeys === undefined) return;
      const keys = /KEYS {2}(.*?)(?: {2,}ARGV|\n)/s.exec(header)?.[1]?.split(', ') ?? [];
      expect(keys.length).to.equal(Number(numberOfKeys));
    });
  }
});
