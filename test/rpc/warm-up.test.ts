import { expect } from 'chai';
import { PredictCodec } from '#parley/rpc/predict-codec.js';
import { warmUp } from '#parley/rpc/warm-up.js';
import { Batcher } from '#parley/serving/batcher.js';
import type { Servable } from '#parley/serving/servable.js';
import { put } from '../serving/calls.js';
import { echo, lookup, servableOf } from '../serving/models.js';

describe('a warm-up', () => {
  let batcher: Batcher;
  let servable: Servable;
  beforeEach(async () => {
    batcher = new Batcher();
    servable = await servableOf(lookup(), batcher);
  });
  afterEach(() => servable.release());

  const warm = () =>
    warmUp([new PredictCodec(servable, 'production', undefined, [])], () => {
      batcher.ids.tick(Date.now());
      return batcher.ids.next();
    });

  it('runs the graph once, which is no call of anybody', async () => {
    let runs = 0;
    const run = servable.session.run.bind(servable.session);
    servable.session.run = (feeds, fetches, done) => {
      runs++;
      run(feeds, fetches, done);
    };
    await warm();
    expect(runs).to.equal(1);
    expect(servable.tally).to.include({ runs: 0, rows: 0, succeeded: 0, failed: 0 });
    expect(servable.tally.compute.count).to.equal(0);
  });

  it('succeeds after a call whose values the graph refuses', async () => {
    await put(servable.plan([0]), [[1000]]).settled;
    await warm();
    expect(servable.tally).to.include({ succeeded: 0, failed: 1 });
  });

  it('fails as calls would, and leaves no count of it', async () => {
    servable.session.run = (_feeds, _fetches, done) => done(new Error('no memory'), undefined);
    const refused = await warm().catch((error: Error) => error.message);
    expect(refused).to.contain('no memory');
    expect(servable.tally).to.include({ succeeded: 0, failed: 0 });
  });

  it('shows no text of an earlier call to a version', async () => {
    const said = await servableOf(echo(), batcher);
    await put(said.plan([0]), [['a secret']]).settled;
    const seen: unknown[] = [];
    const run = said.session.run.bind(said.session);
    said.session.run = (feeds, fetches, done) => {
      seen.push(...(feeds.text!.data as string[]));
      run(feeds, fetches, done);
    };
    await warmUp([new PredictCodec(said, 'production', undefined, [])], () => {
      batcher.ids.tick(Date.now());
      return batcher.ids.next();
    });
    said.release();
    expect(seen).to.deep.equal(['']);
  });
});
