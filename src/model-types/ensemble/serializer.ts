/** An ensemble's bytes: the common envelope, whose graph is empty. */
import { envelopeSerializer } from '../model-type.js';
import { checkGraph } from './runtime.js';
import { metadata } from './schema.js';

export const { check, serialize, deserialize } = envelopeSerializer('ensemble', metadata, checkGraph);
