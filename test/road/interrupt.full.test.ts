/** Ctrl-C in the other stages of a training. */
import { expectInterruptible } from './interruptions.js';
import { placeForEach } from './parley.js';
import { useTrained } from './trained.js';

describe('a training that is interrupted at any stage', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  for (const stage of ['read: ', 'features: ', 'publish: '])
    it(`leaves nothing half done after "${stage.trim()}"`, () => expectInterruptible(place(), stage));
});
