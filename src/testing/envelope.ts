/** The suite on a version's bytes, in a child process: what the registry does, without its record. */
import type { ByteStream } from '../model/byte-stream.js';
import type { Version } from '../model/version.js';
import { FIXTURE_BYTES_FORMAT } from '../registry/fixture-bytes.js';
import { type InProduction, type IsolatedModel, type Members, runAcceptance } from '../registry/isolated.js';
import type { Suite, Tested } from './run.js';

/** The project's contract and the service that it is about. */
export function modelOf({ project: { contract, service } }: Suite): Required<IsolatedModel> {
  const { file, idl, includes } = contract;
  return { contract: { file, idl, includes }, service: service.name };
}

export async function acceptEnvelope(
  suite: Suite,
  version: Version,
  envelope: ByteStream,
  members: Members,
  production?: InProduction,
): Promise<Tested> {
  const { bytes, fixtureFingerprint } = suite;
  const task = { version, ...modelOf(suite), fixturesFormat: FIXTURE_BYTES_FORMAT, fixtureFingerprint };
  return { ...(await runAcceptance(envelope, bytes, task, members, undefined, production)), versions: [version] };
}
