import { expect } from 'chai';
import type { LedgerAction, LedgerEntry } from '#parley/model/version.js';
import { inForceAt } from '#parley/registry/in-force.js';

/** A ledger, oldest first in the argument; line n is written at time 10 n. */
function ledger(...changes: readonly (readonly [LedgerAction, string, string?])[]): LedgerEntry[] {
  return changes
    .map(([action, version, aliasName = 'production'], i) => ({
      sequence: i + 1,
      at: (i + 1) * 10,
      action,
      version,
      aliasName,
      actor: 'ada',
    }))
    .reverse();
}

describe('what was in force at a time', () => {
  const at = (lines: readonly LedgerEntry[], time: number) =>
    inForceAt(lines, time).map(({ action, version, aliasName }) => `${aliasName} ${action} ${version}`);

  it('is the last move of each alias before it', () => {
    const lines = ledger(['promote', 'a'], ['promote', 'x', 'candidate'], ['promote', 'b'], ['rollback', 'a']);
    expect(at(lines, 9)).to.deep.equal([]);
    expect(at(lines, 10)).to.deep.equal(['production promote a']);
    expect(at(lines, 39)).to.deep.equal(['production promote b', 'candidate promote x']);
    expect(at(lines, 40)).to.deep.equal(['production rollback a', 'candidate promote x']);
  });

  it('is two lines while a canary ran: its last weight, and the move', () => {
    const lines = ledger(['promote', 'a'], ['canary', 'b'], ['canary', 'b'], ['canary_end', 'b'], ['canary', 'c']);
    expect(at(lines, 15)).to.deep.equal(['production promote a']);
    expect(inForceAt(lines, 25).map(({ sequence }) => sequence)).to.deep.equal([2, 1]);
    expect(inForceAt(lines, 35).map(({ sequence }) => sequence)).to.deep.equal([3, 1]);
    expect(at(lines, 45)).to.deep.equal(['production promote a']);
    expect(at(lines, 55)).to.deep.equal(['production canary c', 'production promote a']);
  });

  it('is one line again once the alias was moved', () => {
    for (const move of ['promote', 'rollback'] as const)
      expect(at(ledger(['promote', 'a'], ['canary', 'b'], [move, 'b']), 99)).to.deep.equal([`production ${move} b`]);
  });

  it('is not changed by holds and releases', () => {
    const lines = ledger(['promote', 'a'], ['canary', 'b'], ['hold', 'a'], ['release', 'a']);
    expect(at(lines, 99)).to.deep.equal(['production canary b', 'production promote a']);
  });
});
