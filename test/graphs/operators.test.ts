/** One operator a graph; each operator with some of the element types. operators.full.test.ts has them all. */
import { expect } from 'chai';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { expectAgreement } from './agreement.js';
import { OPERATORS } from './operators.js';
import { useGraphWorld } from './world.js';

const TYPES = Object.keys(DATA_TYPES) as DataType[];

describe('a graph of one operator', function () {
  this.timeout(30_000);
  const world = useGraphWorld();

  Object.keys(OPERATORS).forEach((operator, index) => {
    // Steps that share no factor with the number of types: all types have their turn.
    for (const type of new Set([TYPES[(index * 2) % TYPES.length], TYPES[(index * 2 + 7) % TYPES.length]]))
      it(`answers as the runtime does: ${operator}, ${type}`, () => expectAgreement(world(), operator, type));
  });

  it('leaves the server as it was', async () => {
    expect(await world().client.ping()).to.include({ ready: true, storeConnected: true });
  });
});
