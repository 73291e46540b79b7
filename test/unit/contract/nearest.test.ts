import { expect } from 'chai';
import { didYouMean, nearest } from '#parley/contract/nearest.js';

describe('nearest', () => {
  it('finds the word with the fewest changes', () => {
    expect(nearest('recal', ['precision', 'recall', 'rmse'])).to.equal('recall');
  });

  it('does not mind case', () => {
    expect(nearest('MIN', ['max_bytes', 'min'])).to.equal('min');
  });

  it('finds nothing when everything would have to change', () => {
    expect(nearest('ab', ['xy', 'mae'])).to.equal(undefined);
  });

  it('counts a letter that is missing', () => {
    expect(nearest('missin', ['missing'])).to.equal('missing');
  });

  it('finds nothing that is longer by more than the limit', () => {
    expect(nearest('accu', ['accuracy'])).to.equal(undefined);
  });

  it('finds nothing far away', () => {
    expect(nearest('frobnicate', ['sensitive', 'min'])).to.equal(undefined);
  });

  it('takes the first of equally near words', () => {
    expect(nearest('mix', ['min', 'max'])).to.equal('min');
  });

  it('allows a third of a long word to change', () => {
    expect(nearest('probabilityofpos', ['probability_of_positive'])).to.equal(undefined);
    expect(nearest('probabilty_of_positve', ['probability_of_positive'])).to.equal('probability_of_positive');
  });
});

describe('didYouMean', () => {
  it('says nothing when nothing is near', () => {
    expect(didYouMean('x', ['alphabet'])).to.equal('');
  });

  it('asks when something is', () => {
    expect(didYouMean('yaer', ['year'])).to.equal(' (did you mean "year"?)');
  });
});
