import { expect } from 'chai';
import type { ContractChange } from '#parley/contract/change.js';
import { breaksCallers } from '#parley/contract/change.js';
import { compareContracts } from '#parley/contract/compare.js';
import { CHANGES, changedText, PENGUINS } from '../../evolution/changes.js';
import { parse } from './penguins.js';

const brief = (changes: readonly ContractChange[]) => changes.map(({ kind, path }) => `${kind} ${path}`);

describe('compareContracts', () => {
  for (const change of CHANGES) {
    it(`tells that ${change.name}`, () => {
      const found = compareContracts(parse(PENGUINS), parse(changedText(change)));
      expect(brief(found)).to.have.members(change.changes as string[]);
      for (const { message, why } of found) expect(message !== '' && why !== '').to.equal(true);
    });
  }

  it('calls compatible what a caller does not notice, and nothing else', () => {
    for (const change of CHANGES) {
      const found = compareContracts(parse(PENGUINS), parse(changedText(change)));
      const noticed = (change.seen ?? ['same', 'same']).some((outcome) => outcome !== 'same');
      expect(breaksCallers(found), change.name).to.equal(noticed);
    }
  });
});
