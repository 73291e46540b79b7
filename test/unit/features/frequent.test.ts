import { expect } from 'chai';
import fc from 'fast-check';
import { FrequentStrings } from '#parley/features/frequent.js';

describe('the commonest strings', () => {
  it('are exact while there are no more different ones than counters', () => {
    const frequent = new FrequentStrings(3);
    for (const value of ['b', 'a', 'c', 'b', 'c', 'b']) frequent.add(value);
    expect(frequent.top(3)).to.deep.equal(['b', 'c', 'a']);
    expect(frequent.dropped).to.equal(0);
  });

  it('hold every string that makes up more than one in capacity + 1, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'abcdefghij'), { maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        (all, capacity) => {
          const frequent = new FrequentStrings(capacity);
          for (const value of all) frequent.add(value);
          const kept = frequent.top(capacity);
          expect(kept.length).to.be.at.most(capacity);
          for (const value of new Set(all)) {
            const count = all.filter((each) => each === value).length;
            if (count > all.length / (capacity + 1)) expect(kept).to.include(value);
          }
        },
      ),
    );
  });

  it('count what was given up', () => {
    const frequent = new FrequentStrings(2);
    for (const value of ['a', 'a', 'b', 'c']) frequent.add(value);
    expect(frequent.dropped).to.equal(3);
    expect(frequent.top(2)).to.deep.equal(['a']);
  });
});
