import { expect } from 'chai';
import { gitState, withoutCredentials } from '#parley/training/provenance.js';
import { temporaryFolder } from '../sources/reading.js';

describe('provenance', () => {
  it('leaves out what opens a door', () => {
    const source = {
      kind: 'postgres',
      url: 'postgres://ada:secret@host/db',
      password: 'x',
      nested: [{ api_token: 'y', a: 1 }],
    };
    expect(withoutCredentials(source)).to.deep.equal({
      kind: 'postgres',
      url: 'postgres://host/db',
      nested: [{ a: 1 }],
    });
  });

  it('has no commit where there is no repository', async () => {
    const folder = temporaryFolder();
    expect(await gitState(folder.path)).to.equal(undefined);
    folder.remove();
  });
});
