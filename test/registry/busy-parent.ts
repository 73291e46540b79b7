/** A process that rehearses what never ends; the test kills it. */
import { rehearse } from '#parley/registry/isolated.js';
import { endless, envelopeOf } from '../serving/models.js';

await rehearse(envelopeOf(endless()), undefined, {});
