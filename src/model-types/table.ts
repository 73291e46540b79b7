/** Every model type, by the name that an envelope gives it. */
import { unsupported } from '../errors.js';
import type { Artifact } from '../model/trained.js';
import { decodeEnvelope } from './envelope.js';
import type { ModelType } from './model-type.js';
import * as classifierRuntime from './tabular-classifier/runtime.js';
import * as classifierSchema from './tabular-classifier/schema.js';
import * as classifierSerializer from './tabular-classifier/serializer.js';
import * as regressorRuntime from './tabular-regressor/runtime.js';
import * as regressorSchema from './tabular-regressor/schema.js';
import * as regressorSerializer from './tabular-regressor/serializer.js';
import * as tensorRuntime from './tensor/runtime.js';
import * as tensorSchema from './tensor/schema.js';
import * as tensorSerializer from './tensor/serializer.js';

export const modelTypes: Readonly<Record<string, ModelType>> = {
  'tabular-classifier': {
    name: 'tabular-classifier',
    metadata: classifierSchema.metadata,
    ...classifierSerializer,
    defaultOutputs: classifierRuntime.defaultOutputs,
  },
  'tabular-regressor': {
    name: 'tabular-regressor',
    metadata: regressorSchema.metadata,
    ...regressorSerializer,
    defaultOutputs: regressorRuntime.defaultOutputs,
  },
  tensor: {
    name: tensorRuntime.TENSOR,
    metadata: tensorSchema.metadata,
    ...tensorSerializer,
    defaultOutputs: tensorRuntime.defaultOutputs,
  },
};

/** @throws ParleyError UNSUPPORTED for a type that this release does not know */
export function modelTypeOf(name: string): ModelType {
  if (Object.hasOwn(modelTypes, name)) return modelTypes[name];
  throw unsupported(`no model type "${name}"; this release has ${Object.keys(modelTypes).join(', ')}`);
}

/** Reads an envelope of any type. @throws ParleyError MODEL_BROKEN, or UNSUPPORTED for a type that is not known */
export function deserialize(bytes: Uint8Array): Artifact {
  return modelTypeOf(decodeEnvelope(bytes).modelType).deserialize(bytes);
}
