/** From a trained artifact to a published version: contract and fixtures first, then the bytes, through any registry. */
import { randomBytes } from 'node:crypto';
import type { Publish, PublishContract, PublishedContract, RegistryPort } from '../model/registry-port.js';
import type { ModelVersion } from '../model/version.js';
import { modelTypeOf } from '../model-types/table.js';
import { encodeExpected } from '../registry/expected.js';
import { FIXTURE_BYTES_FORMAT } from '../registry/fixture-bytes.js';
import { patiently, sendUpload, sourceOf } from '../registry/send-upload.js';
import type { Project } from './project.js';
import { readProjectFixtures } from './project-fixtures.js';
import type { Trained } from './train.js';

/** Sorted by time; unique across machines. */
export function newRunId(now: Date): string {
  return `${now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(4).toString('hex')}`;
}

/** Puts the project's contract and fixtures in force, or proposes them. @throws ParleyError what `readProjectFixtures` throws */
export async function publishProjectContract(
  registry: RegistryPort,
  project: Project,
  signal?: AbortSignal,
  how: Pick<PublishContract, 'allowBreaking' | 'propose' | 'reason'> = {},
): Promise<PublishedContract & { readonly warnings: readonly string[] }> {
  const { contract, checks } = project;
  const request: PublishContract = { idl: contract.idl, includes: contract.includes, ...how };
  const fixtures = await readProjectFixtures(project, signal);
  if (fixtures === undefined) return { ...(await registry.publishContract(request)), warnings: [] };
  const fixturesUploadId = await upload(registry, contract.model, fixtures.bytes, signal);
  const published = await registry.publishContract({
    ...request,
    fixturesUploadId,
    fixturesFormat: FIXTURE_BYTES_FORMAT,
    ...(checks === undefined ? {} : { checks }),
  });
  return { ...published, warnings: fixtures.warnings };
}

/** Publishes what a run made; the registry inspects, binds, rehearses and compares before anyone can see it. */
export async function publishTrained(
  registry: RegistryPort,
  project: Project,
  trained: Trained,
  runId: string,
  signal?: AbortSignal,
): Promise<ModelVersion> {
  const { model } = project.contract;
  const uploadId = await upload(
    registry,
    model,
    modelTypeOf(trained.artifact.modelType).serialize(trained.artifact),
    signal,
  );
  const expectedUploadId = await upload(registry, model, encodeExpected(trained.expected), signal);
  const request: Publish = {
    model,
    uploadId,
    expectedUploadId,
    contractService: project.service.name,
    runId,
    runConfigurationJson: JSON.stringify(trained.configuration),
    metrics: trained.metrics,
  };
  // The registry knows a publication that is repeated because its reply was lost.
  return patiently(() => registry.publish(request), signal);
}

/** @returns the upload's id */
export const upload = (
  registry: RegistryPort,
  model: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<string> => sendUpload(registry, model, sourceOf(bytes), signal === undefined ? {} : { signal });
