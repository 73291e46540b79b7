/** Every model type, by the name that an envelope gives it. */
import { unsupported } from '../errors.js';
import type { Artifact } from '../model/trained.js';
import * as ensembleRuntime from './ensemble/runtime.js';
import * as ensembleSchema from './ensemble/schema.js';
import * as ensembleSerializer from './ensemble/serializer.js';
import { decodeEnvelope } from './envelope.js';
import * as forecasterRuntime from './forecaster/runtime.js';
import * as forecasterSchema from './forecaster/schema.js';
import * as forecasterSerializer from './forecaster/serializer.js';
import * as imageRuntime from './image-classifier/runtime.js';
import * as imageSchema from './image-classifier/schema.js';
import * as imageSerializer from './image-classifier/serializer.js';
import type { ModelType, Serializer, TypeRuntime, TypeSchema } from './model-type.js';
import * as classifierRuntime from './tabular-classifier/runtime.js';
import * as classifierSchema from './tabular-classifier/schema.js';
import * as classifierSerializer from './tabular-classifier/serializer.js';
import * as regressorRuntime from './tabular-regressor/runtime.js';
import * as regressorSchema from './tabular-regressor/schema.js';
import * as regressorSerializer from './tabular-regressor/serializer.js';
import * as tensorRuntime from './tensor/runtime.js';
import * as tensorSchema from './tensor/schema.js';
import * as tensorSerializer from './tensor/serializer.js';
import * as textRuntime from './text-classifier/runtime.js';
import * as textSchema from './text-classifier/schema.js';
import * as textSerializer from './text-classifier/serializer.js';

export const modelTypes: Readonly<Record<string, ModelType>> = named({
  'tabular-classifier': [classifierSchema, classifierSerializer, classifierRuntime],
  'tabular-regressor': [regressorSchema, regressorSerializer, regressorRuntime],
  'text-classifier': [textSchema, textSerializer, textRuntime],
  'image-classifier': [imageSchema, imageSerializer, imageRuntime],
  forecaster: [forecasterSchema, forecasterSerializer, forecasterRuntime],
  tensor: [tensorSchema, tensorSerializer, tensorRuntime],
  ensemble: [ensembleSchema, ensembleSerializer, ensembleRuntime],
});

function named(
  folders: Readonly<Record<string, readonly [TypeSchema, Serializer, TypeRuntime]>>,
): Readonly<Record<string, ModelType>> {
  return Object.fromEntries(
    Object.entries(folders).map(([name, [{ metadata }, { check, serialize, deserialize }, { defaultOutputs }]]) => [
      name,
      { name, metadata, check, serialize, deserialize, defaultOutputs },
    ]),
  );
}

/** @throws ParleyError UNSUPPORTED for a type that this release does not know */
export function modelTypeOf(name: string): ModelType {
  if (Object.hasOwn(modelTypes, name)) return modelTypes[name];
  throw unsupported(`no model type "${name}"; this release has ${Object.keys(modelTypes).join(', ')}`);
}

/** Reads an envelope of any type. @throws ParleyError MODEL_BROKEN, or UNSUPPORTED for a type that is not known */
export function deserialize(bytes: Uint8Array): Artifact {
  return modelTypeOf(decodeEnvelope(bytes).modelType).deserialize(bytes);
}
