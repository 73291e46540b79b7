/** The suite on a version in a store, by the project's own contract and fixtures. */
import { storeSettings } from '../config.js';
import { checkRecordFields } from '../model-types/record-fields.js';
import { comparedVersion } from '../registry/acceptance/production.js';
import { openMembers, recordedMembers } from '../registry/pipeline/ensemble-members.js';
import { openStore } from '../store/connect.js';
import { acceptEnvelope } from './envelope.js';
import type { Suite, Tested } from './run.js';
import type { VersionSubject } from './subject.js';

/** @throws ParleyError STORE_UNAVAILABLE, NOT_FOUND for a version that the model does not have */
export async function acceptStored(suite: Suite, { version: prefix, ...flags }: VersionSubject): Promise<Tested> {
  const { model } = suite.project.contract;
  const store = await openStore({ ...storeSettings(flags), checkTypeFields: checkRecordFields });
  try {
    const version = await store.resolveVersion(model, prefix);
    const record = await store.version(model, version);
    const production = await comparedVersion(store, model, suite.project.service);
    const named = [record, production?.record].flatMap((each) => (each === undefined ? [] : recordedMembers(each)));
    const members = await openMembers(store, model, [...new Set(named)]);
    return await acceptEnvelope(suite, version, await store.openVersion(model, version), members, production);
  } finally {
    await store.close();
  }
}
