/** Pipeline step: what was uploaded, as an artifact: an envelope is opened, another tool's graph is wrapped. */
import { type BindableVersion, bindService } from '../../contract/bind.js';
import type { Contract } from '../../contract/contract.js';
import { contractMismatch, invalidInput, modelBroken, ParleyError } from '../../errors.js';
import type { Signature } from '../../model/tensor.js';
import type { Artifact } from '../../model/trained.js';
import { ENSEMBLE } from '../../model-types/ensemble/runtime.js';
import { encodeHeader } from '../../model-types/envelope.js';
import { article } from '../../model-types/model-type.js';
import { deserialize, modelTypeOf } from '../../model-types/table.js';
import { servedSignature } from '../../serving/served-graph.js';
import { saysNames } from './name-by-contract.js';
import { type Wanted, wrapGraph } from './wrap-graph.js';

/** What every envelope begins with, in any release. */
const ENVELOPE_MAGIC = 'PARLEY';

export interface ReadUpload {
  readonly artifact: Artifact;
  /** What stands before `body` in the envelope; empty where the upload is one. */
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * @param wanted what the caller says that it is, and what it is to answer
 * @returns `body` is `uploaded` itself where the graph stays as it is
 * @throws ParleyError MODEL_BROKEN, UNSUPPORTED, CONTRACT_MISMATCH, INVALID_INPUT where it is not of the type wanted
 */
export function readUpload(uploaded: Uint8Array, wanted: Wanted): ReadUpload {
  if (!isEnvelope(uploaded)) {
    const wrapped = wrapGraph(uploaded, wanted);
    const artifact = modelTypeOf(wrapped.modelType).check(wrapped);
    return { artifact, header: encodeHeader(artifact), body: artifact.graph };
  }
  const artifact = deserialize(uploaded),
    { modelType, metadata = {} } = wanted;
  if (saysNames(metadata))
    throw invalidInput('an envelope keeps the names that are in it; publish the plain graph to have it renamed');
  if (modelType !== undefined && modelType !== artifact.modelType)
    throw invalidInput(`model_type is "${modelType}", the envelope holds ${article(artifact.modelType)}`);
  // An ensemble has no graph to look at; it is made again from its members.
  if (artifact.modelType !== ENSEMBLE) checkSameSignature(artifact.signature, servedSignature(artifact));
  return { artifact, header: new Uint8Array(0), body: uploaded };
}

export const isEnvelope = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, ENVELOPE_MAGIC.length)).toString('latin1') ===
  ENVELOPE_MAGIC;

/** An envelope that says of its graph what is not so would be bound by one signature and served by another. */
function checkSameSignature(told: Signature, found: Signature): void {
  const text = ({ inputs, outputs }: Signature) =>
    [inputs, outputs]
      .map((specs) => specs.map(({ name, dataType, shape }) => `${name} ${dataType} (${shape.join(', ')})`).join(', '))
      .join(' -> ');
  if (text(told) !== text(found))
    throw modelBroken(`the envelope says of its graph "${text(told)}", and the graph is "${text(found)}"`);
}

/** Every service of the contract must be answerable. */
export function bindAll(contract: Contract, version: BindableVersion): void {
  for (const { name } of contract.services) {
    try {
      bindService(contract, name, version);
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      throw contractMismatch(`the model does not fit service "${name}": ${error.message}`, {
        problems: error.problems,
      });
    }
  }
}
