/** The version that bounds relative to production compare with. */
import type { ContractService } from '../../contract/contract.js';
import type { ModelStore, VersionRecord } from '../../model/store-port.js';
import { PRODUCTION } from '../../model/version.js';
import type { InProduction } from '../isolated.js';

export type Compared = InProduction & { readonly record?: VersionRecord };

/** @returns undefined where no bound compares with it, or nothing is in production */
export async function comparedVersion(
  store: Pick<ModelStore, 'state' | 'version' | 'openVersion'>,
  model: string,
  { accept }: ContractService,
): Promise<Compared | undefined> {
  if (!accept.bounds.some(({ relativeTo }) => relativeTo === 'production')) return undefined;
  const { aliases } = await store.state(model);
  const version = aliases.find(({ aliasName }) => aliasName === PRODUCTION)?.version;
  if (version === undefined) return undefined;
  const record = await store.version(model, version);
  const envelope = await store.openVersion(model, version);
  return { version, envelope, ...(record === undefined ? {} : { record }) };
}
