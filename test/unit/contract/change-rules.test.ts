import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { CHANGE_RULES } from '#parley/contract/change-rules.js';

interface Script {
  tables(): Readonly<Record<string, string>>;
  claimed(name: string): string;
}

describe('CHANGE_RULES', () => {
  it('stand in docs/contract-changes.md as the code has them, and so do the rules of lint', async () => {
    const { tables, claimed } = (await import(pathToFileURL('scripts/contract-changes.mjs').href)) as Script;
    for (const [name, text] of Object.entries(tables()))
      expect(claimed(name), 'write it anew with "node scripts/contract-changes.mjs"').to.equal(text);
  });

  it('let no verdict stand where a model must be accepted again', () => {
    for (const [kind, { breaks, touchesVerdict }] of Object.entries(CHANGE_RULES)) {
      if ((breaks as readonly string[]).includes('models')) expect(touchesVerdict, kind).to.equal(true);
    }
  });
});
