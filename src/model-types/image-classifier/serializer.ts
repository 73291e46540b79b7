/** An image classifier's bytes: the common envelope, where the graph is what the metadata says. */
import { envelopeSerializer } from '../model-type.js';
import { checkGraph } from './runtime.js';
import { metadata } from './schema.js';

export const { check, serialize, deserialize } = envelopeSerializer('image-classifier', metadata, checkGraph);
