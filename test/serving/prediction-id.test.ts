import { expect } from 'chai';
import { PREDICTION_ID_LENGTH, PredictionIds } from '#parley/serving/prediction-id.js';

const text = (ids: PredictionIds) => Buffer.from(ids.next()).toString('latin1');

describe('prediction ids', () => {
  it('are of one length and of letters and digits, from the first on', () => {
    expect(text(new PredictionIds())).to.match(new RegExp(`^[0-9a-z]{${PREDICTION_ID_LENGTH}}$`));
  });

  it('do not repeat in a million of one process and another', () => {
    const seen = new Set<string>();
    const all = [new PredictionIds(), new PredictionIds()];
    for (const ids of all) ids.tick(1_700_000_000_000);
    for (let i = 0; i < 500_000; i++) for (const ids of all) seen.add(text(ids));
    expect(seen.size).to.equal(1_000_000);
  });

  it('sort as the time at which they were given', () => {
    const ids = new PredictionIds();
    const given = [1, 31, 32, 1_000, 1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000].flatMap((ms) => {
      ids.tick(ms);
      return [text(ids), text(ids)];
    });
    expect([...given].sort()).to.deep.equal(given);
  });

  it('carry the time at which they were made before any turn has begun', () => {
    const early = new PredictionIds();
    early.tick(0);
    expect(text(new PredictionIds()).slice(0, 9) > text(early).slice(0, 9)).to.equal(true);
  });
});
