/** Every operator with every element type. */
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { expectAgreement } from './agreement.js';
import { OPERATORS } from './operators.js';
import { useGraphWorld } from './world.js';

describe('a graph of one operator, of any type', function () {
  this.timeout(30_000);
  const world = useGraphWorld();
  for (const operator of Object.keys(OPERATORS))
    for (const type of Object.keys(DATA_TYPES) as DataType[])
      it(`answers as the runtime does: ${operator}, ${type}`, () => expectAgreement(world(), operator, type));
});
