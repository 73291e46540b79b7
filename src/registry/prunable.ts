/** Which versions a clean-up may remove. Pure. */
import type { VersionRecord } from '../model/store-port.js';
import type { AliasPointer } from '../model/version.js';

/**
 * All but the newest, without what an alias ever led to.
 *
 * @param records newest first
 * @param keep so many of the newest stay, promoted or not
 * @returns oldest first
 */
export function choosePrunable<Listed extends Pick<VersionRecord, 'version' | 'promotedAt'>>(
  records: readonly Listed[],
  aliases: readonly AliasPointer[],
  keep: number,
): readonly Listed[] {
  const inUse = new Set(aliases.flatMap(({ version, canary }) => (canary ? [version, canary.version] : [version])));
  return records
    .slice(keep)
    .filter(({ version, promotedAt }) => promotedAt === undefined && !inUse.has(version))
    .reverse();
}
