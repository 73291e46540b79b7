/** A process that rehearses what never ends; the test kills it. */
import { endless, envelopeOf } from '../serving/models.js';
import { rehearsed } from './world.js';

await rehearsed(envelopeOf(endless()), undefined, {});
