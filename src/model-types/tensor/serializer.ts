/** A tensor model's bytes: the common envelope. */
import { envelopeSerializer } from '../model-type.js';
import { metadata } from './schema.js';

export const { check, serialize, deserialize } = envelopeSerializer('tensor', metadata);
