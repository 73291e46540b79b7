/** What an archive's model leads to is in the archive. */
import { invalidInput } from '../../errors.js';
import type { ModelSnapshot } from '../../model/archive-port.js';
import { recordedMembers } from '../pipeline/ensemble-members.js';

/** @throws ParleyError INVALID_INPUT where an alias or an ensemble leads to no version in reach, or what is in force is not there */
export function checkReferences({ model, aliases, versions, contracts, contractFingerprint }: ModelSnapshot): void {
  const inReach = new Set(versions.flatMap(({ version, retiredAt }) => (retiredAt === undefined ? [version] : [])));
  const led = [
    ...aliases.flatMap(({ version, canary }) => (canary === undefined ? [version] : [version, canary.version])),
    ...versions.flatMap((each) => (each.retiredAt === undefined ? recordedMembers(each) : [])),
  ];
  const lost =
    led.find((version) => !inReach.has(version)) ??
    (contracts.some(({ fingerprint }) => fingerprint === contractFingerprint) ? undefined : contractFingerprint);
  if (lost !== undefined)
    throw invalidInput(`the archive is damaged: model "${model}" leads to ${lost}, which is not in it`);
}
