/** Which versions a clean-up may remove. Pure. */

import type { VersionRecord } from '../model/store-port.js';
import type { AliasPointer } from '../model/version.js';
import { recordedMembers } from './pipeline/ensemble-members.js';

/**
 * All but the newest, without what an alias ever led to and what an ensemble is made of.
 *
 * @param records newest first
 * @param keep so many of the newest stay, promoted or not
 * @returns oldest first
 */
export function choosePrunable<
  Listed extends Pick<VersionRecord, 'version' | 'promotedAt' | 'modelType' | 'typeFields'>,
>(records: readonly Listed[], aliases: readonly AliasPointer[], keep: number): readonly Listed[] {
  const inUse = new Set(aliases.flatMap(({ version, canary }) => (canary ? [version, canary.version] : [version])));
  for (const record of records) for (const member of recordedMembers(record)) inUse.add(member);
  return records
    .slice(keep)
    .filter(({ version, promotedAt }) => promotedAt === undefined && !inUse.has(version))
    .reverse();
}
